import { ConfigError, PipeError } from '@pipe/core'
import { duckDbColumns, duckDbLine, sqlText } from './duckdb-json'
import type { CleanLines, ParquetWriter, WriterOptions } from './parquet-writer'

type DuckDb = typeof import('@duckdb/node-api')
type Connection = Awaited<ReturnType<Awaited<ReturnType<DuckDb['DuckDBInstance']['create']>>['connect']>>

/**
 * Loads DuckDB, which is an optional peer dependency of 70 MB.
 *
 * @throws {@link ConfigError} `PIPE_COMPACT_DUCKDB` when it is not installed.
 */
export async function loadDuckDb(): Promise<DuckDb> {
  try {
    return await import('@duckdb/node-api')
  } catch (cause) {
    throw new ConfigError('DuckDB is needed here and could not be loaded.', {
      code: 'PIPE_COMPACT_DUCKDB',
      hint: 'Install it beside @pipe/compactor: npm install @duckdb/node-api (and ship its binary for the platform of the function).',
      cause,
    })
  }
}

/** A DuckDB of its own, in memory, which is opened at once and closed by `close`. */
export interface OpenDuckDb {
  /** Runs a statement. Rejects with the signal's reason when aborted, and with `PIPE_COMPACT_CONVERT` when DuckDB fails. */
  run(statement: string): Promise<void>
  /** The first value of the first row, as a number. */
  count(statement: string): Promise<number>
  close(): Promise<void>
}

/** Opens DuckDB in the background: it is ready while the first lines are still being read. */
export function openDuckDb(
  { DuckDBInstance }: DuckDb,
  { limits, tempDir, signal }: Pick<WriterOptions, 'limits' | 'tempDir' | 'signal'>,
): OpenDuckDb {
  // Extensions are never fetched: a function has no home directory and often no way out.
  const opening = DuckDBInstance.create(':memory:', {
    threads: String(limits.threads),
    memory_limit: `${limits.memoryLimitMb}MiB`,
    temp_directory: tempDir,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  // Handled where it is awaited; until then a failure must not count as unhandled.
  opening.catch(() => {})

  async function withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    const connection = await (await opening).connect()
    const interrupt = () => connection.interrupt()
    signal?.addEventListener('abort', interrupt, { once: true })
    try {
      return await work(connection)
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
  }

  return {
    run: (statement) => withConnection(async (connection) => void (await connection.run(statement))),
    count: (statement) =>
      withConnection(async (connection) => Number((await connection.runAndReadAll(statement)).getRows()[0]?.[0])),
    close: () =>
      opening.then(
        (instance) => instance.closeSync(),
        () => {},
      ),
  }
}

/**
 * Writes lines as one Snappy Parquet file, in their order. Strict: whatever DuckDB cannot take fails the whole job, as every line was
 * found readable before.
 */
export function duckDbWriter(duckDb: DuckDb, options: WriterOptions): ParquetWriter {
  const { table, dedupeBy } = options
  const columns = duckDbColumns(table)
  const lineOf = duckDbLine(table)
  const db = openDuckDb(duckDb, options)
  return {
    lineOf,
    async write(lines, output) {
      const rows = `SELECT ${columns.select} FROM ${readLines(lines, columns.read)}`
      const to = `TO ${sqlText(output)} (FORMAT parquet, COMPRESSION snappy)`
      if (dedupeBy.length === 0) {
        await db.run(`COPY (${rows}) ${to}`)
        return { duplicateRows: 0 }
      }
      const keys = dedupeBy.map((name) => `"${name}"`).join(', ')
      // Counted apart from what is written, so that the rows of the file can be checked against it.
      const duplicateRows = await db.count(
        `SELECT (SELECT count(*) FROM (${rows})) - (SELECT count(*) FROM (SELECT DISTINCT ${keys} FROM (${rows})))`,
      )
      await db.run(`COPY (${leastOfEach(rows, keys, Object.keys(table.columns))}) ${to}`)
      return { duplicateRows }
    },
    close: () => db.close(),
  }
}

/** Of the rows with equal keys the least, by all columns in their order; where it stood first. */
function leastOfEach(rows: string, keys: string, names: readonly string[]): string {
  const order = names.map((name) => `"${name}" ASC NULLS LAST`).join(', ')
  const rank = `row_number() OVER (PARTITION BY ${keys} ORDER BY ${order}, pipe_row)`
  const numbered = `SELECT *, row_number() OVER () AS pipe_row FROM (${rows})`
  return `SELECT * EXCLUDE (pipe_row) FROM (${numbered}) QUALIFY ${rank} = 1 ORDER BY pipe_row`
}

function readLines({ path, longestLine }: CleanLines, columns: string): string {
  // The reader keeps buffers of twice this size a thread, so it is raised only for what needs it. Its default is 16 MiB.
  const maximum = longestLine > 16_000_000 ? `, maximum_object_size = ${longestLine + 1024}` : ''
  return `read_ndjson(${sqlText(path)}, columns = ${columns}, records = 'true'${maximum})`
}
