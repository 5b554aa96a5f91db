import { AthenaFailure, notSupportedLocally } from './query-engine'
import type { Statement } from './statement'
import { parseAlterTable } from './statement-alter-table'
import { parseCreateTable } from './statement-create-table'
import { parseCreateTableAs } from './statement-ctas'
import { hiveSyntaxError, type StatementCursor, statementCursor, trinoSyntaxError } from './statement-cursor'
import { parseDeallocate, parseExecute, parsePrepare } from './statement-prepare'
import { properties } from './statement-property'
import {
  parseDescribe,
  parseShowColumns,
  parseShowCreate,
  parseShowDatabases,
  parseShowPartitions,
  parseShowTableProperties,
  parseShowTables,
  parseShowViews,
} from './statement-show'
import { type Dialect, StatementSyntaxError, skipBlanks, type Token, tokenize } from './statement-token'
import { parseCreateView, parseDropView } from './statement-view'
import { parseInsert, parseUnload } from './statement-write'

type Parser = (cursor: StatementCursor) => Statement

// Statements by their first words, with the dialect that decides on quotes.
const forms: readonly (readonly [RegExp, Dialect, Parser])[] = [
  [/^CREATE (DATABASE|SCHEMA)\b/, 'hive', createDatabase],
  [/^CREATE EXTERNAL TABLE\b/, 'hive', parseCreateTable],
  [/^CREATE TABLE\b/, 'trino', parseCreateTableAs],
  [/^CREATE (OR REPLACE )?VIEW\b/, 'trino', parseCreateView],
  [/^DROP (DATABASE|SCHEMA)\b/, 'hive', dropDatabase],
  [/^DROP TABLE\b/, 'hive', dropTable],
  [/^DROP VIEW\b/, 'trino', parseDropView],
  [/^ALTER TABLE\b/, 'hive', parseAlterTable],
  [/^MSCK\b/, 'hive', repairTable],
  [/^SHOW (DATABASES|SCHEMAS)\b/, 'hive', parseShowDatabases],
  [/^SHOW TABLES\b/, 'hive', parseShowTables],
  [/^SHOW VIEWS\b/, 'hive', parseShowViews],
  [/^SHOW PARTITIONS\b/, 'hive', parseShowPartitions],
  [/^SHOW CREATE TABLE\b/, 'hive', parseShowCreate],
  [/^SHOW CREATE VIEW\b/, 'trino', parseShowCreate],
  [/^SHOW COLUMNS\b/, 'hive', parseShowColumns],
  [/^SHOW TBLPROPERTIES\b/, 'hive', parseShowTableProperties],
  [/^DESC(RIBE)?\b/, 'hive', parseDescribe],
  [/^UNLOAD\b/, 'trino', parseUnload],
  [/^INSERT\b/, 'trino', parseInsert],
  [/^PREPARE\b/, 'trino', parsePrepare],
  [/^EXECUTE\b/, 'trino', parseExecute],
  [/^DEALLOCATE\b/, 'trino', parseDeallocate],
]

// What Athena accepts and the local one does not run.
const refusals: readonly (readonly [RegExp, string])[] = [
  [
    /^(CREATE (OR REPLACE )?|DROP |ALTER )(PROTECTED )?(MULTI DIALECT )?VIEW\b/,
    'a view of the Glue Data Catalog in several dialects',
  ],
  [/^(MERGE|DELETE|UPDATE|OPTIMIZE|VACUUM)\b/, 'a statement on Iceberg tables (MERGE, DELETE, UPDATE, OPTIMIZE, VACUUM)'],
  [/^EXPLAIN\b/, 'EXPLAIN'],
  [/^ALTER (DATABASE|SCHEMA)\b/, 'ALTER DATABASE'],
  [/^USING\b/, 'a user-defined function (USING EXTERNAL FUNCTION)'],
]

/**
 * Reads one statement. Queries are handed on as text (without a trailing semicolon): the SELECT engine parses them.
 *
 * @throws {@link AthenaFailure} with line and column for a syntax error; by name for a statement that is not run locally.
 */
