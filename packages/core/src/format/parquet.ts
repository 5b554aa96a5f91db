import type { SchemaElement } from 'hyparquet'
import type { ColumnType } from '../column-type'
import { ConfigError } from '../error'
import { unreadableRow } from '../quarantine'
import type { RowOf, Table } from '../table'
import { noun, show } from '../value'
import { type ByteRanges, spooledRanges } from './byte-ranges'
import { isDecimal, isSourceError, type OpenParquet, openParquet, topElements } from './parquet-file'
import { parquetSchemaOf } from './parquet-schema'
import { parquetReader, parquetWriter } from './parquet-value'
import type { ReadOptions, RowBatch } from './row-batch'

/** Rows of a batch. */
const batchRows = 10_000

/**
 * Reads Parquet by row group; every codec that Parquet has. What is unreadable: a whole file without a sound footer, or whose columns are
 * not those of the table; a row group with damaged data (one entry with its number of rows); a value that is not of its column's type. In
 * entries, `line` is the number of the row.
 *
 * A stream is first held in memory, or in a temporary file when it is large, as the footer of a Parquet file stands at its end; give
 * {@link ByteRanges} to read only what is needed.
 */
export async function* readParquet<T extends Table>(
  source: AsyncIterable<Uint8Array> | ByteRanges,
  options: ReadOptions<T>,
): AsyncGenerator<RowBatch<RowOf<T>>> {
  const { table, file, expectedRows, signal } = options
  signal?.throwIfAborted()
  const ranges = 'byteLength' in source ? source : await spooledRanges(source)
  try {
    if (ranges.byteLength === 0) {
      if (expectedRows) yield unreadable(`the producer wrote ${expectedRows} rows, the file is empty`, expectedRows)
      return
    }
    const opened = await openParquet(ranges, signal)
    if ('reason' in opened) {
      yield unreadable(opened.reason, expectedRows ?? 1)
      return
    }
    const { metadata } = opened
    const total = Number(metadata.num_rows)
    const counted = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0)
    const wrong =
      Number.isSafeInteger(total) && counted === total
        ? schemaFault(metadata.schema, table)
        : 'it is no readable Parquet file (its row groups do not add up to its rows)'
    if (wrong !== undefined) {
      yield unreadable(wrong, expectedRows ?? (counted === total ? total : 1))
      return
    }
    let start = 0
    for (const group of metadata.row_groups) {
      signal?.throwIfAborted()
      const rows = Number(group.num_rows)
      yield* readGroup(opened, start, rows)
      start += rows
    }
    if (expectedRows !== undefined && expectedRows > start) {
      yield unreadable(`the producer wrote ${expectedRows} rows, the file holds ${start}`, expectedRows - start)
    }
  } finally {
    await ranges.close()
  }

  function unreadable(reason: string, rows: number): RowBatch<RowOf<T>> {
    return { rows: [], unreadable: [unreadableRow({ file, reason, rows })] }
  }

  async function* readGroup(opened: OpenParquet, start: number, count: number): AsyncGenerator<RowBatch<RowOf<T>>> {
    const names = Object.keys(table.columns)
    const present = names.filter((name) => opened.metadata.schema.some((element) => element.name === name))
    let columns: Record<string, unknown[]>
    try {
      columns = await opened.readColumns(present, start, start + count)
    } catch (error) {
      signal?.throwIfAborted()
      if (isSourceError(error)) throw error
      yield unreadable(`the rows ${start + 1} to ${start + count} cannot be decoded (${(error as Error).message})`, count)
      return
    }
    const readers = names.map((name) => ({ name, values: columns[name], read: parquetReader(table.columns[name]!) }))
    for (let from = 0; from < count; from += batchRows) {
      const batch: RowBatch<RowOf<T>> = { rows: [], unreadable: [] }
      for (let i = from; i < Math.min(count, from + batchRows); i++) {
        const row: Record<string, unknown> = {}
        let reason: string | undefined
        for (const { name, values, read } of readers) {
          const value = read(values?.[i])
          if (value === undefined) {
            const found = values?.[i]
            reason =
              found === null || found === undefined
                ? `${show(name)} is null, but the column is not nullable`
                : `${show(name)} is ${show(typeof found === 'bigint' ? String(found) : found)}, not ${noun(table.columns[name]!.type)}`
            break
          }
          row[name] = value
        }
        if (reason === undefined) batch.rows.push(row as RowOf<T>)
        else batch.unreadable.push(unreadableRow({ file, line: start + i + 1, reason }))
      }
      yield batch
    }
  }
}

