import { ConfigError, PipeError } from '@pipe/core'
import { type DuckDbColumns, sqlText } from './duckdb-json'

/** How much of the machine DuckDB may use. */
export interface DuckDbLimits {
  readonly threads: number
  readonly memoryLimitMb: number
}

/** What is converted: lines that are known to be readable, in the order in which they are to stand. */
export interface ParquetJob {
  /** Path of the NDJSON file. */
  readonly lines: string
  readonly longestLine: number
  readonly columns: DuckDbColumns
  /** Path of the Parquet file to make. */
  readonly output: string
  /** For what does not fit into memory. */
  readonly tempDir: string
}

type DuckDb = typeof import('@duckdb/node-api')

/**
 * Loads DuckDB, which is an optional peer dependency of 70 MB.
 *
 * @throws {@link ConfigError} `PIPE_COMPACT_DUCKDB` when it is not installed.
 */
export async function loadDuckDb(): Promise<DuckDb> {
  try {
    return await import('@duckdb/node-api')
  } catch (cause) {
    throw new ConfigError('The in-process engine needs DuckDB, which could not be loaded.', {
      code: 'PIPE_COMPACT_DUCKDB',
      hint: 'Install it beside @pipe/compactor: npm install @duckdb/node-api (and ship its binary for the platform of the function).',
      cause,
    })
  }
}

/**
 * Writes lines as one Snappy Parquet file, in their order. Strict: whatever DuckDB cannot take fails the whole job, as every line was
 * found readable before.
 *
 * @throws {@link PipeError} `PIPE_COMPACT_CONVERT`; the signal's reason when aborted.
 */
export async function writeParquet(job: ParquetJob, limits: DuckDbLimits, signal: AbortSignal | undefined): Promise<void> {
  const { DuckDBInstance } = await loadDuckDb()
  signal?.throwIfAborted()
  // Extensions are never fetched: a function has no home directory and often no way out.
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(limits.threads),
    memory_limit: `${limits.memoryLimitMb}MiB`,
    temp_directory: job.tempDir,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  try {
    const connection = await instance.connect()
    const interrupt = () => connection.interrupt()
    signal?.addEventListener('abort', interrupt, { once: true })
    try {
      await connection.run(copyStatement(job))
    } catch (cause) {
      signal?.throwIfAborted()
      throw new PipeError('PIPE_COMPACT_CONVERT', `DuckDB could not write Parquet: ${(cause as Error).message}`, {
        hint: /out of memory/i.test((cause as Error).message)
          ? 'Give inProcessEngine a larger memoryLimitMb, or fewer threads.'
          : 'Every line was readable before, so this is a mistake in @pipe/compactor: please report the message.',
        cause,
      })
    } finally {
      signal?.removeEventListener('abort', interrupt)
      connection.closeSync()
    }
  } finally {
    instance.closeSync()
  }
}

function copyStatement({ lines, longestLine, columns, output }: ParquetJob): string {
  // The reader keeps buffers of twice this size a thread, so it is raised only for what needs it. Its default is 16 MiB.
  const maximum = longestLine > 16_000_000 ? `, maximum_object_size = ${longestLine + 1024}` : ''
  return [
    `COPY (SELECT ${columns.select} FROM read_ndjson(${sqlText(lines)}, columns = ${columns.read}, records = 'true'${maximum}))`,
    `TO ${sqlText(output)} (FORMAT parquet, COMPRESSION snappy)`,
  ].join(' ')
}
