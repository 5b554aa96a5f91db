import { AnalysisError, type Position } from '../failure'
import type { Token } from './token'
import type { Identifier } from './tree'

// Trino's reserved words (docs: "Reserved keywords"): a name spelled like one needs double quotes.
const reserved = new Set(
  (
    'ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE CURRENT_PATH CURRENT_ROLE CURRENT_SCHEMA ' +
    'CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE DISTINCT DROP ELSE END ESCAPE EXCEPT EXECUTE EXISTS EXTRACT ' +
    'FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT INTERSECT INTO IS JOIN JSON_ARRAY JSON_EXISTS JSON_OBJECT JSON_QUERY ' +
    'JSON_TABLE JSON_VALUE LEFT LIKE LISTAGG LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL ON OR ORDER OUTER PREPARE RECURSIVE ' +
    'RIGHT ROLLUP SELECT SKIP TABLE THEN TRIM TRUE UESCAPE UNION UNNEST USING VALUES WHEN WHERE WITH'
  ).split(' '),
)

/** Walks over the tokens of one statement. */
export interface Cursor {
  peek(ahead?: number): Token
  next(): Token
  /** Position to return to by {@link Cursor.reset}. */
  mark(): number
  reset(mark: number): void
  /** Whether the coming tokens are these keywords or operators. */
  is(...keys: readonly string[]): boolean
  /** Consumes them when they come. */
  accept(...keys: readonly string[]): boolean
  /** @throws {@link AnalysisError} SYNTAX_ERROR when they do not come. */
  expect(...keys: readonly string[]): Token
  /** Whether a name comes (a quoted one, or a word that is not reserved). */
  isName(): boolean
  name(): Identifier
  /** Error at the coming token. */
  unexpected(expecting?: string): AnalysisError
}

export function createCursor(tokens: readonly Token[]): Cursor {
  let index = 0
  const last = tokens[tokens.length - 1] as Token
  const peek = (ahead = 0): Token => tokens[index + ahead] ?? last
  const is = (...keys: readonly string[]): boolean => keys.every((key, ahead) => peek(ahead).key === key)
  const unexpected = (expecting?: string): AnalysisError => {
    const token = peek()
    const hint = expecting === undefined ? '' : `. Expecting: ${expecting}`
    return new AnalysisError('SYNTAX_ERROR', `mismatched input '${token.text}'${hint}`, token.at)
  }
  const next = (): Token => {
    const token = peek()
    if (index < tokens.length - 1) index++
    return token
  }
  const accept = (...keys: readonly string[]): boolean => {
    if (!is(...keys)) return false
    index += keys.length
    return true
  }
  const isName = (): boolean => {
    const token = peek()
    return token.kind === 'quoted' || (token.kind === 'word' && !reserved.has(token.key))
  }
  return {
    peek,
    next,
    is,
    accept,
    isName,
    unexpected,
    mark: () => index,
    reset(mark) {
      index = mark
    },
    expect(...keys) {
      const first = peek()
      for (const key of keys) {
        if (peek().key !== key) throw unexpected(`'${key}'`)
        index++
      }
      return first
    },
    name() {
      if (!isName()) throw unexpected('<identifier>')
      const token = next()
      return { text: token.text, at: token.at }
    },
  }
}

/** Parses a list separated by commas, at least one item. */
export function commaList<T>(cursor: Cursor, item: () => T): T[] {
  const items = [item()]
  while (cursor.accept(',')) items.push(item())
  return items
}

/** A refusal decided by the grammar: Athena knows the construct, the local Athena does not. */
export class UnsupportedSyntax extends Error {
  readonly construct: string
  readonly at: Position

  constructor(construct: string, at: Position) {
    super(construct)
    this.name = 'UnsupportedSyntax'
    this.construct = construct
    this.at = at
  }
}