/** Scales of all decimals in a type, in the order in which a schema lists them. */
function decimalScales(type: ColumnType): number[] {
  switch (type.kind) {
    case 'decimal':
      return [type.scale]
    case 'array':
      return decimalScales(type.element.type)
    case 'map':
      return [...decimalScales(type.key.type), ...decimalScales(type.value.type)]
    case 'struct':
      return Object.values(type.fields).flatMap((field) => decimalScales(field.type))
    default:
      return []
  }
}

/** An element of the top level and all below it. */
function subtreeOf(schema: readonly SchemaElement[], element: SchemaElement): readonly SchemaElement[] {
  const start = schema.indexOf(element)
  let end = start
  for (let left = 1; left > 0 && end < schema.length; left--) left += schema[end++]!.num_children ?? 0
  return schema.slice(start, end)
}

/** Why the columns of a file are not those of the table; `undefined` when they may be (values are checked one by one). */
function schemaFault(schema: readonly SchemaElement[], table: Table): string | undefined {
  const top = topElements(schema)
  for (const name of top.keys()) if (!Object.hasOwn(table.columns, name)) return `${show(name)} is not a column of ${table.name}`
  for (const [name, { type, isNullable }] of Object.entries(table.columns)) {
    const element = top.get(name)
    if (element === undefined && !isNullable) return `${show(name)} is missing`
    if (element === undefined) continue
    const found = subtreeOf(schema, element).filter(isDecimal)
    const wanted = decimalScales(type)
    if (found.length !== wanted.length || found.some(({ scale = 0 }, i) => scale !== wanted[i])) {
      return `the decimals of ${show(name)} have the scales [${found.map(({ scale = 0 }) => scale)}], not [${wanted}]`
    }
  }
  return undefined
}

/** What {@link writeParquet} takes. */
export interface WriteParquetOptions<T extends Table> {
  /** The contract that the rows must fit. */
  readonly table: T
  /** Rows of a row group; so many are held in memory. Default 100 000. */
  readonly rowGroupRows?: number | undefined
  /** Default `'snappy'`. */
  readonly compression?: 'snappy' | 'none' | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes rows as one Parquet file, a row group at a time.
 *
 * @throws {@link PipeError} `PIPE_FORMAT_VALUE` when a value is not of its column's type.
 */
export async function* writeParquet<T extends Table>(
  rows: AsyncIterable<RowOf<T>> | Iterable<RowOf<T>>,
  options: WriteParquetOptions<T>,
): AsyncGenerator<Uint8Array> {
  const { table, rowGroupRows = 100_000, compression = 'snappy', signal } = options
  if (!Number.isInteger(rowGroupRows) || rowGroupRows < 1)
    throw new ConfigError(`rowGroupRows must be a whole number, not ${rowGroupRows}.`)
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer')
  // `index` is where the writer stands in its buffer; the offset of the file goes on.
  const bytes = new ByteWriter() as InstanceType<typeof ByteWriter> & { index: number }
  const writer = new ParquetWriter({
    writer: bytes,
    schema: parquetSchemaOf(table.columns),
    codec: compression === 'snappy' ? 'SNAPPY' : 'UNCOMPRESSED',
    createdBy: '@pipe/core',
  })
  const columns = Object.entries(table.columns).map(([name, column]) => ({ name, column, write: parquetWriter(column) }))
  let data: unknown[][] = columns.map(() => [])
  let count = 0

  for await (const row of rows) {
    for (let i = 0; i < columns.length; i++) data[i]!.push(columns[i]!.write((row as Record<string, unknown>)[columns[i]!.name]))
    if (++count === rowGroupRows) {
      signal?.throwIfAborted()
      yield await group()
    }
  }
  if (count > 0) yield await group()
  await writer.finish()
  yield taken()

  async function group(): Promise<Uint8Array> {
    await writer.write({
      columnData: columns.map(({ name, column: { type } }, i) => ({
        name,
        data: data[i] as never,
        // A dictionary takes 0 and -0 for one value.
        ...((type.kind === 'double' || type.kind === 'float') &&
          data[i]!.some((value) => Object.is(value, -0)) && { encoding: 'PLAIN' as const }),
      })),
      rowGroupSize: rowGroupRows,
    })
    data = columns.map(() => [])
    count = 0
    return taken()
  }

  function taken(): Uint8Array {
    const chunk = new Uint8Array(bytes.getBytes())
    bytes.index = 0
    return chunk
  }
}
