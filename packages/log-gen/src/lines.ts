import type { ColumnMap, Duration, Table } from '@pipe/core'
import type { ByteWriter } from './byte-writer'
import type { Span } from './episode'
import type { FileFaultKind } from './file-fault'
import type { FlatColumn } from './flat-column'
import type { Line } from './line'
import type { LineBlock } from './line-block'
import type { LineLayout } from './line-layout'
import type { LogCompression, LogFormat } from './log-format'
import type { FileId } from './shard'

export type { Line, LineFault } from './line'

/** A number of a row as an exact decimal: `unscaled` · 10^-scale. `undefined` for null. */
export type ExactNumber = number | bigint | undefined

/** Something that happened to a device in a span of time. */
export interface Episode {
  readonly kind: 'drop-out' | 'hot' | 'reboot' | 'clock-skew' | 'spike' | 'shift' | 'stuck'
  readonly device: string
  /** The measure it concerns; absent when it concerns the whole device. */
  readonly column?: string
  readonly from: Date
  /** Exclusive; that of a reboot is its start. */
  readonly to: Date
}

/** How lines become bytes. */
export interface LineWriter {
  /** Stands once at the start of each file. */
  readonly fileStart: string
  /** Appends the lines of a block with their line ends, and sets where each of them ends. */
  write(writer: ByteWriter, block: LineBlock): void
}

/** A column of a Parquet file. */
export type ParquetColumn =
  | (Omit<FlatColumn, 'values'> & {
      readonly kind: 'flat'
      readonly name: string
      /** Its numbers for the lines of a block. */
      fill(block: LineBlock, into: Float64Array): void
    })
  | {
      readonly kind: 'values'
      readonly name: string
      /** The value of a line as hyparquet-writer takes it. */
      read(line: Line): unknown
    }

/** What every source of lines can do: a pure function of a file. */
export interface LineSource {
  readonly devices: readonly string[]
  readonly fileMs: number
  readonly format: LogFormat | LineLayout
  readonly compression: LogCompression
  /** Of gzip. */
  readonly level: number
  /** Of the key: `ndjson.gz`. */
  readonly extension: string
  /** Calls `visit` for each line of the file, in its order, and `lost` for each record that would stand here but was lost on the way. */
  visit(file: FileId, visit: (line: Line) => void, lost?: (line: Line) => void): void
  /** The lines of the file, block by block. */
  visitBlocks(file: FileId, take: (block: LineBlock) => void): void
  /** Writer of a text format. */
  writer(format: LogFormat | LineLayout): LineWriter
  /** Columns for Parquet, in the order of the table. */
  columns(): readonly ParquetColumn[]
  /** Row of a line that is not malformed. */
  rowOf(line: Line): Record<string, unknown>
  /** Columns whose sums the ground truth keeps, and the scale of their exact numbers. */
  readonly measures: readonly { readonly column: string; readonly scale: number }[]
  /** Exact number of a measure in a line. */
  exactOf(measure: number, line: Line): ExactNumber
  /** Rows in front of the cut of a gzip file with so many rows; `undefined` when the file is whole. */
  rowsBeforeCut(file: FileId, rows: number): number | undefined
  /** What is wrong with the whole file. */
  fileFault(file: FileId): FileFaultKind | undefined
  /** What happens to a device within the span. */
  episodes(device: number, span: Span): Episode[]
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