export function parseStatement(sql: string): Statement {
  const start = skipLeading(sql)
  const words = leadingWords(sql, start)
  const opening = words.join(' ')
  if (isQuery(sql, start, words[0] ?? '')) {
    return { kind: 'select', sql: sql.slice(start, endOf(oneStatement(sql, 'trino'))) }
  }
  const form = forms.find(([pattern]) => pattern.test(opening))
  if (form) {
    const [, dialect, parse] = form
    return parse(statementCursor(sql, oneStatement(sql, dialect), dialect))
  }
  const refused = refusals.find(([pattern]) => pattern.test(opening))
  if (refused) throw notSupportedLocally(refused[1])
  const first = words[0] ?? ''
  throw trinoSyntaxError(
    sql,
    start,
    `mismatched input '${first === '' ? '<EOF>' : sql.slice(start, start + first.length)}'. Expecting: <statement>`,
  )
}

function isQuery(sql: string, start: number, first: string): boolean {
  return first === 'SELECT' || first === 'WITH' || first === 'VALUES' || first === 'TABLE' || sql[start] === '('
}

function skipLeading(sql: string): number {
  const start = blanksEnd(sql, 0)
  if (start < sql.length) return start
  throw new AthenaFailure('SYNTAX_ERROR: line 1:1: the statement is empty', { type: 1006 })
}

function blanksEnd(sql: string, from: number): number {
  try {
    return skipBlanks(sql, from)
  } catch (error) {
    if (!(error instanceof StatementSyntaxError)) throw error
    throw trinoSyntaxError(sql, error.at, error.message)
  }
}

function leadingWords(sql: string, start: number): string[] {
  const words: string[] = []
  for (let at = start; words.length < 6; ) {
    const word = /^[A-Za-z]+/.exec(sql.slice(at, at + 40))?.[0]
    if (word === undefined) break
    words.push(word.toUpperCase())
    at = blanksEnd(sql, at + word.length)
  }
  return words
}

/** Tokens of the only statement; a semicolon may end it, nothing may follow. */
function oneStatement(sql: string, dialect: Dialect): readonly Token[] {
  let tokens: readonly Token[]
  try {
    tokens = tokenize(sql, dialect)
  } catch (error) {
    if (!(error instanceof StatementSyntaxError)) throw error
    throw dialect === 'hive' ? hiveSyntaxError(sql, error.at, error.message, '') : trinoSyntaxError(sql, error.at, error.message)
  }
  const semicolon = tokens.findIndex((token) => token.text === ';' && token.kind === 'symbol')
  if (semicolon === -1) return tokens
  if (semicolon < tokens.length - 1) {
    throw trinoSyntaxError(sql, (tokens[semicolon + 1] as Token).start, 'only one SQL statement is allowed')
  }
  return tokens.slice(0, semicolon)
}

const endOf = (tokens: readonly Token[]) => tokens[tokens.length - 1]?.end ?? 0

function createDatabase(cursor: StatementCursor): Statement {
  cursor.expect('CREATE')
  cursor.next()
  const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS')
  const name = cursor.name('a database name')
  const comment = cursor.accept('COMMENT') ? cursor.string('a comment') : undefined
  const location = cursor.accept('LOCATION') ? cursor.string('a location') : undefined
  const given = cursor.accept('WITH', 'DBPROPERTIES') ? properties(cursor) : {}
  cursor.end()
  return { kind: 'create-database', name, ifNotExists, comment, location, properties: given }
}

function dropDatabase(cursor: StatementCursor): Statement {
  cursor.expect('DROP')
  cursor.next()
  const ifExists = cursor.accept('IF', 'EXISTS')
  const name = cursor.name('a database name')
  const cascade = cursor.accept('CASCADE')
  if (!cascade) cursor.accept('RESTRICT')
  cursor.end()
  return { kind: 'drop-database', name, ifExists, cascade }
}

function dropTable(cursor: StatementCursor): Statement {
  cursor.expect('DROP', 'TABLE')
  const ifExists = cursor.accept('IF', 'EXISTS')
  const table = cursor.qualifiedName('a table name')
  cursor.end()
  return { kind: 'drop-table', table, ifExists }
}

function repairTable(cursor: StatementCursor): Statement {
  cursor.expect('MSCK', 'REPAIR', 'TABLE')
  const table = cursor.qualifiedName('a table name')
  if (!cursor.atEnd()) throw notSupportedLocally(`MSCK REPAIR TABLE … ${cursor.next().text.toUpperCase()}`)
  return { kind: 'repair-table', table }
}
