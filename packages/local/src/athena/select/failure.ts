import { AthenaFailure } from '../query-engine'

/** Where something stands in the statement: index of its first character. */
export type Position = number

/** `line 1:8` as Trino writes it: both one-based. */
export function lineAndColumn(sql: string, at: Position): string {
  const before = sql.slice(0, at)
  const line = before.split('\n').length
  return `line ${line}:${at - (before.lastIndexOf('\n') + 1) + 1}`
}

/**
 * A failure found while the statement is read, before anything runs. Thrown without the text of the statement; {@link locate} turns
 * it into the message that Athena shows.
 */
export class AnalysisError extends Error {
  readonly code: string
  readonly at: Position | undefined

  constructor(code: string, message: string, at?: Position) {
    super(message)
    this.name = 'AnalysisError'
    this.code = code
    this.at = at
  }
}

/** `COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved …` */
export function locate(sql: string, error: AnalysisError): AthenaFailure {
  const where = error.at === undefined ? '' : `${lineAndColumn(sql, error.at)}: `
  return new AthenaFailure(`${error.code}: ${where}${error.message}`, { category: 2, type: 1006, cause: error })
}

/** A name that is not there, a wrong type, a misplaced construct: what Athena refuses as well. */
export function typeMismatch(message: string, at?: Position): AnalysisError {
  return new AnalysisError('TYPE_MISMATCH', message, at)
}
