import type { StatementCursor } from './statement-cursor'
import type { Token } from './statement-token'

/** The text of all that is left, which must be a query: it is read when the statement runs. */
export function queryText(cursor: StatementCursor): string {
  return textOf(cursor, restOf(cursor))
}

/** All tokens that are left. */
export function restOf(cursor: StatementCursor): readonly Token[] {
  const rest: Token[] = []
  while (!cursor.atEnd()) rest.push(cursor.next())
  return rest
}

/** The text of some tokens as it was written. @throws {@link AthenaFailure} when there are none. */
export function textOf(cursor: StatementCursor, tokens: readonly Token[]): string {
  const [first] = tokens
  const last = tokens[tokens.length - 1]
  if (!first || !last) throw cursor.unexpected("'SELECT', 'TABLE', 'VALUES', 'WITH', '('")
  return cursor.sql.slice(first.start, last.end)
}

/** Takes what stands up to the parenthesis that closes the one already taken, without it. */
export function parenthesized(cursor: StatementCursor): readonly Token[] {
  const inner: Token[] = []
  for (let depth = 1; ; ) {
    if (cursor.at('(')) depth++
    if (cursor.at(')')) depth--
    const token = cursor.next()
    if (depth === 0) return inner
    inner.push(token)
  }
}
