import type { StatementCursor } from './statement-cursor'

/** `('name' = 'value', …)`. A name that comes twice is a syntax error. */
export function properties(cursor: StatementCursor): Record<string, string> {
  const found: Record<string, string> = {}
  cursor.expect('(')
  do {
    const name = cursor.string('a property name')
    if (Object.hasOwn(found, name)) throw cursor.unexpected(`a property other than '${name}', which is given twice`)
    cursor.expect('=')
    Object.defineProperty(found, name, { value: cursor.string('a property value'), enumerable: true })
  } while (cursor.accept(','))
  cursor.expect(')')
  return found
}
