import { type Cursor, commaList } from './cursor'
import type { TypeName } from './tree'

/**
 * Parses a type: `bigint`, `double precision`, `decimal(10, 2)`, `timestamp(3) with time zone`, `array(varchar)`, `array<varchar>`,
 * `map(varchar, json)`, `row(a integer, b varchar)`.
 */
export function parseTypeName(cursor: Cursor): TypeName {
  const start = cursor.peek()
  const name = cursor.name().text.toLowerCase()
  if (name === 'double' && cursor.accept('PRECISION')) return { name, arguments: [], at: start.at }
  if (name === 'row' && cursor.is('(')) return rowType(cursor, start.at)
  if ((name === 'array' || name === 'map') && cursor.accept('<')) {
    const parameters = commaList(cursor, () => parseTypeName(cursor))
    cursor.expect('>')
    return postfix(cursor, { name, arguments: parameters, at: start.at })
  }
  const parameters = cursor.accept('(') ? commaList(cursor, () => argument(cursor)) : []
  if (parameters.length > 0) cursor.expect(')')
  if (name === 'timestamp' || name === 'time') {
    if (cursor.accept('WITH', 'TIME', 'ZONE')) return { name, arguments: parameters, withTimeZone: true, at: start.at }
    cursor.accept('WITHOUT', 'TIME', 'ZONE')
  }
  return postfix(cursor, { name, arguments: parameters, at: start.at })
}

function argument(cursor: Cursor): TypeName | number {
  const token = cursor.peek()
  if (token.kind !== 'integer') return parseTypeName(cursor)
  cursor.next()
  return Number(token.text.replaceAll('_', ''))
}

// `integer array` is an old spelling of array(integer).
function postfix(cursor: Cursor, type: TypeName): TypeName {
  let result = type
  while (cursor.accept('ARRAY')) result = { name: 'array', arguments: [result], at: type.at }
  return result
}

function rowType(cursor: Cursor, at: number): TypeName {
  cursor.expect('(')
  const fields: (string | undefined)[] = []
  const types = commaList(cursor, () => {
    // `a integer` is a named field, `integer` alone an unnamed one, `double precision` a type of two words.
    const named = isWord(cursor) && cursor.peek(1).key !== ',' && cursor.peek(1).key !== ')' && isTypeStart(cursor)
    fields.push(named ? cursor.next().text.toLowerCase() : undefined)
    return parseTypeName(cursor)
  })
  cursor.expect(')')
  return { name: 'row', arguments: types, fields, at }
}

// Any word may name a field, reserved or not: types are also read back from their own text.
function isWord(cursor: Cursor): boolean {
  const { kind } = cursor.peek()
  return kind === 'word' || kind === 'quoted'
}

function isTypeStart(cursor: Cursor): boolean {
  const second = cursor.peek(1)
  if (second.kind !== 'word' && second.kind !== 'quoted') return false
  const first = cursor.peek().key
  if (first === 'DOUBLE' && second.key === 'PRECISION') return false
  return !((first === 'TIMESTAMP' || first === 'TIME') && (second.key === 'WITH' || second.key === 'WITHOUT'))
}
