import type { Statement } from './statement'
import type { StatementCursor } from './statement-cursor'
import { queryText, restOf, textOf } from './statement-query'
import type { Token } from './statement-token'

/** `PREPARE name FROM statement`. What may be prepared is checked when it is stored. */
export function parsePrepare(cursor: StatementCursor): Statement {
  cursor.expect('PREPARE')
  const name = statementName(cursor)
  cursor.expect('FROM')
  return { kind: 'prepare', name, sql: queryText(cursor) }
}

/** `EXECUTE name [USING value, …]`; the values stay text, as in ExecutionParameters. */
export function parseExecute(cursor: StatementCursor): Statement {
  cursor.expect('EXECUTE')
  const name = statementName(cursor)
  if (!cursor.accept('USING')) {
    cursor.end()
    return { kind: 'execute', name, parameters: [] }
  }
  return { kind: 'execute', name, parameters: commaSeparated(restOf(cursor)).map((tokens) => textOf(cursor, tokens)) }
}

/** `DEALLOCATE PREPARE name` */
export function parseDeallocate(cursor: StatementCursor): Statement {
  cursor.expect('DEALLOCATE', 'PREPARE')
  const name = statementName(cursor)
  cursor.end()
  return { kind: 'deallocate', name }
}

/** Names of prepared statements keep their case: the API finds them as they were written. */
function statementName(cursor: StatementCursor): string {
  const token = cursor.peek()
  const word = token?.kind === 'word' || token?.text.startsWith('"')
  if (!token || !word) throw cursor.unexpected('<identifier>')
  return cursor.next().value
}

function commaSeparated(tokens: readonly Token[]): Token[][] {
  const items: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.kind === 'symbol' && (token.text === '(' || token.text === '[')) depth++
    if (token.kind === 'symbol' && (token.text === ')' || token.text === ']')) depth--
    if (depth === 0 && token.kind === 'symbol' && token.text === ',') items.push([])
    else items[items.length - 1]?.push(token)
  }
  return items
}
