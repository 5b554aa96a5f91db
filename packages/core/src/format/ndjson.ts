import type { ColumnMap, ColumnType } from '../column-type'
import { readExactJson } from '../exact-json'
import type { RowOf, Table } from '../table'
import { jsonReader, ownValue, show, whyNot } from '../value'
import { jsonText } from '../value-text'
import type { ReadOptions, RowBatch } from './row-batch'
import { readTextRows, unreadableLine } from './text-lines'

/**
 * Reads NDJSON: one JSON object a line, plain or gzip. Streams; unreadable rows are returned beside the good ones, with file, line, byte
 * offset and reason. Content never throws; an aborted `signal` and errors of the source do.
 *
 * Unreadable are: a line that is no JSON object, a wrong type, an unknown key, a key that stands twice, null or a missing key in a column
 * that is not nullable, a blank line, a line that is no UTF-8 or too long, and what cannot be decompressed.
 *
 * @example
 * ```ts
 * for await (const { rows, unreadable } of readNdjson(createReadStream('a.ndjson.gz'), { table: deviceLogs, file: 'a.ndjson.gz' })) …
 * ```
 */
export function readNdjson<T extends Table>(
  source: AsyncIterable<Uint8Array>,
  options: ReadOptions<T>,
): AsyncIterable<RowBatch<RowOf<T>>> {
  const { file, table } = options
  const read = rowReader(table)
  return readTextRows<RowOf<T>>(source, options, {
    take(lines, batch) {
      for (const line of lines) {
        const row = line.fault === undefined ? read(line.text) : `the line ${line.fault}`
        if (typeof row === 'string') batch.unreadable.push(unreadableLine(file, line, row))
        else batch.rows.push(row as RowOf<T>)
      }
    },
  })
}

/**
 * Compiles the reader of one line of NDJSON: it returns the row, or the reason why there is none.
 *
 * Fast way: `JSON.parse`, then the columns are checked and converted in the parsed object itself. What it cannot decide (a key twice, an
 * integer beyond 2^53) goes to the exact reader, which is slower and rarely needed.
 */
export function rowReader(table: Table): (line: string) => Record<string, unknown> | string {
  const columns = Object.entries(table.columns).map(([name, column]) => ({
    name,
    read: jsonReader(column),
    // A plain read of such a name would find Object's own method.
    isInherited: name in Object.prototype,
    // The parsed value is the value: nothing to store. Decimals, dates and 64-bit integers differ.
    keepsJson: ['boolean', 'double', 'integer', 'string'].includes(column.type.kind),
  }))
  const hasDecimals = Object.values(table.columns).some(({ type }) => holdsKind(type, 'decimal'))
  const isNested = Object.values(table.columns).some(({ type }) => holdsKind(type, 'map') || holdsKind(type, 'struct'))

  return (line) => {
    let json: unknown
    try {
      json = JSON.parse(line)
    } catch {
      return line.trim() === '' ? 'the line is blank' : `the line is not JSON: ${show(line)}`
    }
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return `the line is ${show(json)}, not a JSON object`
    const object = json as Record<string, unknown>
    // Sixteen digits and more, with or without a point, may be more than a double holds.
    if (hasDecimals && /\d[\d.]{15}/.test(line)) return exactRow(line)
    const size = Object.keys(object).length
    if (!hasOnlyKeys(line, isNested ? keyCount(object) : size)) return exactRow(line)
    return takeColumns(object, size) ? object : exactRow(line)
  }

  /** Checks and converts the columns in place; `false` when one cannot be read or an unknown key stands there. */
  function takeColumns(object: Record<string, unknown>, size: number): boolean {
    let known = 0
    for (let i = 0; i < columns.length; i++) {
      const { name, read, isInherited, keepsJson } = columns[i]!
      const json = isInherited ? ownValue(object, name) : object[name]
      if (json !== undefined) known++
      const value = read(json)
      if (value === undefined) return false
      if (!keepsJson || !Object.is(value, json)) object[name] = value
    }
    return known === size
  }

  function exactRow(line: string): Record<string, unknown> | string {
    const { value, duplicateKey } = readExactJson(line)
    const object = value as Record<string, unknown>
    if (duplicateKey !== undefined) return `${show(duplicateKey)} stands twice`
    for (const name of Object.keys(object)) {
      if (!Object.hasOwn(table.columns, name)) return `${show(name)} is not a column of ${table.name}`
    }
    return takeColumns(object, Object.keys(object).length) ? object : explainRow(table.columns, line)
  }
}

function explainRow(columns: ColumnMap, line: string): string {
  const object = readExactJson(line).value as Record<string, unknown>
  for (const [name, column] of Object.entries(columns)) {
    const json = ownValue(object, name)
    if (jsonReader(column)(json) === undefined) return `${show(name)} ${whyNot(column, json)}`
  }
  return 'the line cannot be read'
}

/**
 * Whether every `":` of the line is the end of one of the keys: then no key stands twice, as each pair has at least one. `false` also
 * where that cannot be told so simply (blanks before a colon, `":` inside a text).
 */
function hasOnlyKeys(line: string, keys: number): boolean {
  let pairs = 0
  for (let at = line.indexOf(':'); at >= 0; at = line.indexOf(':', at + 1)) {
    const before = line.charCodeAt(at - 1)
    if (before === 34) pairs++
    else if (before <= 32) return false
  }
  return pairs === keys
}

/** Number of keys of an object and of all objects in it. A stack of our own: hostile nesting would overflow a recursion. */
function keyCount(object: Readonly<Record<string, unknown>>): number {
  let count = 0
  const rest: object[] = [object]
  for (let item = rest.pop(); item !== undefined; item = rest.pop()) {
    const isArray = Array.isArray(item)
    for (const key in item) {
      if (!isArray) count++
      const inner = (item as Record<string, unknown>)[key]
      if (typeof inner === 'object' && inner !== null) rest.push(inner)
    }
  }
  return count
}

function holdsKind(type: ColumnType, kind: ColumnType['kind']): boolean {
  switch (type.kind) {
    case 'array':
      return kind === 'array' || holdsKind(type.element.type, kind)
    case 'map':
      return kind === 'map' || holdsKind(type.key.type, kind) || holdsKind(type.value.type, kind)
    case 'struct':
      return kind === 'struct' || Object.values(type.fields).some((field) => holdsKind(field.type, kind))
    default:
      return type.kind === kind
  }
}

/** About this many characters are handed on at a time. */
const blockCharacters = 64 * 1024

/**
 * Writes rows as NDJSON: the columns in the order of the contract, every digit of 64-bit integers and decimals kept.
 *
 * @throws {@link PipeError} `PIPE_FORMAT_VALUE` when a value is not of its column's type.
 */
export async function* writeNdjson<T extends Table>(
  rows: AsyncIterable<RowOf<T>> | Iterable<RowOf<T>>,
  options: { readonly table: T; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const encode = rowEncoder(options.table)
  let block = ''
  for await (const row of rows) {
    block += encode(row)
    if (block.length >= blockCharacters) {
      options.signal?.throwIfAborted()
      yield Buffer.from(block)
      block = ''
    }
  }
  if (block !== '') yield Buffer.from(block)
}

/** Compiles the writer of one line of NDJSON, with its line end. */
export function rowEncoder<T extends Table>(table: T): (row: RowOf<T>) => string {
  const columns = Object.entries(table.columns).map(([name, column], i) => ({
    name,
    column,
    start: `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`,
  }))
  return (row) => {
    let text = ''
    for (const { name, column, start } of columns) text += start + jsonText(column, ownValue(row, name))
    return `${text}}\n`
  }
}
