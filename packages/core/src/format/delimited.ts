import { ConfigError } from '../error'
import type { RowOf, Table } from '../table'
import { noun, ownValue, show, textReader } from '../value'
import { toText } from '../value-text'
import { type Cell, csvCell, csvScanner, type RecordScanner, tsvCell, tsvScanner } from './cells'
import { defaultMaxLineBytes, type Line } from './lines'
import type { ReadOptions, RowBatch } from './row-batch'
import { readTextRows, unreadableLine } from './text-lines'

/** What readers and writers of CSV and TSV take besides. */
export interface DelimitedOptions {
  /**
   * Whether the first row names the columns; they may then stand in any order. Default `false`: columns by position, as in the tables
   * that `tableDdl` makes.
   */
  readonly header?: boolean | undefined
}

/** Lines that one record may run over. A quote that is never closed is given up behind it. */
const maxRecordLines = 1000

/**
 * Reads CSV as RFC 4180 writes it: quotes, `""`, line ends in quotes; plain or gzip. An empty cell without quotes is no value (an empty
 * text in a string column that is not nullable). Streams; see `readNdjson` for what is unreadable; here also a row with more or fewer cells
 * than columns, a repeated header, and text behind a closing quote.
 *
 * @throws {@link ConfigError} when the table has arrays, maps or structs, which CSV cannot hold.
 */
export function readCsv<T extends Table>(
  source: AsyncIterable<Uint8Array>,
  options: ReadOptions<T> & DelimitedOptions,
): AsyncIterable<RowBatch<RowOf<T>>> {
  return readDelimited(source, options, csvScanner, false)
}

/**
 * Reads TSV as Hive writes it: no quotes; `\t`, `\n`, `\r`, `\\` for the characters and `\N` for no value. Otherwise as `readCsv`.
 *
 * @throws {@link ConfigError} when the table has arrays, maps or structs.
 */
export function readTsv<T extends Table>(
  source: AsyncIterable<Uint8Array>,
  options: ReadOptions<T> & DelimitedOptions,
): AsyncIterable<RowBatch<RowOf<T>>> {
  return readDelimited(source, options, tsvScanner, true)
}

/** Writes CSV, with a header when asked for. Read back by `readCsv`. */
export function writeCsv<T extends Table>(rows: RowsOf<T>, options: WriteOptions<T>): AsyncIterable<Uint8Array> {
  return writeDelimited(rows, options, ',', csvCell)
}

/** Writes TSV, with a header when asked for. Read back by `readTsv` and by Hive's text format with escapes. */
export function writeTsv<T extends Table>(rows: RowsOf<T>, options: WriteOptions<T>): AsyncIterable<Uint8Array> {
  return writeDelimited(rows, options, '\t', tsvCell)
}

type RowsOf<T extends Table> = AsyncIterable<RowOf<T>> | Iterable<RowOf<T>>

type WriteOptions<T extends Table> = DelimitedOptions & { readonly table: T; readonly signal?: AbortSignal | undefined }

