import { notSupportedLocally } from './query-engine'
import type { Statement } from './statement'
import { withProperties } from './statement-ctas'
import type { StatementCursor } from './statement-cursor'
import { parenthesized, queryText, textOf } from './statement-query'

/** `UNLOAD (query) TO 's3://…' WITH (…)` */
export function parseUnload(cursor: StatementCursor): Statement {
  cursor.expect('UNLOAD', '(')
  const select = textOf(cursor, parenthesized(cursor))
  cursor.expect('TO')
  const location = cursor.string('<string>')
  const properties = cursor.accept('WITH') ? withProperties(cursor) : {}
  cursor.end()
  return { kind: 'unload', select, location, properties }
}

/** `INSERT INTO t [(columns)] query` */
export function parseInsert(cursor: StatementCursor): Statement {
  if (cursor.at('INSERT', 'OVERWRITE')) throw notSupportedLocally('INSERT OVERWRITE')
  cursor.expect('INSERT', 'INTO')
  const table = cursor.qualifiedName('<identifier>')
  return { kind: 'insert', table, columns: insertColumns(cursor), select: queryText(cursor) }
}

/** A column list, unless the parenthesis begins a query. */
function insertColumns(cursor: StatementCursor): string[] | undefined {
  const next = cursor.peek(1)
  const isQuery = next?.text === '(' || (next?.kind === 'word' && /^(SELECT|WITH|VALUES|TABLE)$/i.test(next.text))
  if (!cursor.at('(') || isQuery) return undefined
  cursor.expect('(')
  const columns: string[] = []
  do columns.push(cursor.name('<identifier>'))
  while (cursor.accept(','))
  cursor.expect(')')
  return columns
}
