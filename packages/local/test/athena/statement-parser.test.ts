import { readFileSync } from 'node:fs'
import { sharedData, sharedDataMissing } from '@pipe/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AthenaFailure } from '../../src/athena/query-engine'
import { parseStatement } from '../../src/athena/statement-parser'
import { tokenize } from '../../src/athena/statement-token'

const failureOf = (sql: string): string => {
  try {
    parseStatement(sql)
  } catch (error) {
    if (error instanceof AthenaFailure) return error.message
    throw error
  }
  throw new Error(`parsed: ${sql}`)
}

describe('CREATE EXTERNAL TABLE', () => {
  test('with everything', () => {
    const statement = parseStatement(
      `
      -- the raw logs
      CREATE EXTERNAL TABLE IF NOT EXISTS \`Db\`.Logs (
        \`time\` timestamp, level string COMMENT 'it''s',
        tags map<string, string>,
        req struct<Path:string, headers:array<struct<k:string,v:decimal(10, 2)>>>
      )
      COMMENT 'all \\'logs\\''
      PARTITIONED BY (dt string, hour int)
      ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('ignore.malformed.json'='true')
      LOCATION 's3://b/logs'
      TBLPROPERTIES ('a'='b');`.replace("'it''s'", "'it\\'s'"),
    )
    expect(statement).toMatchObject({
      kind: 'create-table',
      table: { database: 'db', name: 'logs' },
      ifNotExists: true,
      columns: [
        { name: 'time', type: 'timestamp' },
        { name: 'level', type: 'string', comment: "it's" },
        { name: 'tags', type: 'map<string,string>' },
        { name: 'req', type: 'struct<path:string,headers:array<struct<k:string,v:decimal(10,2)>>>' },
      ],
      partitionKeys: [
        { name: 'dt', type: 'string' },
        { name: 'hour', type: 'int' },
      ],
      comment: "all 'logs'",
      serde: 'org.openx.data.jsonserde.JsonSerDe',
      serdeProperties: { 'ignore.malformed.json': 'true' },
      location: 's3://b/logs',
      properties: { a: 'b' },
    })
  })

  test('DELIMITED with escapes of Hive', () => {
    expect(
      parseStatement(
        "create external table t (a int) row format delimited fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n' null defined as '' location 's3://b/c/'",
      ),
    ).toMatchObject({
      serdeProperties: { 'field.delim': '\t', 'escape.delim': '\\', 'line.delim': '\n', 'serialization.null.format': '' },
    })
    expect(
      parseStatement("CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\001' LOCATION 's3://b/c/'"),
    ).toMatchObject({ serdeProperties: { 'field.delim': '\u0001' } })
  })

  test.each([
    [
      'CREATE EXTERNAL TABLE my-db.t (a int) LOCATION "s3://b/"',
      /^FAILED: ParseException line 1:24 missing EOF at '-' near 'my'$/,
    ],
    ['CREATE EXTERNAL TABLE t (a int,)\nLOCATION "s3://b/"', /line 1:31 mismatched input '\)'/],
    ['CREATE EXTERNAL TABLE t (a int)\n  STORED AS PARQUET', /line 2:19 missing LOCATION at '<EOF>'/],
    ['CREATE EXTERNAL TABLE t (_a int) LOCATION "s3://b/"', /line 1:25 mismatched input '_a'/],
    ['CREATE EXTERNAL TABLE t (date string) LOCATION "s3://b/"', /line 1:25 mismatched input 'date'.*backticks/],
    ['CREATE EXTERNAL TABLE t (a tezt) LOCATION "s3://b/"', /unknown column type "tezt/],
    ['CREATE EXTERNAL TABLE "d"."t" (a int) LOCATION "s3://b/"', /line 1:22 mismatched input '"d"'/],
    ["CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/", /line 1:41 unterminated string/],
    ["CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/' TBLPROPERTIES ('x'='1','x'='2')", /given twice/],
  ])('%s', (sql, error) => {
    expect(failureOf(sql)).toMatch(error)
  })

  test.each([
    ["CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION 's3://b/'", 'STORED AS ORC'],
    ["CREATE EXTERNAL TABLE t (a int) CLUSTERED BY (a) INTO 4 BUCKETS LOCATION 's3://b/'", 'CLUSTERED BY'],
    ["CREATE EXTERNAL TABLE t (a char(3)) LOCATION 's3://b/'", 'column type char'],
  ])('refuses by name: %s', (sql, construct) => {
    expect(failureOf(sql)).toContain(`NOT_SUPPORTED_LOCALLY: `)
    expect(failureOf(sql)).toContain(construct)
  })
})

describe('partitions', () => {
  test('ADD several', () => {
    expect(
      parseStatement(
        "ALTER TABLE db.logs ADD IF NOT EXISTS PARTITION (dt='2024-01-01', hour=1) LOCATION 's3://b/x/' PARTITION (dt=\"2024-01-02\", hour=-2)",
      ),
    ).toEqual({
      kind: 'add-partitions',
      table: { database: 'db', name: 'logs' },
      ifNotExists: true,
      partitions: [
        {
          spec: [
            { key: 'dt', value: '2024-01-01' },
            { key: 'hour', value: '1' },
          ],
          location: 's3://b/x/',
        },
        {
          spec: [
            { key: 'dt', value: '2024-01-02' },
            { key: 'hour', value: '-2' },
          ],
          location: undefined,
        },
      ],
    })
  })

  test('DROP several', () => {
    expect(parseStatement("ALTER TABLE logs DROP IF EXISTS PARTITION (dt='a'), PARTITION (dt='b')")).toMatchObject({
      kind: 'drop-partitions',
      ifExists: true,
      specs: [[{ key: 'dt', value: 'a' }], [{ key: 'dt', value: 'b' }]],
    })
    expect(failureOf("ALTER TABLE logs DROP PARTITION (dt < 'a')")).toMatch(/comparison/)
  })
})

describe('CTAS', () => {
  test('with properties and a query that is left alone', () => {
    expect(
      parseStatement(
        `CREATE TABLE "my-db"."t" WITH (format = 'PARQUET', parquet_compression='SNAPPY', bucketed_by = ARRAY['a'], bucket_count = 1, external_location='s3://b/o/')
         AS WITH x AS (SELECT 'it''s' AS a) SELECT a FROM x -- end
         ;`,
      ),
    ).toEqual({
      kind: 'create-table-as',
      table: { database: 'my-db', name: 't' },
      ifNotExists: false,
      properties: {
        format: 'PARQUET',
        parquet_compression: 'SNAPPY',
        bucketed_by: ['a'],
        bucket_count: 1,
        external_location: 's3://b/o/',
      },
      select: "WITH x AS (SELECT 'it''s' AS a) SELECT a FROM x",
      withData: true,
    })
  })

  test('WITH NO DATA', () => {
    expect(parseStatement('CREATE TABLE IF NOT EXISTS x AS SELECT 1 AS a WITH NO DATA')).toMatchObject({
      select: 'SELECT 1 AS a',
      withData: false,
      ifNotExists: true,
    })
  })

  test.each([
    ['CREATE TABLE my-db.t AS SELECT 1 AS a', /^SYNTAX_ERROR: line 1:16: mismatched input '-'/],
    ['CREATE TABLE `t` AS SELECT 1 AS a', /line 1:14: backquoted identifiers/],
    ['CREATE TABLE t\nWITH (format=) AS SELECT 1', /line 2:14: mismatched input '\)'/],
    ['CREATE TABLE t AS', /line 1:18: mismatched input '<EOF>'/],
    ['CREATE TABLE 1t AS SELECT 1 AS a', /line 1:14: mismatched input '1t'/],
  ])('%s', (sql, error) => {
    expect(failureOf(sql)).toMatch(error)
  })
})

describe('one statement', () => {
  test('queries are handed on without comments around them and without the semicolon', () => {
    expect(parseStatement('/* a */ -- b\n SELECT ";" /* ; */ , \';\' ; -- c')).toEqual({
      kind: 'select',
      sql: 'SELECT ";" /* ; */ , \';\'',
    })
    expect(parseStatement("VALUES (1, 'a')").kind).toBe('select')
    expect(parseStatement('(SELECT 1)').kind).toBe('select')
    expect(parseStatement('WITH a AS (SELECT 1) SELECT * FROM a').kind).toBe('select')
  })

  test.each([
    ['', /line 1:1: the statement is empty/],
    ['  -- nothing\n', /empty/],
    ['SELECT 1; SELECT 2', /line 1:11: only one SQL statement/],
    ['SELEC 1', /line 1:1: mismatched input 'SELEC'/],
    ["SELECT 'abc", /line 1:8: unterminated string/],
    ['SELECT 1 /* x', /line 1:10: unterminated comment/],
    ['DROP DATABASE my-db', /line 1:16 missing EOF at '-' near 'my'/],
    ['SHOW TABLES IN my-db', /missing EOF at '-' near 'my'/],
    ['SHOW', /mismatched input/],
    ['SELECT x FROM a.b.c.d ,', /never/],
  ])('%s', (sql, error) => {
    if (error.source === 'never') expect(parseStatement(sql).kind).toBe('select')
    else expect(failureOf(sql)).toMatch(error)
  })

  test('any text parses or fails as on Athena, and never otherwise', () => {
    const words = fc.constantFrom(
      'CREATE', 'EXTERNAL', 'TABLE', 'DATABASE', 'ALTER', 'DROP', 'ADD', 'PARTITION', 'SHOW', 'IF', 'NOT', 'EXISTS', 'WITH', 'AS', 'SELECT',
      'LOCATION', 'ROW', 'FORMAT', '(', ')', ',', '=', "'x'", '"y"', '`z`', '--', '/*', '\n', ';', 'a', '1', '<', '>', '.', '-', '\\',
    ) // biome-ignore format: a word list
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(words).map((list) => list.join(' ')),
          fc.string({ unit: 'binary' }),
        ),
        (sql) => {
          try {
            parseStatement(sql)
          } catch (error) {
            expect(error).toBeInstanceOf(AthenaFailure)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('a string survives quoting in both dialects', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const trino = tokenize(`'${text.replaceAll("'", "''")}'`, 'trino')
        expect(trino.map((token) => token.value)).toEqual([text])
        const hive = tokenize(`'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`, 'hive')
        expect(hive.map((token) => token.value)).toEqual([text])
      }),
    )
  })
})

