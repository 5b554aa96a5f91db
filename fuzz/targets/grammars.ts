import { date, decimal, identifier, renderSql, sql } from '@pipe/athena-query'
import { PipeError } from '@pipe/core'
import { compilePattern, matchesPattern, parseSchedule } from '@pipe/events'
import { tokenizeTrino } from '../../packages/athena-query/test/trino-tokenizer'
import { parseHiveType } from '../../packages/local/src/athena/hive-type'
import { javaPattern } from '../../packages/local/src/athena/java-pattern'
import { AthenaFailure } from '../../packages/local/src/athena/query-engine'
import { AnalysisError } from '../../packages/local/src/athena/select/failure'
import { UnsupportedSyntax } from '../../packages/local/src/athena/select/syntax/cursor'
import { parseQuery } from '../../packages/local/src/athena/select/syntax/query'
import { parseStatement } from '../../packages/local/src/athena/statement-parser'
import { StatementSyntaxError } from '../../packages/local/src/athena/statement-token'
import { type FuzzTarget, isA, mustHold, refusedBy } from '../target'

const texts = (...list: readonly string[]) => list.map((text) => Buffer.from(text))
const orPipeError = refusedBy((error) => PipeError.isInstance(error))
const orSyntaxError = refusedBy(isA(StatementSyntaxError), isA(AthenaFailure))

/** A query too deep for the stack is the caller's to answer (compileSelect says "statement is too large", as Trino does). */
const isTooDeep = (error: unknown) => error instanceof RangeError && /call stack/.test(error.message)
const orQueryError = refusedBy(isA(AnalysisError), isA(UnsupportedSyntax), isTooDeep)

const pattern = JSON.stringify({
  source: ['aws.s3', { prefix: 'com.' }],
  detail: {
    total: [{ numeric: ['>', 100, '<=', 1e6] }],
    tags: [{ exists: false }],
    ip: [{ cidr: '10.0.0.0/8' }],
    name: [{ wildcard: 'a*b' }],
  },
  $or: [{ a: ['x'] }, { b: [{ 'anything-but': ['y', 'z'] }] }],
})
const event = JSON.stringify({
  version: '0',
  id: '1',
  'detail-type': 'order',
  source: 'com.shop',
  account: '0',
  time: '2026-11-24T15:30:00Z',
  region: 'r',
  resources: [],
  detail: { total: 250.5, big: 'BIG', list: [{ a: 1 }, { a: 2, b: [null, true] }] },
}).replace('"BIG"', '12345678901234567890')
const jsonWords = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  '\\u0000',
  ',',
  ':',
  'null',
  '1e999',
  '{"exists":true}',
  '"$or"',
  '"__proto__"',
  '*',
  '\\\\*',
]

const sqlWords = [
  "'",
  '"',
  '`',
  '\\',
  '--',
  '/*',
  '*/',
  '(',
  ')',
  ',',
  ';',
  '?',
  'SELECT',
  'FROM',
  'WHERE',
  'CASE',
  'END',
  'ARRAY[',
  'ROW(',
  '->',
  'OVER (',
  'U&',
  "X'",
  '1e',
  'INTERVAL',
  '::',
  '\0',
  'WITH',
  'UNION',
]
const nested = `SELECT ${'('.repeat(200)}1${')'.repeat(200)}`

