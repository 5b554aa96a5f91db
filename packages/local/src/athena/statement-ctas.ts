import { notSupportedLocally } from './query-engine'
import type { CtasValue, Statement } from './statement'
import type { StatementCursor } from './statement-cursor'
import { restOf, textOf } from './statement-query'
import type { Token } from './statement-token'

/** `CREATE TABLE t WITH (…) AS SELECT …`. Without AS it would be an Iceberg table, which is refused by name. */
export function parseCreateTableAs(cursor: StatementCursor): Statement {
  cursor.expect('CREATE', 'TABLE')
  const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS')
  const table = cursor.qualifiedName('<identifier>')
  if (cursor.at('(')) throw notSupportedLocally('CREATE TABLE with a column list and without EXTERNAL (an Iceberg table)')
  if (cursor.at('COMMENT')) throw notSupportedLocally('COMMENT in CREATE TABLE AS')
  const properties = cursor.accept('WITH') ? withProperties(cursor) : {}
  cursor.expect('AS')
  const rest = restOf(cursor)
  const { count, withData } = dataClause(rest)
  const select = textOf(cursor, rest.slice(0, count))
  return { kind: 'create-table-as', table, ifNotExists, properties, select, withData }
}

/** A trailing `WITH DATA` or `WITH NO DATA`; `count` tokens before it belong to the query. */
function dataClause(tokens: readonly Token[]): { count: number; withData: boolean } {
  const word = (fromEnd: number) => {
    const token = tokens[tokens.length - fromEnd]
    return token?.kind === 'word' ? token.text.toUpperCase() : ''
  }
  if (word(1) === 'DATA' && word(2) === 'WITH') return { count: tokens.length - 2, withData: true }
  if (word(1) === 'DATA' && word(2) === 'NO' && word(3) === 'WITH') return { count: tokens.length - 3, withData: false }
  return { count: tokens.length, withData: true }
}

/** `(name = value, …)` of CTAS and UNLOAD. */
export function withProperties(cursor: StatementCursor): Record<string, CtasValue> {
  const found: Record<string, CtasValue> = {}
  cursor.expect('(')
  do {
    const name = cursor.name('<identifier>')
    if (Object.hasOwn(found, name)) throw cursor.unexpected(`a property other than ${name}, which is given twice`)
    cursor.expect('=')
    Object.defineProperty(found, name, { value: propertyValue(cursor), enumerable: true })
  } while (cursor.accept(','))
  cursor.expect(')')
  return found
}

function propertyValue(cursor: StatementCursor): CtasValue {
  if (cursor.accept('TRUE')) return true
  if (cursor.accept('FALSE')) return false
  if (cursor.accept('ARRAY', '[')) {
    const values: string[] = []
    if (cursor.accept(']')) return values
    do values.push(cursor.string('a string'))
    while (cursor.accept(','))
    cursor.expect(']')
    return values
  }
  const token = cursor.peek()
  if (token?.kind === 'number') return Number(cursor.next().value)
  return cursor.string('<expression>')
}
