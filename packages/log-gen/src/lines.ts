import type { ColumnMap, Duration, Table } from '@pipe/core'
import type { ByteWriter } from './byte-writer'
import type { MalformedKind } from './fault'

/** One line of a file. The object is used again for the next line: take what you need. */
export interface Line {
  /** Position in the list of devices. */
  device: number
  /** Number of the record of its device. */
  tick: number
  /** When it happened, milliseconds. */
  eventTime: number
  /** When it was sent, milliseconds: decides the file. */
  emitTime: number
  /** 1: the second copy of a duplicated record. */
  copy: 0 | 1
  malformed: MalformedKind | undefined
}

/** Text forms a log can be written in. One so far; the records do not depend on it. */
export type LogFormat = 'ndjson'

/** A number of a row as an exact decimal: `unscaled` · 10^-scale. `undefined` for null. */
export type ExactNumber = number | bigint | undefined

/** What every source of lines can do: a pure function of a file's start. */
export interface LineSource {
  readonly devices: readonly string[]
  readonly fileMs: number
  /** Calls `visit` for each line of the file that starts at the instant, in the order of the file. */
  visit(fileStart: number, visit: (line: Line) => void): void
  /** Appends the line with its line end. */
  write(format: LogFormat, writer: ByteWriter, line: Line): void
  /** Row of a line that is not malformed. */
  rowOf(line: Line): Record<string, unknown>
  /** Columns whose sums the ground truth keeps, and the scale of their exact numbers. */
  readonly measures: readonly { readonly column: string; readonly scale: number }[]
  /** Exact number of a measure in a line. */
  exactOf(measure: number, line: Line): ExactNumber
  /** Rows in front of the cut of a gzip file with so many rows; `undefined` when the file is whole. */
  rowsBeforeCut(fileStart: number, rows: number): number | undefined
}

/** Something that fills files with records: {@link defineLog} or {@link replayCsv}. */
export interface LogSource<Columns extends ColumnMap = ColumnMap> {
  readonly table: Table<Columns>
  /** Length of time of one file. */
  readonly file: Duration
  /** Eight hexadecimal digits over everything that decides the bytes; part of each key. */
  readonly configHash: string
  /** Internal. */
  readonly '~lines': LineSource
}
