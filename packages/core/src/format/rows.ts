import { byteReader } from '../byte-reader'
import { checkOptions } from '../options'
import { unreadableRow } from '../quarantine'
import type { RowOf, Table } from '../table'
import { type DelimitedOptions, readCsv, readTsv } from './delimited'
import { readNdjson } from './ndjson'
import { readParquet } from './parquet'
import type { ReadOptions, RowBatch } from './row-batch'
import { type FileFormat, formatOfName, isOrc, isParquet } from './sniff'
import { chunksOf } from './text-lines'

/** What {@link readRows} takes. */
export interface ReadRowsOptions<T extends Table = Table> extends ReadOptions<T>, DelimitedOptions {
  /** The bytes of the file, as they are stored. */
  readonly source: AsyncIterable<Uint8Array>
  /** Default: by the ending of the name; without a known one Parquet by its first bytes, else NDJSON. */
  readonly format?: FileFormat | undefined
}

/**
 * Reads the rows of a file in any format of a pipeline: NDJSON, CSV, TSV (plain or gzip) and Parquet. A file whose bytes are not what its
 * name says is one unreadable entry. rows + Σ unreadable.rows is the number of rows of the file, or `expectedRows` when that is more.
 *
 * @throws {@link ConfigError} for unknown options, and for a table whose types the format cannot hold.
 * @example
 * ```ts
 * for await (const { rows, unreadable } of readRows({ table: deviceLogs, file: store.uri(key), source: body.stream() })) …
 * ```
 */
export function readRows<T extends Table>(options: ReadRowsOptions<T>): AsyncIterable<RowBatch<RowOf<T>>> {
  checkOptions('readRows', options, {
    required: ['table', 'file', 'source'],
    optional: ['format', 'header', 'expectedRows', 'maxBytes', 'maxLineBytes', 'signal'],
  })
  return read(options)
}

async function* read<T extends Table>(options: ReadRowsOptions<T>): AsyncGenerator<RowBatch<RowOf<T>>> {
  const { source, format: given, file, expectedRows } = options
  const input = byteReader(source)
  try {
    await input.fill(16)
    const start = input.peek()
    if (isOrc(start)) {
      yield {
        rows: [],
        unreadable: [unreadableRow({ file, reason: 'the bytes are ORC, which is not supported', rows: expectedRows ?? 1 })],
      }
      return
    }
    const format = given ?? formatOfName(file).format ?? (isParquet(start) ? 'parquet' : 'ndjson')
    const bytes = chunksOf(input)
    if (format === 'parquet') yield* readParquet(bytes, options)
    else if (format === 'csv') yield* readCsv(bytes, options)
    else if (format === 'tsv') yield* readTsv(bytes, options)
    else yield* readNdjson(bytes, options)
  } finally {
    await input.close()
  }
}
