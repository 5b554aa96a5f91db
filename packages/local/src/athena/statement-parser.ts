import { AthenaFailure, notSupportedLocally } from './query-engine'
import type { Statement } from './statement'
import { parseCreateTable } from './statement-create-table'
import { parseCreateTableAs } from './statement-ctas'
import { hiveSyntaxError, type StatementCursor, statementCursor, trinoSyntaxError } from './statement-cursor'
import { parseAlterTable } from './statement-partition'
import { properties } from './statement-property'
import { type Dialect, StatementSyntaxError, skipBlanks, type Token, tokenize } from './statement-token'

/**
 * Reads one statement. Queries are handed on as text (without a trailing semicolon): the SELECT engine parses them.
 *
 * @throws {@link AthenaFailure} with line and column for a syntax error; by name for a statement that is not run locally.
 */
export function parseStatement(sql: string): Statement {
  const start = skipLeading(sql)
  const words = leadingWords(sql, start)
  const [first = '', second = '', third = ''] = words
  const dialect: Dialect = isQuery(sql, start, first) || isCtas(first, second) ? 'trino' : 'hive'
  const tokens = oneStatement(sql, dialect)
  if (isQuery(sql, start, first)) return { kind: 'select', sql: sql.slice(start, endOf(tokens)) }
  const cursor = statementCursor(sql, tokens, dialect)
  if (isCtas(first, second)) return parseCreateTableAs(cursor)
  switch (first) {
    case 'CREATE':
      if (second === 'DATABASE' || second === 'SCHEMA') return createDatabase(cursor)
      if (second === 'EXTERNAL' && third === 'TABLE') return parseCreateTable(cursor)
      break
    case 'DROP':
      if (second === 'DATABASE' || second === 'SCHEMA') return dropDatabase(cursor)
      if (second === 'TABLE') return dropTable(cursor)
      break
    case 'ALTER':
      if (second === 'TABLE') return parseAlterTable(cursor)
      break
    case 'SHOW': {
      const shown = show(cursor)
      if (shown) return shown
    }
  }
  const refused = refusals.find(([pattern]) => pattern.test(words.join(' ')))
  if (refused) throw notSupportedLocally(refused[1])
  throw trinoSyntaxError(
    sql,
    start,
    `mismatched input '${first === '' ? '<EOF>' : sql.slice(start, start + first.length)}'. Expecting: <statement>`,
  )
}

// What Athena accepts and the local one does not run yet.
const refusals: readonly (readonly [RegExp, string])[] = [
  [/^UNLOAD\b/, 'UNLOAD'],
  [/^INSERT\b/, 'INSERT INTO'],
  [/^MSCK\b/, 'MSCK REPAIR TABLE'],
  [/^(CREATE (OR REPLACE )?|DROP |ALTER )(PROTECTED )?(MULTI DIALECT )?VIEW\b/, 'a view'],
  [/^(PREPARE|EXECUTE|DEALLOCATE)\b/, 'a prepared statement'],
  [/^(MERGE|DELETE|UPDATE|OPTIMIZE|VACUUM)\b/, 'a statement on Iceberg tables (MERGE, DELETE, UPDATE, OPTIMIZE, VACUUM)'],
  [/^EXPLAIN\b/, 'EXPLAIN'],
  [/^(DESCRIBE|DESC)\b/, 'DESCRIBE'],
  [/^SHOW CREATE\b/, 'SHOW CREATE TABLE'],
  [/^SHOW (COLUMNS|TBLPROPERTIES|VIEWS)\b/, 'SHOW COLUMNS, SHOW TBLPROPERTIES and SHOW VIEWS'],
  [/^ALTER DATABASE\b/, 'ALTER DATABASE'],
  [/^USING\b/, 'a user-defined function'],
]

const isCtas = (first: string, second: string) => first === 'CREATE' && second === 'TABLE'

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

function show(cursor: StatementCursor): Statement | undefined {
  if (cursor.accept('SHOW', 'DATABASES') || cursor.accept('SHOW', 'SCHEMAS')) {
    const pattern = cursor.accept('LIKE') ? cursor.string('a pattern') : undefined
    cursor.end()
    return { kind: 'show-databases', pattern }
  }
  if (cursor.accept('SHOW', 'TABLES')) {
    const database = cursor.accept('IN') || cursor.accept('FROM') ? cursor.name('a database name') : undefined
    cursor.accept('LIKE')
    const pattern = cursor.atEnd() ? undefined : cursor.string('a pattern')
    cursor.end()
    return { kind: 'show-tables', database, pattern }
  }
  if (cursor.accept('SHOW', 'PARTITIONS')) {
    const table = cursor.qualifiedName('a table name')
    if (!cursor.atEnd()) throw notSupportedLocally('SHOW PARTITIONS with a partition or filter')
    return { kind: 'show-partitions', table }
  }
  return undefined
}
