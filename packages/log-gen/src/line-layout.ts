import type { Column, ColumnMap } from '@pipe/core'
import { toText } from '@pipe/core'
import { malformedCells } from './malformed-cell'
import type { RowFormat } from './row-format'

/** Lines of cells as some service writes them: see {@link albLog}, {@link cloudFrontLog} and {@link vpcFlowLog}. */
export interface LineLayout {
  /** Stands in the configuration hash. */
  readonly name: string
  /** Lines at the start of each file, with their ends. They count as no rows. */
  readonly header: string
  readonly delimiter: string
  /** Columns of the table that stand in a line, in this order. */
  readonly columns: readonly string[]
  /** Of them those in quotes. */
  readonly quoted: readonly string[]
}

/** The row format of a layout. No value is `-`. */
export function layoutFormat(layout: LineLayout, columns: ColumnMap): RowFormat {
  const { delimiter } = layout
  const quoted = new Set(layout.quoted)
  return {
    fileStart: layout.header,
    before: (_name, index) => (index === 0 ? '' : delimiter),
    lineEnd: '\n',
    text: (name, value) => {
      const text = value === null ? '-' : toText((columns[name] as Column).type, value)
      return quoted.has(name) ? `"${text.replaceAll('"', '\\"')}"` : text
    },
    quote: '',
    separators: ['T', 'Z'],
    malformed: (kind, cells, targets, pick) => malformedCells(kind, cells, { targets, delimiter, nothing: '-' }, pick),
  }
}
