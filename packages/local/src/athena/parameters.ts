import { AthenaFailure } from './query-engine'
import { StatementSyntaxError, type Token, tokenize } from './statement-token'

/**
 * Puts the values of ExecutionParameters in place of the `?` of a statement, outside quotes and comments. A value is SQL text
 * (`'abc'`, `3`, `DATE '2026-11-24'`); anything more than one literal is put in parentheses, so that it stays one expression.
 *
 * @throws {@link AthenaFailure} when the numbers do not agree or a value is not one complete expression.
 */
export function bindParameters(sql: string, parameters: readonly string[]): string {
  const places = placeholders(sql)
  if (places.length !== parameters.length) {
    throw new AthenaFailure(
      `SYNTAX_ERROR: Incorrect number of parameters: expected ${places.length} but found ${parameters.length}`,
      { type: 1006 },
    )
  }
  let bound = ''
  let from = 0
  for (const [i, place] of places.entries()) {
    bound += sql.slice(from, place.start) + parameterText(parameters[i] as string, i)
    from = place.end
  }
  return bound + sql.slice(from)
}

function placeholders(sql: string): readonly Token[] {
  try {
    return tokenize(sql, 'trino').filter((token) => token.kind === 'symbol' && token.text === '?')
  } catch (error) {
    // The parser reports it with its place.
    if (error instanceof StatementSyntaxError) return []
    throw error
  }
}

function parameterText(value: string, index: number): string {
  const invalid = (reason: string) =>
    new AthenaFailure(`SYNTAX_ERROR: execution parameter ${index + 1} is not one expression: ${reason}`, { type: 1006 })
  let tokens: readonly Token[]
  try {
    tokens = tokenize(value, 'trino')
  } catch (error) {
    if (error instanceof StatementSyntaxError) throw invalid(error.message)
    throw error
  }
  if (tokens.length === 0) throw invalid('it is empty')
  let depth = 0
  for (const { kind, text } of tokens) {
    if (kind !== 'symbol') continue
    if (text === '(' || text === '[') depth++
    if (text === ')' || text === ']') depth--
    if (depth < 0 || text === ';' || text === '?' || (text === ',' && depth === 0)) throw invalid(`"${text}" stands in it`)
  }
  if (depth !== 0) throw invalid('a bracket is not closed')
  // A new line ends a comment inside the value.
  return isLiteral(tokens) ? value.slice(tokens[0]?.start, tokens[tokens.length - 1]?.end) : `(${value}\n)`
}

function isLiteral(tokens: readonly Token[]): boolean {
  const [first, second] = tokens
  if (tokens.length === 1) return true
  if (tokens.length === 2)
    return (first?.text === '-' && second?.kind === 'number') || (first?.kind === 'word' && second?.kind === 'string')
  return false
}
