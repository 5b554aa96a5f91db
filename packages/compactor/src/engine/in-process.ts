import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, type ObjectStore } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { checkLimits, convert } from './convert'
import { loadDuckDb } from './duckdb'
import { duckDbColumns } from './duckdb-json'
import type { Engine, EngineOutput } from './engine'
import { fetchInOrder } from './fetch'
import { mergeFiles } from './merge'
import type { WriterName } from './parquet-writer'
import type { LoadedFile } from './scan-file'

/** What {@link inProcessEngine} takes. */
export interface InProcessEngineOptions {
  /** Threads of DuckDB. Default 1: a Lambda function below 1.8 GB has no second core. */
  readonly threads?: number | undefined
  /** Memory of DuckDB in MiB. Default 512. */
  readonly memoryLimitMb?: number | undefined
  /** Folder for temporary files: the window's lines, uncompressed, and its Parquet file. Default the system's. */
  readonly tempDir?: string | undefined
  /** What writes the files. Default: DuckDB when it is installed, else hyparquet (JavaScript: slower, nothing to install). */
  readonly writer?: WriterName | undefined
  /** Only `'parquet'`: nothing writes ORC in process. */
  readonly format?: 'parquet' | undefined
}

/** Below this size an object is sent in one request. */
const onePutBytes = 8 * 1024 * 1024

/**
 * The engine that compacts in this process: objects are fetched in their planned versions, every line is checked in one pass, and DuckDB
 * (an optional peer dependency) writes the Parquet file. For windows of up to about 1 GB of raw data; the temporary folder must hold it.
 *
 * @throws {@link ConfigError} for limits that make no sense, `PIPE_COMPACT_FORMAT` for ORC.
 */
export function inProcessEngine(options: InProcessEngineOptions = {}): Engine {
  checkOptions('inProcessEngine', options, { optional: ['threads', 'memoryLimitMb', 'tempDir', 'writer', 'format'] })
  const limits = checkLimits('inProcessEngine', options)
  const { writer, format = 'parquet' } = options
  if (format !== 'parquet') {
    throw new ConfigError(`The in-process engine cannot write ${String(format).toUpperCase()}: it writes Parquet.`, {
      code: 'PIPE_COMPACT_FORMAT',
      hint: "For ORC let Athena write a table of the compacted one: athena.ctas({ table, as, location, format: 'ORC' }).",
    })
  }
  if (writer !== undefined && writer !== 'duckdb' && writer !== 'hyparquet') {
    throw new ConfigError(`inProcessEngine: writer can be 'duckdb' or 'hyparquet', not ${JSON.stringify(writer)}.`)
  }
  const parent = options.tempDir ?? tmpdir()

  async function withTempDir<T>(work: (dir: string) => Promise<T>): Promise<T> {
    const dir = await mkdtemp(join(parent, 'pipe-compact-'))
    try {
      return await work(dir)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  }

  return {
    name: 'in-process',
    needsStamps: false,
    statements: 0,
    check: ({ table }) => void (writer !== 'hyparquet' && duckDbColumns(table)),

    async run({ compaction, attempt, inputs, source, target, quarantine, signal, onProgress }) {
      // Before anything is fetched: without DuckDB nothing of it would help.
      if (writer === 'duckdb') await loadDuckDb()
      const { table } = compaction
      return withTempDir(async (dir) => {
        const output = join(dir, 'window.parquet')
        const files = counted(fetchInOrder(source, inputs, dir, signal), (done) => {
          onProgress({ phase: 'fetch', done, total: inputs.length, unit: 'files' })
        })
        const write = { limits, name: writer }
        const converted = await convert(table, compaction, files, { output, tempDir: dir }, write, quarantine.add, signal)
        const accounts = inputs.map(({ key }, i) => ({ key, ...converted.accounts[i]! }))
        const { exists, duplicateRows } = converted
        if (!exists) return { outputs: [], accounts }
        onProgress({ phase: 'upload', done: 0, total: (await stat(output)).size, unit: 'bytes' })
        const key = `${attempt.dataPrefix}${table.name}-${attempt.window.id}-${attempt.seq}.parquet`
        return { outputs: [await upload(target, key, output, signal)], accounts, duplicateRows }
      })
    },

    merge: ({ compaction, attempt, inputs, target, signal }) =>
      withTempDir(async (dir) => {
        const output = await mergeFiles(compaction.table, { inputs, target, dir, signal }, { limits, name: writer })
        const key = `${attempt.dataPrefix}${compaction.table.name}-${attempt.window.id}-r${attempt.seq}.parquet`
        return [await upload(target, key, output, signal)]
      }),
  }
}

async function upload(target: ObjectStore, key: string, file: string, signal: AbortSignal | undefined): Promise<EngineOutput> {
  const { size } = await stat(file)
  const body = size <= onePutBytes ? await readFile(file) : createReadStream(file)
  const { etag } = await target.put(key, body, { contentType: 'application/vnd.apache.parquet', ...(signal && { signal }) })
  return { key, etag, bytes: size }
}

async function* counted(files: AsyncIterable<LoadedFile>, onFile: (done: number) => void): AsyncGenerator<LoadedFile> {
  let done = 0
  for await (const file of files) {
    yield file
    onFile(++done)
  }
}
