import { type Column, type ColumnMap, toText } from '@pipe/core'
import { csvCell, jsonText, tsvCell } from '@pipe/core/internal'
import type { InstantSeparators } from './instant-text'
import { type CellText, malformedCells, type Pick } from './malformed-cell'
import { malformedJson } from './malformed-json'
import type { MalformedKind, Targets } from './malformed-kind'

/** How a text format frames cells. */
export interface RowFormat {
  /** Stands once at the start of each file. */
  readonly fileStart: string
  /** In front of the cell of a column. */
  before(name: string, index: number): string
  readonly lineEnd: string
  /** Text of a value, with its quotes. */
  text(name: string, value: unknown): string
  /** Stands around an instant. */
  readonly quote: string
  /** Of an instant. */
  readonly separators: InstantSeparators
  /** Spoils a line. Returns the bytes without line end. */
  malformed(kind: MalformedKind, cells: readonly CellText[], targets: Targets, pick: Pick): Buffer
}

const withBlank: InstantSeparators = [' ', '']

/** NDJSON of a table. */
export function jsonFormat(columns: ColumnMap): RowFormat {
  return {
    fileStart: '',
    before: (name, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
    lineEnd: '}\n',
    text: (name, value) => (value === null ? 'null' : jsonText(columns[name] as Column, value)),
    quote: '"',
    separators: withBlank,
    malformed: malformedJson,
  }
}

/** CSV (RFC 4180) of a table, without a header. */
export function csvFormat(columns: ColumnMap): RowFormat {
  return delimited(columns, ',', csvCell)
}

/** TSV of a table as Hive writes it, without a header. */
export function tsvFormat(columns: ColumnMap): RowFormat {
  return delimited(columns, '\t', tsvCell)
}

function delimited(columns: ColumnMap, delimiter: string, cell: (text: string | null) => string): RowFormat {
  return {
    fileStart: '',
    before: (_name, index) => (index === 0 ? '' : delimiter),
    lineEnd: '\n',
    text: (name, value) => cell(value === null ? null : toText((columns[name] as Column).type, value)),
    quote: '',
    separators: withBlank,
    malformed: (kind, cells, targets, pick) => malformedCells(kind, cells, { targets, delimiter, nothing: cell(null) }, pick),
  }
}
