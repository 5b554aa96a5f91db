/** How quotes are read: Hive (DDL) escapes with a backslash and has two kinds of string; Trino doubles the quote. */
export type Dialect = 'hive' | 'trino'

/** One token of a statement. */
export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'quoted' | 'symbol'
  /** As written. */
  readonly text: string
  /** What it stands for: a string or a quoted name without quotes and escapes; else the text. */
  readonly value: string
  readonly start: number
  readonly end: number
}

/** A statement that cannot be cut into tokens, or stands at the wrong place. */
export class StatementSyntaxError extends Error {
  /** Offset in the statement. */
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.name = 'StatementSyntaxError'
    this.at = at
  }
}

/** Line (from 1) and column (from 0) of an offset. */
export function positionOf(sql: string, at: number): { readonly line: number; readonly column: number } {
  const before = sql.slice(0, at)
  const line = before.split('\n').length
  return { line, column: at - (before.lastIndexOf('\n') + 1) }
}

/** Offset of the first character that is neither white space nor part of a comment. */
export function skipBlanks(sql: string, from: number): number {
  let at = from
  for (;;) {
    if (/\s/.test(sql[at] ?? '')) at++
    else if (sql.startsWith('--', at)) {
      const end = sql.indexOf('\n', at)
      at = end === -1 ? sql.length : end + 1
    } else if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2)
      if (end === -1) throw new StatementSyntaxError('unterminated comment', at)
      at = end + 2
    } else return at
  }
}

const wordPattern = /[\p{L}\p{N}_$@]+/uy
const numberPattern = /\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?/y

/**
 * Cuts a statement into tokens; comments and white space are left out.
 *
 * @throws {@link StatementSyntaxError} for a quote or comment without an end.
 */
export function tokenize(sql: string, dialect: Dialect): readonly Token[] {
  const tokens: Token[] = []
  for (let at = skipBlanks(sql, 0); at < sql.length; at = skipBlanks(sql, at)) {
    const token = nextToken(sql, at, dialect)
    tokens.push(token)
    at = token.end
  }
  return tokens
}

function nextToken(sql: string, at: number, dialect: Dialect): Token {
  const char = sql[at] as string
  if (char === "'" || (char === '"' && dialect === 'hive')) {
    return dialect === 'hive' ? hiveString(sql, at, char) : doubled(sql, at, char, 'string')
  }
  if (char === '"' || char === '`') return doubled(sql, at, char, 'quoted')
  numberPattern.lastIndex = at
  wordPattern.lastIndex = at
  const word = wordPattern.exec(sql)?.[0]
  const number = numberPattern.exec(sql)?.[0]
  // `1a` is one word (a Hive name may start with a digit), `1.5` and `1e5` are numbers.
  const isNumber = number !== undefined && (word === undefined || number.length >= word.length)
  const text = isNumber ? number : (word ?? char)
  const kind = isNumber ? 'number' : word !== undefined ? 'word' : 'symbol'
  return { kind, text, value: text, start: at, end: at + text.length }
}

function doubled(sql: string, at: number, quote: string, kind: 'string' | 'quoted'): Token {
  for (let end = sql.indexOf(quote, at + 1); end !== -1; end = sql.indexOf(quote, end + 2)) {
    if (sql[end + 1] === quote) continue
    const text = sql.slice(at, end + 1)
    return { kind, text, value: text.slice(1, -1).replaceAll(quote + quote, quote), start: at, end: end + 1 }
  }
  throw new StatementSyntaxError(`unterminated ${kind === 'string' ? 'string' : 'quoted name'}`, at)
}

const hiveEscapes: Record<string, string> = { '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' }

function hiveString(sql: string, start: number, quote: string): Token {
  let value = ''
  for (let at = start + 1; at < sql.length; at++) {
    const char = sql[at] as string
    if (char === quote) return { kind: 'string', text: sql.slice(start, at + 1), value, start, end: at + 1 }
    if (char !== '\\') {
      value += char
      continue
    }
    const octal = /^[0-3][0-7]{2}/.exec(sql.slice(at + 1, at + 4))?.[0]
    const unicode = /^u([0-9a-fA-F]{4})/.exec(sql.slice(at + 1, at + 6))?.[1]
    const next = sql[at + 1] ?? ''
    if (octal !== undefined) {
      value += String.fromCharCode(Number.parseInt(octal, 8))
      at += 3
    } else if (unicode !== undefined) {
      value += String.fromCharCode(Number.parseInt(unicode, 16))
      at += 5
    } else {
      // Hive keeps the backslash of \% and \_ for LIKE, and drops it before any other character.
      value += next === '%' || next === '_' ? `\\${next}` : (hiveEscapes[next] ?? next)
      at++
    }
  }
  throw new StatementSyntaxError('unterminated string', start)
}
