import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ObjectStore, PipeError, readParquet, type Table, writeParquet } from '@pipe/core'
import { fileRanges } from '@pipe/core/internal'
import { loadDuckDb, openDuckDb } from './duckdb'
import { sqlText } from './duckdb-json'
import type { MergeJob } from './engine'
import { mapBounded } from './map-bounded'
import type { DuckDbLimits, WriterName } from './parquet-writer'

/** Downloads at once. */
const maxAtOnce = 8

/** Makes one Parquet file of committed ones, rows in their order. Returns its path in `dir`. */
export async function mergeFiles(
  table: Table,
  job: Pick<MergeJob, 'inputs' | 'target' | 'signal'> & { readonly dir: string },
  write: { readonly limits: DuckDbLimits; readonly name: WriterName | undefined },
): Promise<string> {
  const { inputs, target, dir, signal } = job
  const files = await mapBounded(inputs, maxAtOnce, async (input) => {
    const path = join(dir, `part-${inputs.indexOf(input)}.parquet`)
    await download(target, input, path, signal)
    return path
  })
  const output = join(dir, 'merged.parquet')
  const duckDb = write.name === 'hyparquet' ? undefined : await duckDbIfThere(write.name)
  if (duckDb === undefined) {
    const rows = rowsOf(files, table, signal)
    const bytes = writeParquet(rows as never, { table, rowGroupRows: 50_000, ...(signal && { signal }) })
    await pipeline(Readable.from(bytes), createWriteStream(output), ...(signal ? [{ signal }] : []))
    return output
  }
  const db = openDuckDb(duckDb, { limits: write.limits, tempDir: dir, signal })
  try {
    const names = Object.keys(table.columns).map((name) => `"${name}"`)
    const list = files.map(sqlText).join(', ')
    const from = `read_parquet([${list}], hive_partitioning = false)`
    await db.run(`COPY (SELECT ${names.join(', ')} FROM ${from}) TO ${sqlText(output)} (FORMAT parquet, COMPRESSION snappy)`)
    return output
  } finally {
    await db.close()
  }
}

async function duckDbIfThere(name: WriterName | undefined): Promise<Awaited<ReturnType<typeof loadDuckDb>> | undefined> {
  try {
    return await loadDuckDb()
  } catch (error) {
    if (name === 'duckdb') throw error
    return undefined
  }
}

async function download(
  target: ObjectStore,
  { key, etag }: { readonly key: string; readonly etag: string },
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const object = await target.get(key, { ifMatch: etag, ...(signal && { signal }) })
  if (object === undefined) {
    throw new PipeError('PIPE_COMPACT_OUTPUT', `The committed file ${target.uri(key)} is gone.`, {
      hint: 'Rows are missing from the table: restore the object from its earlier version or from a backup.',
    })
  }
  await pipeline(object.stream(), createWriteStream(path), ...(signal ? [{ signal }] : []))
}

async function* rowsOf(files: readonly string[], table: Table, signal: AbortSignal | undefined): AsyncGenerator<object> {
  for (const file of files) {
    const options = { table, file, ...(signal && { signal }) }
    for await (const { rows, unreadable } of readParquet(await fileRanges(file), options)) {
      if (unreadable.length > 0) {
        throw new PipeError('PIPE_COMPACT_OUTPUT', `A committed file cannot be read back: ${unreadable[0]!.reason}.`)
      }
      yield* rows
    }
  }
}
