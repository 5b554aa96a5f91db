import type { ColumnMap } from '@pipe/core'
import { parquetSchemaOf } from '@pipe/core/internal'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { gzipWhole, zstdWhole } from './compression'
import type { LogSource } from './lines'
import type { FileId } from './shard'

const codecs = { gzip: 'GZIP', zstd: 'ZSTD', none: 'UNCOMPRESSED' } as const

/** Rows of a row group: so many are held as columns at a time. */
const groupRows = 100_000

/** Encodes the lines of a file as Parquet: pages compressed by Node itself, which is faster and smaller than snappy in JavaScript. */
export function parquetFile(source: LogSource, file: FileId): { readonly bytes: Buffer; readonly rows: number } {
  const lines = source['~lines']
  const out = new ByteWriter()
  const writer = new ParquetWriter({
    writer: out,
    schema: parquetSchemaOf(source.table.columns),
    codec: codecs[lines.compression],
    compressors: { GZIP: (bytes) => gzipWhole(bytes, lines.level), ZSTD: zstdWhole },
    createdBy: '@pipe/log-gen',
  })
  const columns = lines.columns().map(({ name, read }) => ({ name, read, data: [] as unknown[] }))
  const isFloating = new Set(columnsOf(source.table.columns, ['double', 'float']))
  const isText = new Set(columnsOf(source.table.columns, ['string']))
  let rows = 0
  let inGroup = 0
  const flush = () => {
    if (inGroup === 0) return
    const columnData = columns.map(({ name, data }) => ({
      name,
      data: data as never,
      // Least and greatest text of a file that holds all devices keep no reader from it, and cost a comparison a value.
      statistics: !isText.has(name),
      // A dictionary takes 0 and -0 for one value.
      ...(isFloating.has(name) && data.some((value) => Object.is(value, -0)) && { encoding: 'PLAIN' as const }),
    }))
    // A promise only where the output has to be flushed; this one is memory.
    void writer.write({ columnData, rowGroupSize: groupRows })
    for (const column of columns) column.data = []
    inGroup = 0
  }
  lines.visit(file, (line) => {
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as (typeof columns)[number]
      column.data.push(column.read(line))
    }
    rows++
    if (++inGroup === groupRows) flush()
  })
  flush()
  void writer.finish()
  return { bytes: Buffer.from(out.getBytes()), rows }
}

function columnsOf(columns: ColumnMap, kinds: readonly string[]): string[] {
  return Object.keys(columns).filter((name) => kinds.includes(columns[name]?.type.kind as string))
}
