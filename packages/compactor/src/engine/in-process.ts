import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkOptions } from '@pipe/core/internal'
import { checkLimits, convert } from './convert'
import { loadDuckDb } from './duckdb'
import { duckDbColumns } from './duckdb-json'
import type { Engine } from './engine'
import { fetchInOrder } from './fetch'
import type { LoadedFile } from './scan-file'

/** What {@link inProcessEngine} takes. */
export interface InProcessEngineOptions {
  /** Threads of DuckDB. Default 1: a Lambda function below 1.8 GB has no second core. */
  readonly threads?: number | undefined
  /** Memory of DuckDB in MiB. Default 512. */
  readonly memoryLimitMb?: number | undefined
  /** Folder for temporary files: the window's lines, uncompressed, and its Parquet file. Default the system's. */
  readonly tempDir?: string | undefined
}

/** Below this size an object is sent in one request. */
const onePutBytes = 8 * 1024 * 1024

/**
 * The engine that compacts in this process: objects are fetched in their planned versions, every line is checked in one pass, and DuckDB
 * (an optional peer dependency) writes the Parquet file. For windows of up to about 1 GB of raw data; the temporary folder must hold it.
 *
 * @throws {@link ConfigError} for limits that make no sense.
 */
export function inProcessEngine(options: InProcessEngineOptions = {}): Engine {
  checkOptions('inProcessEngine', options, { optional: ['threads', 'memoryLimitMb', 'tempDir'] })
  const limits = checkLimits('inProcessEngine', options)
  return {
    name: 'in-process',
    needsStamps: false,
    statements: 0,
    check: ({ table }) => void duckDbColumns(table),

    async run({ compaction, attempt, inputs, source, target, quarantine, signal, onProgress }) {
      // Before anything is fetched: without DuckDB nothing of it would help.
      await loadDuckDb()
      const { table } = compaction
      const dir = await mkdtemp(join(options.tempDir ?? tmpdir(), 'pipe-compact-'))
      try {
        const output = join(dir, 'window.parquet')
        const files = counted(fetchInOrder(source, inputs, dir, signal), (done) => {
          onProgress({ phase: 'fetch', done, total: inputs.length, unit: 'files' })
        })
        const found = await convert(table, compaction, files, { output, tempDir: dir }, limits, quarantine.add, signal)
        const accounts = inputs.map(({ key }, i) => ({ key, ...found[i]! }))
        if (accounts.every(({ rows, quarantinedRows }) => rows === quarantinedRows)) return { outputs: [], accounts }
        const { size } = await stat(output)
        onProgress({ phase: 'upload', done: 0, total: size, unit: 'bytes' })
        const key = `${attempt.dataPrefix}${table.name}-${attempt.window.id}-${attempt.seq}.parquet`
        const body = size <= onePutBytes ? await readFile(output) : createReadStream(output)
        await target.put(key, body, { contentType: 'application/vnd.apache.parquet', ...(signal && { signal }) })
        return { outputs: [key], accounts }
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    },
  }
}

async function* counted(files: AsyncIterable<LoadedFile>, onFile: (done: number) => void): AsyncGenerator<LoadedFile> {
  let done = 0
  for await (const file of files) {
    yield file
    onFile(++done)
  }
}
