import { createReadStream, createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { PipeError, readNdjson, type Table, writeParquet } from '@pipe/core'
import { rowEncoder } from '@pipe/core/internal'
import type { ParquetWriter, WriterOptions } from './parquet-writer'

/** Rows of a row group: so many are held in memory. */
const rowGroupRows = 50_000

/** Writes Parquet in JavaScript, where DuckDB is absent: several times slower, row group by row group. */
export function hyparquetWriter({ table, signal }: WriterOptions): ParquetWriter {
  return {
    lineOf: rowEncoder(table),
    async write({ path }, output) {
      const rows = rowsOf(path, table, signal)
      const bytes = writeParquet(rows as never, { table, rowGroupRows, ...(signal && { signal }) })
      await pipeline(Readable.from(bytes), createWriteStream(output), ...(signal ? [{ signal }] : []))
      return { duplicateRows: 0 }
    },
    close: async () => {},
  }
}

async function* rowsOf(path: string, table: Table, signal: AbortSignal | undefined): AsyncGenerator<Record<string, unknown>> {
  for await (const { rows, unreadable } of readNdjson(createReadStream(path), { table, file: path, ...(signal && { signal }) })) {
    if (unreadable.length > 0) {
      throw new PipeError('PIPE_COMPACT_CONVERT', `A clean line could not be read back: ${unreadable[0]!.reason}`, {
        hint: 'Every line was readable before, so this is a mistake in @pipe/compactor: please report the message.',
      })
    }
    yield* rows as Record<string, unknown>[]
  }
}
