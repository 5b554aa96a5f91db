import { AthenaFailure } from './query-engine'
import { reservedInDdl } from './reserved-words'
import type { QualifiedName } from './statement'
import { type Dialect, positionOf, type Token } from './statement-token'

/** Walks over the tokens of one statement. Key words are compared without case. */
export interface StatementCursor {
  readonly sql: string
  peek(offset?: number): Token | undefined
  next(): Token
  atEnd(): boolean
  /** Whether these key words or symbols come next. */
  at(...words: readonly string[]): boolean
  /** Takes them when they come next. */
  accept(...words: readonly string[]): boolean
  /** Takes them. @throws {@link AthenaFailure} with line and column when something else stands there. */
  expect(...words: readonly string[]): void
  string(what: string): string
  /** A name by the rules of the dialect, lower case. */
  name(what: string): string
  qualifiedName(what: string): QualifiedName
  end(): void
  /** The error for what stands here. */
  unexpected(expected: string): AthenaFailure
}

/** @see {@link StatementCursor} */
export function statementCursor(sql: string, tokens: readonly Token[], dialect: Dialect): StatementCursor {
  let index = 0
  const peek = (offset = 0) => tokens[index + offset]
  const is = (token: Token | undefined, word: string) =>
    token !== undefined && (token.kind === 'word' || token.kind === 'symbol') && token.text.toUpperCase() === word
  const at = (...words: readonly string[]) => words.every((word, i) => is(peek(i), word))
  const accept = (...words: readonly string[]) => {
    if (!at(...words)) return false
    index += words.length
    return true
  }

  const unexpected = (expected: string): AthenaFailure => {
    const token = peek()
    const near = tokens[index - 1]?.text ?? ''
    return dialect === 'hive'
      ? hiveSyntaxError(
          sql,
          token?.start ?? sql.length,
          token ? `mismatched input '${token.text}' expecting ${expected}` : `missing ${expected} at '<EOF>'`,
          near,
        )
      : trinoSyntaxError(
          sql,
          token?.start ?? sql.length,
          token ? `mismatched input '${token.text}'. Expecting: ${expected}` : `mismatched input '<EOF>'. Expecting: ${expected}`,
        )
  }
  const next = () => {
    const token = peek()
    if (!token) throw unexpected('more of the statement')
    index++
    return token
  }

  const checkHyphen = (token: Token) => {
    const hyphen = peek()
    // Written without a blank: `my-db` was meant as one name.
    if (hyphen?.text !== '-' || hyphen.start !== token.end) return
    throw dialect === 'hive'
      ? hiveSyntaxError(sql, hyphen.start, "missing EOF at '-'", token.text)
      : trinoSyntaxError(sql, hyphen.start, "mismatched input '-'. Expecting: '.', 'AS', 'WITH'")
  }
  const name = (what: string): string => {
    const token = peek()
    if (!token) throw unexpected(what)
    if (token.kind === 'quoted') {
      if (dialect === 'hive' || token.text[0] === '"') {
        index++
        if (token.value === '') throw unexpected(what)
        return token.value.toLowerCase()
      }
      throw trinoSyntaxError(sql, token.start, 'backquoted identifiers are not supported; use double quotes to quote identifiers')
    }
    const plain = dialect === 'hive' ? /^[a-z0-9][a-z0-9_]*$/i : /^[a-z_][a-z0-9_]*$/i
    const number = dialect === 'hive' && token.kind === 'number'
    if ((token.kind !== 'word' && !number) || !plain.test(token.text)) throw unexpected(what)
    if (dialect === 'hive' && reservedInDdl.has(token.text.toUpperCase())) {
      throw hiveSyntaxError(
        sql,
        token.start,
        `mismatched input '${token.text}' expecting ${what} (a reserved word needs backticks)`,
        tokens[index - 1]?.text ?? '',
      )
    }
    index++
    checkHyphen(token)
    return token.text.toLowerCase()
  }

  return {
    sql,
    peek,
    next,
    atEnd: () => index >= tokens.length,
    at,
    accept,
    expect(...words) {
      for (const word of words) if (!accept(word)) throw unexpected(word)
    },
    string(what) {
      if (peek()?.kind !== 'string') throw unexpected(what)
      return next().value
    },
    name,
    qualifiedName(what) {
      const parts = [name(what)]
      while (parts.length < 3 && accept('.')) parts.push(name(what))
      if (parts.length === 3 && parts[0] !== 'awsdatacatalog') {
        throw new AthenaFailure(`CATALOG_NOT_FOUND: Catalog '${parts[0]}' does not exist`, { type: 1300 })
      }
      return { database: parts.length === 1 ? undefined : parts[parts.length - 2], name: parts[parts.length - 1] as string }
    },
    end() {
      if (index < tokens.length) throw unexpected('EOF')
    },
    unexpected,
  }
}

/** Hive's kind of syntax error: columns count from 0. */
export function hiveSyntaxError(sql: string, at: number, problem: string, near: string): AthenaFailure {
  const { line, column } = positionOf(sql, at)
  const place = near === '' ? '' : ` near '${near}'`
  return new AthenaFailure(`FAILED: ParseException line ${line}:${column} ${problem}${place}`, { type: 1006 })
}

/** Trino's kind of syntax error: columns count from 1. */
export function trinoSyntaxError(sql: string, at: number, problem: string): AthenaFailure {
  const { line, column } = positionOf(sql, at)
  return new AthenaFailure(`SYNTAX_ERROR: line ${line}:${column + 1}: ${problem}`, { type: 1006 })
}