function readDelimited<T extends Table>(
  source: AsyncIterable<Uint8Array>,
  options: ReadOptions<T> & DelimitedOptions,
  newScanner: () => RecordScanner,
  isTsv: boolean,
): AsyncIterable<RowBatch<RowOf<T>>> {
  const { table, file, header = false, maxLineBytes = defaultMaxLineBytes } = options
  checkFlat(table)
  const names = Object.keys(table.columns)
  const readers = cellReaders(table, isTsv)
  // Which cell holds each column; -1 when none does. Without a header by position.
  let places = header ? undefined : names.map((_, i) => i)
  let width = header ? 0 : names.length
  let headerText: string | undefined = header ? undefined : names.join('\u0000')
  let headerFault: string | undefined

  let open: { readonly scanner: RecordScanner; readonly lines: Line[]; bytes: number } | undefined

  return readTextRows<RowOf<T>>(source, options, { take, end })

  function take(lines: readonly Line[], batch: RowBatch<RowOf<T>>): void {
    // A stack of lines: those behind a quote that is never closed are taken again.
    const rest = [lines[Symbol.iterator]()]
    while (rest.length > 0) {
      const next = rest.at(-1)!.next()
      if (next.done) rest.pop()
      else {
        const again = takeLine(next.value, batch)
        if (again.length > 0) rest.push(again[Symbol.iterator]())
      }
    }
  }

  /** Takes a line; returns lines that must be taken again. */
  function takeLine(line: Line, batch: RowBatch<RowOf<T>>): readonly Line[] {
    if (line.fault !== undefined) {
      if (open) return giveUp(batch, [line])
      batch.unreadable.push(unreadableLine(file, line, `the line ${line.fault}`))
      return []
    }
    if (!open && names.length > 1 && /^ *$/.test(line.text)) {
      batch.unreadable.push(unreadableLine(file, line, 'the line is blank'))
      return []
    }
    const scanner = open?.scanner ?? newScanner()
    const scanned = scanner.add(open ? open.lines.at(-1)!.end + line.text : line.text)
    if (scanned.state === 'open') {
      open ??= { scanner, lines: [], bytes: 0 }
      open.lines.push(line)
      open.bytes += line.text.length
      return open.lines.length > maxRecordLines || open.bytes > maxLineBytes ? giveUp(batch, []) : []
    }
    if (scanned.state === 'wrong') {
      if (open) return giveUp(batch, [line])
      batch.unreadable.push(unreadableLine(file, line, scanned.reason))
      return []
    }
    const first = open?.lines[0] ?? line
    const raw = open ? `${open.lines.map(({ text, end: ending }) => text + ending).join('')}${line.text}` : line.text
    open = undefined
    const row = takeRecord(scanned.cells)
    if (typeof row === 'string') batch.unreadable.push(unreadableLine(file, { ...first, text: raw }, row))
    else if (row !== undefined) batch.rows.push(row)
    return []
  }

  /** Reports the first line of a record that cannot be closed; the others are taken again, each as the start of a record. */
  function giveUp(batch: RowBatch<RowOf<T>>, more: readonly Line[]): readonly Line[] {
    const [first, ...others] = open!.lines
    open = undefined
    batch.unreadable.push(unreadableLine(file, first!, 'a quote is opened and not closed as it should be'))
    return [...others, ...more]
  }

  function end(batch: RowBatch<RowOf<T>>, cut: { readonly line: Line; readonly reason: string } | undefined): void {
    if (cut) {
      // A record that was open belongs to the cut: its lines must not be mistaken for rows.
      const first = open?.lines[0] ?? cut.line
      const text = open ? [...open.lines, cut.line].map((line) => line.text + line.end).join('') : cut.line.text
      open = undefined
      batch.unreadable.push(unreadableLine(file, { ...first, text }, cut.reason))
    }
    while (open) take(giveUp(batch, []), batch)
  }

  /** A row, a reason, or `undefined` for the header. */
  function takeRecord(cells: Cell[]): RowOf<T> | string | undefined {
    const isHeader = headerText !== undefined && cells.map(({ text }) => text.toLowerCase()).join('\u0000') === headerText
    if (isHeader) return header ? 'the header is repeated' : 'a header stands where rows without a header are expected'
    if (!places) {
      headerText = cells.map(({ text }) => text.toLowerCase()).join('\u0000')
      takeHeader(cells)
      return undefined
    }
    if (headerFault !== undefined) return headerFault
    if (cells.length !== width) return `the row has ${cells.length} cells, not ${width}`
    const row: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) {
      const place = places[i]!
      const value = place < 0 ? null : readers[i]!(cells[place]!)
      if (value === undefined) return `${show(names[i])} ${cellFault(table, names[i]!, cells[place]!)}`
      row[names[i]!] = value
    }
    return row as RowOf<T>
  }

  function takeHeader(cells: readonly Cell[]): void {
    const found = cells.map(({ text }) => text.toLowerCase())
    width = found.length
    places = names.map((name) => found.indexOf(name))
    const unknown = found.find((name) => !Object.hasOwn(table.columns, name))
    const twice = found.find((name, i) => found.indexOf(name) !== i)
    const missing = names.find((name) => !found.includes(name) && !table.columns[name]!.isNullable)
    if (unknown !== undefined) headerFault = `the header names ${show(unknown)}, which is not a column of ${table.name}`
    else if (twice !== undefined) headerFault = `the header names ${show(twice)} twice`
    else if (missing !== undefined) headerFault = `the header does not name ${show(missing)}, which is not nullable`
  }
}

function checkFlat(table: Table): void {
  for (const [name, { type }] of Object.entries(table.columns)) {
    if (type.kind === 'array' || type.kind === 'map' || type.kind === 'struct') {
      throw new ConfigError(`CSV and TSV cannot hold the column "${name}" of ${table.name}: it is ${noun(type)}.`, {
        hint: 'Use NDJSON or Parquet.',
      })
    }
  }
}

/** Whether a cell stands for no value: nothing at all in CSV, `\N` in TSV (there, nothing at all only where it can be no text). */
function isNoValue(cell: Cell, isString: boolean, isTsv: boolean): boolean {
  if (isTsv) return !cell.isQuoted || (cell.text === '' && !isString)
  return cell.text === '' && !cell.isQuoted
}

function cellReaders(table: Table, isTsv: boolean): ((cell: Cell) => unknown)[] {
  return Object.values(table.columns).map((column) => {
    const read = textReader(column.type)
    // Types of which nothing is a value.
    const isString = column.type.kind === 'string' || (isTsv && column.type.kind === 'binary')
    return (cell) => {
      if (!isNoValue(cell, isString, isTsv)) return read(cell.text)
      if (column.isNullable) return null
      return isString && !isTsv ? '' : undefined
    }
  })
}

function cellFault(table: Table, name: string, cell: Cell): string {
  const { type } = table.columns[name]!
  return cell.text === '' && type.kind !== 'string'
    ? 'is empty, but the column is not nullable'
    : `is ${show(cell.text)}, not ${noun(type)}`
}

const blockCharacters = 64 * 1024

async function* writeDelimited<T extends Table>(
  rows: RowsOf<T>,
  options: WriteOptions<T>,
  delimiter: string,
  cell: (text: string | null) => string,
): AsyncGenerator<Uint8Array> {
  const { table, header = false, signal } = options
  checkFlat(table)
  const columns = Object.entries(table.columns)
  let block = header ? `${columns.map(([name]) => cell(name)).join(delimiter)}\n` : ''
  let isStart = true
  for await (const row of rows) {
    const texts = columns.map(([name, column]) => {
      const value = ownValue(row, name)
      return cell(value === null && column.isNullable ? null : toText(column.type, value))
    })
    block += `${texts.join(delimiter)}\n`
    if (block.length >= blockCharacters) {
      signal?.throwIfAborted()
      yield encode()
    }
  }
  if (block !== '') yield encode()

  function encode(): Uint8Array {
    // TSV has no quotes to hide a first mark behind: a real byte order mark before it keeps it.
    const bytes = Buffer.from(isStart && block.startsWith('\uFEFF') ? `\uFEFF${block}` : block)
    isStart = false
    block = ''
    return bytes
  }
}
