import { AthenaFailure } from './query-engine'
import type { Cell } from './result-file'

/** What a DDL or SHOW statement answers: names of columns, and rows. A row of DESCRIBE is one cell for all its columns, as on Athena. */
export interface DdlResult {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** The answer of a statement that only changes something. */
export const nothing: DdlResult = { columns: [], rows: [] }

/** One column, a row a value. */
export const listing = (column: string, values: readonly string[]): DdlResult => ({
  columns: [column],
  rows: values.map((value) => [value]),
})

/** Hive's kind of failure. */
export const failed = (message: string, cause?: unknown): AthenaFailure =>
  new AthenaFailure(`FAILED: ${message}`, { type: 1006, cause })