describe('what Athena accepts and the local one does not run is refused by name', () => {
  test.each([
    ['INSERT OVERWRITE t SELECT 1', 'INSERT OVERWRITE'],
    ['CREATE VIEW v SECURITY INVOKER AS SELECT 1 AS a', 'SECURITY'],
    ['CREATE PROTECTED MULTI DIALECT VIEW v AS SELECT 1 AS a', 'several dialects'],
    ['MERGE INTO a USING b ON 1=1 WHEN MATCHED THEN DELETE', 'Iceberg'],
    ['EXPLAIN SELECT 1', 'EXPLAIN'],
    ['DESCRIBE FORMATTED t', 'DESCRIBE FORMATTED'],
    ['DESCRIBE t a', 'DESCRIBE of one column'],
    ['ALTER TABLE t CHANGE COLUMN a b int', 'ALTER TABLE … CHANGE COLUMN'],
    ['CREATE TABLE t (a bigint)', 'Iceberg'],
  ])('%s', (sql, construct) => {
    expect(failureOf(sql)).toMatch(/^NOT_SUPPORTED_LOCALLY: /)
    expect(failureOf(sql)).toContain(construct)
  })
})

const starter = sharedData('athena-starter-cases.json')
test.skipIf(starter === undefined)(
  `every statement of the starter cases is run or refused by name ${starter === undefined ? sharedDataMissing : ''}`,
  () => {
    const { statements } = JSON.parse(readFileSync(starter as string, 'utf8')) as { statements: { name: string; sql: string }[] }
    expect(statements).toHaveLength(53)
    const kinds = statements.map(({ name, sql }) => {
      try {
        return [name, parseStatement(sql).kind]
      } catch (error) {
        return [name, /^NOT_SUPPORTED_LOCALLY/.test((error as Error).message) ? 'refused' : `wrong: ${(error as Error).message}`]
      }
    })
    expect(kinds.filter(([, kind]) => kind?.startsWith('wrong'))).toEqual([])
  },
)
