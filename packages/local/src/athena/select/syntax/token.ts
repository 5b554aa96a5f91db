import { notSupportedLocally } from '../../query-engine'
import { AnalysisError, type Position } from '../failure'

/** One token of a statement. `text` of a word is as written; of a string or a quoted name, its value. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'binary' | 'integer' | 'decimal' | 'double' | 'operator' | 'end'
  readonly text: string
  /** Upper case of a word or the operator itself; empty for the rest, so that it can be compared with keywords. */
  readonly key: string
  readonly at: Position
}

const operators = [
  '<>',
  '!=',
  '<=',
  '>=',
  '||',
  '->',
  '=>',
  '(',
  ')',
  '[',
  ']',
  ',',
  '.',
  ';',
  '+',
  '-',
  '*',
  '/',
  '%',
  '<',
  '>',
  '=',
  '?',
]

/**
 * Splits a statement by Trino's lexical rules: backslashes mean nothing, `''` and `""` stand for one quote, comments are dropped.
 *
 * @throws {@link AnalysisError} SYNTAX_ERROR for a character that no Trino token starts with.
 */
export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  const fail = (message: string, where: number): AnalysisError => new AnalysisError('SYNTAX_ERROR', message, where)
  const push = (kind: Token['kind'], text: string, key: string, start: number): void => {
    tokens.push({ kind, text, key, at: start })
  }
  // The end of a quoted thing whose opening quote stands at `start`; a doubled quote stays inside.
  const quoted = (start: number, quote: string): { value: string; end: number } => {
    let value = ''
    let from = start + 1
    for (;;) {
      const close = sql.indexOf(quote, from)
      if (close < 0) throw fail(quote === "'" ? 'unterminated string literal' : 'unterminated quoted identifier', start)
      value += sql.slice(from, close)
      if (sql[close + 1] !== quote) return { value, end: close + 1 }
      value += quote
      from = close + 2
    }
  }

  while (at < sql.length) {
    const start = at
    const char = sql[at] as string
    if (/\s/.test(char)) {
      at++
    } else if (sql.startsWith('--', at)) {
      const end = sql.indexOf('\n', at)
      at = end < 0 ? sql.length : end
    } else if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2)
      if (end < 0) throw fail('unterminated comment', start)
      at = end + 2
    } else if (char === "'") {
      const { value, end } = quoted(at, "'")
      push('string', value, '', start)
      at = end
    } else if (char === '"') {
      const { value, end } = quoted(at, '"')
      if (value === '') throw fail('Zero-length delimited identifier not allowed', start)
      push('quoted', value, '', start)
      at = end
    } else if (/^[uU]&['"]/.test(sql.slice(at, at + 3))) {
      throw notSupportedLocally("a Unicode literal (U&'…')")
    } else if (/^[xX]'/.test(sql.slice(at, at + 2))) {
      const { value, end } = quoted(at + 1, "'")
      push('binary', value, '', start)
      at = end
    } else if (/[0-9]/.test(char) || (char === '.' && /[0-9]/.test(sql[at + 1] ?? ''))) {
      const match = /^(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9]+)?/.exec(
        sql.slice(at),
      )
      const text = (match as RegExpExecArray)[0]
      at += text.length
      if (/^0[xXbBoO]/.test(sql.slice(start, start + 2))) throw notSupportedLocally('a number in another base (0x…, 0b…, 0o…)')
      if (/[A-Za-z_]/.test(sql[at] ?? ''))
        throw fail('identifiers must not start with a digit; surround the identifier with double quotes', start)
      push(/[eE]/.test(text) ? 'double' : text.includes('.') ? 'decimal' : 'integer', text, '', start)
    } else if (/[A-Za-z_]/.test(char)) {
      const text = (/^[A-Za-z0-9_]+/.exec(sql.slice(at, at + 4096)) as RegExpExecArray)[0]
      at += text.length
      push('word', text, text.toUpperCase(), start)
    } else if (char === '`') {
      throw fail('backquoted identifiers are not supported; use double quotes to quote identifiers', start)
    } else {
      const operator = operators.find((candidate) => sql.startsWith(candidate, at))
      if (operator === undefined) throw fail(`mismatched input '${char}'`, start)
      at += operator.length
      push('operator', operator, operator, start)
    }
  }
  push('end', '<EOF>', '', sql.length)
  return tokens
}
