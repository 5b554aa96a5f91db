import type { Column } from '@pipe/core'
import { parquetWriter } from '@pipe/core/internal'
import { type Cell, fillCell, nullDraw } from './cell'
import { textList } from './flat-column'
import type { Line, ParquetColumn } from './lines'
import type { Filling } from './row-part'
import { powerOfTen } from './scaled-number'

/** A column of a log for Parquet; what is known beforehand is prepared once. */
export function parquetColumn(
  name: string,
  column: Column,
  filling: Filling,
  { devices, valueAt }: { readonly devices: readonly string[]; valueAt(filling: Filling, line: Line): unknown },
): ParquetColumn {
  if (filling.kind === 'device') {
    const fill: Fill = ({ count, device }, into) => {
      for (let i = 0; i < count; i++) into[i] = device[i] as number
    }
    return { ...flat, name, texts: textList(devices), fill }
  }
  if (filling.kind === 'event-time')
    return { ...flat, name, fill: ({ count, eventTime }, into) => into.set(eventTime.subarray(0, count)) }
  return cellColumn(name, column, filling.cell) ?? valueColumn(name, column, filling, valueAt)
}

type Fill = Extract<ParquetColumn, { kind: 'flat' }>['fill']

const flat = { kind: 'flat', power: 1, numberBytes: 8, texts: undefined } as const

/** A cell whose numbers say all: those of texts known beforehand, and of numbers that a double holds. */
function cellColumn(name: string, { type }: Column, cell: Cell): ParquetColumn | undefined {
  const { form } = cell
  const { kind } = type
  const fill: Fill = (block, into) => fillCell(cell, block, into)
  switch (form.kind) {
    case 'scaled':
      if (kind !== 'integer' && kind !== 'bigint' && kind !== 'double') return undefined
      return { ...flat, name, fill, power: powerOfTen(form.scale), numberBytes: kind === 'integer' ? 4 : 8 }
    case 'values':
      return kind === 'string' ? { ...flat, name, fill, texts: textList(form.values as readonly string[]) } : undefined
    case 'device-value':
      if (kind !== 'string') return undefined
      return {
        ...flat,
        name,
        texts: textList(form.values as readonly string[]),
        fill: ({ count, device }, into) => {
          for (let i = 0; i < count; i++) into[i] = device[i] as number
        },
      }
    case 'instant':
      return kind === 'timestamp' && !type.zone ? { ...flat, name, fill } : undefined
    case 'text':
      return undefined
  }
}

function valueColumn(
  name: string,
  column: Column,
  filling: Filling & { readonly kind: 'cell' },
  valueAt: (filling: Filling, line: Line) => unknown,
): ParquetColumn {
  const convert = parquetWriter(column)
  const { form } = filling.cell
  if (form.kind === 'device-value') {
    const values = form.values.map(convert)
    return { kind: 'values', name, read: ({ device }) => values[device] }
  }
  if (form.kind === 'values') {
    const values = form.values.map(convert)
    return {
      kind: 'values',
      name,
      read: (line) => {
        const drawn = filling.cell.draw(line)
        return drawn === nullDraw ? null : values[drawn]
      },
    }
  }
  return { kind: 'values', name, read: (line) => convert(valueAt(filling, line)) }
}
