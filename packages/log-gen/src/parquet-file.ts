import type { Column } from '@pipe/core'
import { parquetSchemaOf } from '@pipe/core/internal'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { gzipWhole, zstdWhole } from './compression'
import { blockLines, emptyLine, setLine } from './line-block'
import type { LogSource, ParquetColumn } from './lines'
import { type PageCodec, type SchemaElement, writeFlatColumn } from './parquet-column'
import type { FileId } from './shard'

/** Rows of a row group: so many are held as columns at a time. */
const groupRows = 100_000

/** A column with the values of the open row group. */
interface OpenColumn {
  readonly source: ParquetColumn
  /** Of the schema: one for a flat column. */
  readonly elements: readonly SchemaElement[]
  readonly kind: Column['type']['kind']
  readonly numbers: Float64Array
  values: unknown[]
}

/** Encodes the lines of a file as Parquet: pages compressed by Node itself, which is faster and smaller than snappy in JavaScript. */
export function parquetFile(source: LogSource, file: FileId): { readonly bytes: Buffer; readonly rows: number } {
  const lines = source['~lines']
  const { columns: tableColumns } = source.table
  const codec = pageCodec(lines)
  const out = new ByteWriter(65_536)
  const writer = parquetWriter(out, parquetSchemaOf(tableColumns), codec)
  const columns = lines.columns().map((own): OpenColumn => {
    const column = tableColumns[own.name] as Column
    const elements = parquetSchemaOf(Object.fromEntries([[own.name, column]])).slice(1)
    const numbers = new Float64Array(own.kind === 'flat' ? groupRows + blockLines : 0)
    return { source: own, elements, kind: column.type.kind, numbers, values: [] }
  })
  const line = emptyLine()
  let rows = 0
  let inGroup = 0
  const closeGroup = (count: number) => {
    writeGroup(writer, out, columns, count, codec)
    for (const column of columns) {
      column.numbers.copyWithin(0, count, inGroup)
      column.values = column.values.slice(count)
    }
    inGroup -= count
  }
  lines.visitBlocks(file, (block) => {
    for (const { source: own, numbers, values } of columns) {
      if (own.kind === 'flat') own.fill(block, numbers.subarray(inGroup))
      else for (let i = 0; i < block.count; i++) values.push(own.read(setLine(line, block, i)))
    }
    rows += block.count
    inGroup += block.count
    if (inGroup >= groupRows) closeGroup(groupRows)
  })
  if (inGroup > 0) closeGroup(inGroup)
  void writer.finish()
  return { bytes: Buffer.from(out.getBytes()), rows }
}

function pageCodec({ compression, level }: LogSource['~lines']): PageCodec {
  if (compression === 'none') return { name: 'UNCOMPRESSED', compress: (bytes) => bytes }
  if (compression === 'zstd') return { name: 'ZSTD', compress: zstdWhole }
  return { name: 'GZIP', compress: (bytes) => gzipWhole(bytes, level) }
}

function parquetWriter(writer: ByteWriter, schema: SchemaElement[], { name, compress }: PageCodec): ParquetWriter {
  const compressors = name === 'UNCOMPRESSED' ? {} : { [name]: compress }
  return new ParquetWriter({ writer, schema, codec: name, compressors, createdBy: '@pipe/log-gen' })
}

/** Writes a row group: flat columns by {@link writeFlatColumn}, all others by hyparquet-writer. */
function writeGroup(
  writer: ParquetWriter,
  out: ByteWriter,
  columns: readonly OpenColumn[],
  rows: number,
  codec: PageCodec,
): void {
  const start = out.offset
  const written = columns.flatMap((column): ParquetWriter['pendingIndexes'] => {
    const { source, elements, numbers } = column
    if (source.kind === 'values') return writeValues(out, column, rows, codec)
    const values = numbers.subarray(0, rows)
    return [{ chunk: writeFlatColumn(out, elements[0] as SchemaElement, { ...source, values }, codec) }]
  })
  const chunks = written.map(({ chunk }) => chunk)
  writer.pendingIndexes.push(...written)
  writer.num_rows += BigInt(rows)
  writer.row_groups.push({
    columns: chunks,
    total_byte_size: chunks.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n),
    num_rows: BigInt(rows),
    total_compressed_size: BigInt(out.offset - start),
  })
}

const magicBytes = 4

/** Has hyparquet-writer encode a column as the only one of a file, and takes its bytes over. */
function writeValues(
  out: ByteWriter,
  { source, elements, kind, values }: OpenColumn,
  rows: number,
  codec: PageCodec,
): ParquetWriter['pendingIndexes'] {
  const own = new ByteWriter(65_536)
  const writer = parquetWriter(own, [{ name: 'schema', num_children: 1 }, ...elements], codec)
  const data = values.slice(0, rows)
  const isFloating = kind === 'double' || kind === 'float'
  // A promise only where the output has to be flushed; this one is memory.
  void writer.write({
    columnData: [
      {
        name: source.name,
        data: data as never,
        // See writeFlatColumn.
        statistics: kind !== 'string',
        // A dictionary takes 0 and -0 for one value.
        ...(isFloating && data.some((value) => Object.is(value, -0)) && { encoding: 'PLAIN' as const }),
      },
    ],
    rowGroupSize: groupRows,
  })
  const by = BigInt(out.offset - magicBytes)
  out.appendBytes(own.getBytes().subarray(magicBytes))
  for (const { chunk, offsetIndex } of writer.pendingIndexes) {
    chunk.file_offset += by
    for (const page of offsetIndex?.page_locations ?? []) page.offset += by
    if (!chunk.meta_data) continue
    chunk.meta_data.data_page_offset += by
    if (chunk.meta_data.dictionary_page_offset !== undefined) chunk.meta_data.dictionary_page_offset += by
  }
  return writer.pendingIndexes
}
