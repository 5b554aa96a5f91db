import type { Table } from '@pipe/core'

/** How much of the machine DuckDB may use. */
export interface DuckDbLimits {
  readonly threads: number
  readonly memoryLimitMb: number
}

/** Lines that are known to be readable, in the order in which their rows are to stand. */
export interface CleanLines {
  /** Path of the NDJSON file. */
  readonly path: string
  readonly longestLine: number
}

/** Makes one Parquet file of clean lines. */
export interface ParquetWriter {
  /** Text of a row that this writer reads back without loss, with its line end. */
  lineOf(row: Readonly<Record<string, unknown>>): string
  /** Writes the file at `output`. Returns how many rows were left out as duplicates. */
  write(lines: CleanLines, output: string): Promise<{ readonly duplicateRows: number }>
  /** Idempotent. */
  close(): Promise<void>
}

/** What writes Parquet in this process: DuckDB, or hyparquet-writer (JavaScript, slower, needs no binary). */
export type WriterName = 'duckdb' | 'hyparquet'

/** How a file is written. */
export interface WriterOptions {
  readonly table: Table
  /** Columns by which rows are de-duplicated; empty: none are. */
  readonly dedupeBy: readonly string[]
  readonly limits: DuckDbLimits
  /** For what does not fit into memory. */
  readonly tempDir: string
  readonly signal: AbortSignal | undefined
}
