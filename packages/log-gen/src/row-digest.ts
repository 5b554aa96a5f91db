import { createHash } from 'node:crypto'
import type { Column, ColumnMap, Table } from '@pipe/core'
import { jsonText } from '@pipe/core/internal'

/**
 * The text of a row by which rows are compared: JSON of its columns in the order of the table. Further properties (partition columns of a
 * query) do not count; a float counts as the 32-bit number it is.
 *
 * @throws {@link PipeError} `PIPE_FORMAT_VALUE` when a value is missing or not of its column's type.
 */
export function rowText(table: Table<ColumnMap>, row: Readonly<Record<string, unknown>>): string {
  let text = ''
  for (const { name, textOf } of cellTexts(table)) text += `${text === '' ? '[' : ','}${textOf(row[name])}`
  return `${text}]`
}

interface CellTexts {
  readonly name: string
  textOf(value: unknown): string
}

// Rows are compared by the hundred thousand: the way of each column is chosen once a table.
const known = new WeakMap<ColumnMap, readonly CellTexts[]>()

function cellTexts({ columns }: Table<ColumnMap>): readonly CellTexts[] {
  let texts = known.get(columns)
  if (!texts) {
    texts = Object.entries(columns).map(([name, column]) => ({ name, textOf: cellText(column) }))
    known.set(columns, texts)
  }
  return texts
}

function cellText(column: Column): (value: unknown) => string {
  const { type } = column
  const exact = (value: unknown) => jsonText(column, value)
  switch (type.kind) {
    case 'string':
      return (value) => (typeof value === 'string' ? JSON.stringify(value) : exact(value))
    case 'double':
      // JSON has no sign for -0 and no text for NaN: jsonText knows both.
      return (value) => (typeof value === 'number' && value !== 0 && Number.isFinite(value) ? String(value) : exact(value))
    case 'float':
      return (value) => exact(typeof value === 'number' ? Math.fround(value) : value)
    case 'timestamp':
      if (type.zone || type.precision !== 3) return exact
      return (value) => {
        if (!(value instanceof Date) || Number.isNaN(value.getTime())) return exact(value)
        const iso = value.toISOString()
        return `"${iso.slice(0, -14)} ${iso.slice(-13, -1)}"`
      }
    default:
      return exact
  }
}

/** SHA-256 of the text of one row ({@link rowText}), hexadecimal. */
export function digestOf(table: Table<ColumnMap>, row: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(rowText(table, row)).digest('hex')
}

/** A digest of a multiset of rows: the order does not matter, a lost row and a doubled row both change it. */
export interface RowDigest {
  add(row: Readonly<Record<string, unknown>>): void
  readonly rows: number
  /** `<rows>:<64 hexadecimal digits>`. */
  value(): string
}

/**
 * A digest that rows are added to, as they come back from a query. It is the sum modulo 2^256 of the SHA-256 of the rows, so that it can
 * be computed in any order and in parts.
 *
 * @example
 * ```ts
 * const digest = createDigest(deviceLogs)
 * for await (const row of query) digest.add(row)
 * digest.value() === groundTruth(log, { from, to }).digest // nothing lost, nothing doubled, nothing changed
 * ```
 */
export function createDigest(table: Table<ColumnMap>): RowDigest {
  // Words of 32 bits, summed as doubles: 2^20 additions fit before a carry must be made.
  const sums = new Float64Array(8)
  let pending = 0
  let rows = 0
  const carry = () => {
    let rest = 0
    for (let i = 7; i >= 0; i--) {
      const sum = (sums[i] as number) + rest
      rest = Math.floor(sum / 4_294_967_296)
      sums[i] = sum - rest * 4_294_967_296
    }
    pending = 0
  }
  return {
    add: (row) => {
      const hash = createHash('sha256').update(rowText(table, row)).digest()
      for (let i = 0; i < 8; i++) sums[i] = (sums[i] as number) + hash.readUInt32BE(i * 4)
      rows++
      if (++pending === 1_048_576) carry()
    },
    get rows() {
      return rows
    },
    value: () => {
      carry()
      return `${rows}:${Array.from(sums, (word) => word.toString(16).padStart(8, '0')).join('')}`
    },
  }
}
