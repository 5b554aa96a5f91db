import type { SchemaElement } from 'hyparquet'
import { formatDecimal } from '../decimal-text'
import type { Table } from '../table'
import { formatInstant } from '../timestamp-text'
import { show } from '../value'
import { type Cell, csvScanner, type RecordScanner, tsvScanner } from './cells'
import type { Line } from './lines'
import { type OpenParquet, topElements } from './parquet-file'
import { parquetReader } from './parquet-value'
import type { RowBatch } from './row-batch'
import type { FileFormat } from './sniff'
import { readTextRows, type TextOptions, unreadableLine } from './text-lines'

/** A row without a contract. */
export type UntypedRow = Record<string, unknown>

/** Reads rows of text without a contract, for looking at a file: JSON as it stands; CSV and TSV as text, named by their first row. */
export function readUntyped(
  source: AsyncIterable<Uint8Array>,
  options: Omit<TextOptions, 'ignoreName'> & { readonly format: FileFormat },
): AsyncIterable<RowBatch<UntypedRow>> {
  const { file, format } = options
  const frame = { ...options, ignoreName: true }
  if (format === 'csv' || format === 'tsv') return readNamedCells(source, frame, format === 'csv' ? csvScanner : tsvScanner)
  return readTextRows<UntypedRow>(source, frame, {
    take(lines, batch) {
      for (const line of lines) {
        const row = line.fault === undefined ? jsonObject(line.text) : `the line ${line.fault}`
        if (typeof row === 'string') batch.unreadable.push(unreadableLine(file, line, row))
        else batch.rows.push(row)
      }
    },
  })
}

function jsonObject(text: string): UntypedRow | string {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return text.trim() === '' ? 'the line is blank' : `the line is not JSON: ${show(text)}`
  }
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as UntypedRow)
    : `the line is ${show(json)}, not a JSON object`
}

function readNamedCells(
  source: AsyncIterable<Uint8Array>,
  options: TextOptions,
  newScanner: () => RecordScanner,
): AsyncIterable<RowBatch<UntypedRow>> {
  const { file } = options
  let names: readonly string[] | undefined
  let open: { readonly scanner: RecordScanner; readonly first: Line; last: Line } | undefined
  return readTextRows<UntypedRow>(source, options, {
    take(lines, batch) {
      for (const line of lines) takeLine(line, batch)
    },
    end(batch, cut) {
      if (cut) batch.unreadable.push(unreadableLine(file, open?.first ?? cut.line, cut.reason))
      else if (open) batch.unreadable.push(unreadableLine(file, open.first, 'a quote is opened and not closed'))
    },
  })

  function takeLine(line: Line, batch: RowBatch<UntypedRow>): void {
    const scanner = open?.scanner ?? newScanner()
    const scanned = scanner.add(open ? open.last.end + line.text : line.text)
    if (scanned.state === 'open') {
      open ??= { scanner, first: line, last: line }
      open.last = line
      return
    }
    const first = open?.first ?? line
    open = undefined
    if (line.fault !== undefined) batch.unreadable.push(unreadableLine(file, first, `the line ${line.fault}`))
    else if (scanned.state === 'wrong') batch.unreadable.push(unreadableLine(file, first, scanned.reason))
    else if (!names) names = scanned.cells.map(({ text }, i) => text || `column_${i + 1}`)
    else if (scanned.cells.length !== names.length) {
      batch.unreadable.push(unreadableLine(file, first, `the row has ${scanned.cells.length} cells, not ${names.length}`))
    } else batch.rows.push(named(names, scanned.cells))
  }
}

function named(names: readonly string[], cells: readonly Cell[]): UntypedRow {
  return Object.fromEntries(cells.map(({ text, isQuoted }, i) => [names[i]!, text === '' && !isQuoted ? null : text]))
}

/** Rows of a Parquet file without a contract (or, where a table has the column, typed by it). */
export function untypedParquet(
  opened: OpenParquet,
  table: Table | undefined,
): { readonly names: readonly string[]; read(names: readonly string[], start: number, end: number): Promise<UntypedRow[]> } {
  const top = topElements(opened.metadata.schema)
  return {
    names: [...top.keys()],
    async read(names, start, end) {
      const columns = await opened.readColumns(names, start, end)
      const readers = names.map((name) => {
        const column = table && Object.hasOwn(table.columns, name) ? table.columns[name]! : undefined
        const typed = column && parquetReader(column)
        return (value: unknown) => (typed ? typed(value) : plainValue(value, top.get(name)!))
      })
      return Array.from({ length: end - start }, (_, i) =>
        Object.fromEntries(names.map((name, k) => [name, readers[k]!(columns[name]![i])])),
      )
    },
  }
}

/** A value for people: instants as Date (or text when finer), decimals as text, maps as objects. */
function plainValue(value: unknown, element: SchemaElement): unknown {
  if (value === null || value === undefined) return null
  const { converted_type, logical_type, scale = 0, type } = element
  if (converted_type === 'DECIMAL' || logical_type?.type === 'DECIMAL') return decimalText(value, scale)
  const isInstant = logical_type?.type === 'TIMESTAMP' || converted_type?.startsWith('TIMESTAMP') || type === 'INT96'
  if (isInstant && typeof value === 'number') return new Date(value)
  if (isInstant && typeof value === 'bigint') return formatInstant(Number(value / 1_000_000n), Number(value % 1_000_000n), 9)
  return simplified(value)
}

function decimalText(value: unknown, scale: number): string {
  if (!(value instanceof Uint8Array)) return formatDecimal(BigInt(value as bigint | number), scale)
  let unscaled = 0n
  for (const byte of value) unscaled = (unscaled << 8n) | BigInt(byte)
  return formatDecimal(BigInt.asIntN(8 * value.length, unscaled), scale)
}

function simplified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(simplified)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const { key_value: pairs, ...others } = value as { key_value?: unknown }
  if (Array.isArray(pairs) && Object.keys(others).length === 0) {
    return Object.fromEntries(pairs.map(({ key, value: item }) => [String(key), simplified(item)]))
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, simplified(item)]))
}