export const grammarTargets: readonly FuzzTarget[] = [
  {
    name: 'event-pattern',
    perMillion: 60_000,
    corpus: () =>
      texts(pattern, '{"source":["a"]}', '{"a":{"b":[{"anything-but":{"prefix":"x"}}],"c":[{"equals-ignore-case":"Y"}]}}'),
    words: jsonWords,
    read: (input) => orPipeError(() => compilePattern(input.toString('utf8')).matches(event)),
  },
  {
    name: 'event',
    perMillion: 60_000,
    corpus: () => texts(event),
    words: jsonWords,
    read: (input) => orPipeError(() => matchesPattern(pattern, input.toString('utf8'))),
  },
  {
    name: 'schedule',
    perMillion: 80_000,
    corpus: () =>
      texts(
        'rate(5 minutes)',
        'cron(0 12 * * ? *)',
        'cron(0/15 8-18 ? JAN,MAR MON-FRI 2026-2030)',
        'cron(0 0 L * ? *)',
        'cron(0 0 ? * 6#3 *)',
        'at(2026-11-24T15:30:00)',
      ),
    words: ['rate(', 'cron(', ')', '*', '?', '/', '-', ',', 'L', 'W', '#', 'MON', '0', '99999', ' '],
    read: (input) => orPipeError(() => parseSchedule(input.toString('utf8'))),
  },
  {
    name: 'athena-statement',
    perMillion: 60_000,
    corpus: () =>
      texts(
        "CREATE EXTERNAL TABLE `a-b`.t (x int COMMENT 'it''s', y struct<a:array<string>>) PARTITIONED BY (d string) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://b/p/' TBLPROPERTIES ('k'='v')",
        "CREATE TABLE c WITH (format = 'PARQUET', partitioned_by = ARRAY['d'], external_location = 's3://b/p/') AS SELECT 1 a",
        "ALTER TABLE t ADD IF NOT EXISTS PARTITION (d='2026-11-24') LOCATION 's3://b/p/'",
        "UNLOAD (SELECT * FROM t) TO 's3://b/u/' WITH (format = 'PARQUET')",
        'INSERT INTO t SELECT 1',
        'SHOW PARTITIONS t',
        'PREPARE p FROM SELECT ? -- comment\n /* c */',
        'CREATE OR REPLACE VIEW v AS SELECT 1 x',
      ),
    words: sqlWords,
    read: (input) => orSyntaxError(() => parseStatement(input.toString('utf8'))),
  },
  {
    name: 'trino-query',
    perMillion: 50_000,
    corpus: () =>
      texts(
        "WITH a AS (SELECT x, count(*) c FROM t WHERE s LIKE '%it''s%' ESCAPE '!' GROUP BY GROUPING SETS ((x), ())) SELECT a.\"x\", CASE WHEN c > 1 THEN 'a' ELSE NULL END, transform(ARRAY[1,2], y -> y + 1) FROM a LEFT JOIN UNNEST(ARRAY[1]) u(v) ON true ORDER BY 1 DESC NULLS LAST LIMIT 5",
        "SELECT CAST(ROW(1, 'a') AS ROW(x bigint, y varchar)), TIMESTAMP '2026-11-24 15:30:00 UTC', INTERVAL '3' DAY, sum(v) OVER (PARTITION BY k ORDER BY t ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
        "VALUES (1, 1.5E0, X'00ff'), (-1, .5, NULL)",
        nested,
      ),
    words: sqlWords,
    read: (input) => orQueryError(() => parseQuery(input.toString('utf8'))),
  },
  {
    name: 'hive-type',
    perMillion: 50_000,
    corpus: () => texts('array<struct<a:int,b:map<string,decimal(10,2)>>>', 'varchar(20)', 'timestamp'),
    words: ['<', '>', '(', ')', ',', ':', 'array<', 'struct<', 'map<', 'decimal(99,1)', '`'],
    read: (input) => orSyntaxError(() => parseHiveType(input.toString('utf8'))),
  },
  {
    name: 'java-pattern',
    perMillion: 30_000,
    corpus: () => texts('^(\\S+) (\\d{1,3}) "([^"]*)" (.*?)$', '([a-z]+)-(?:x|y)*', '[^\\]\\-a]+'),
    words: ['(', ')', '[', ']', '\\', '{', '}', '*', '+', '?', '^', '$', '|', '(?<', '\\p{L}', '&&'],
    read: (input) => orSyntaxError(() => javaPattern(input.toString('utf8'))),
  },
  {
    name: 'sql-tag',
    perMillion: 60_000,
    corpus: () => texts("it's", 'a"b', 'x\\', '--', '/*', "'; DROP TABLE t; --", 'U&"\\0041"', '\u0000'),
    words: sqlWords,
    // Values and names that were spliced in come out of the statement as they went in, each as one token.
    read: (input) => {
      const value = input.toString('utf8')
      return orPipeError(() => {
        const text = renderSql(
          sql`SELECT ${value}, ${input} FROM ${identifier('t', 'n')} WHERE d = ${date('2026-11-24')} AND p = ${decimal('1.50')} AND q = ${value}`,
          'trino',
        )
        const tokens = tokenizeTrino(text)
        const literals = tokens.filter(({ kind }) => kind === 'string' || kind === 'binary')
        mustHold(
          literals.filter(({ kind, value: found }) => kind === 'string' && found === value).length === 2,
          `${JSON.stringify(value)} is not two texts in ${text}`,
        )
      })
    },
  },
]
