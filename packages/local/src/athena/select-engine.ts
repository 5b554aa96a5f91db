import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { checkOptions } from '@pipe/core/internal'
import type { CompiledSelect, SelectEngine } from './query-engine'
import { cellText } from './select/cell-text'
import { compileSelect } from './select/compile'
import { registerNativeFunctions } from './select/native/register'
import { runtimeFailure } from './select/runtime-failure'
import { parseType } from './select/trino-type'

/** Options of {@link createSelectEngine}. */
export interface SelectEngineOptions {
  /** DuckDB's memory limit. Default `1GB`. */
  readonly memoryLimit?: string | undefined
  /** Threads of all queries together. Default 2. */
  readonly threads?: number | undefined
  /** Time of current_timestamp, in milliseconds. Default the real clock. */
  readonly now?: (() => number) | undefined
  /** Folders that queries may read and write. Default any: the SQL holds only paths that scans put in. */
  readonly allowedDirectories?: readonly string[] | undefined
}

/**
 * The SELECT engine of the local Athena: Trino SQL, checked and translated, on an instance of DuckDB of its own. DuckDB is loaded when the
 * first query needs it. Each query has its own connection, so that several run at once.
 */
export async function createSelectEngine(options: SelectEngineOptions = {}): Promise<SelectEngine> {
  checkOptions('createSelectEngine', options, { optional: ['memoryLimit', 'threads', 'now', 'allowedDirectories'] })
  const now = options.now ?? Date.now
  let instance: Promise<DuckDBInstance> | undefined
  let closed = false

  const open = (): Promise<DuckDBInstance> => {
    if (closed) throw new Error('The SELECT engine is closed.')
    instance ??= start(options)
    return instance
  }

  // Runs work on a connection of its own, interrupted when the signal aborts.
  const connected = async (signal: AbortSignal | undefined): Promise<{ connection: DuckDBConnection; release(): void }> => {
    signal?.throwIfAborted()
    const connection = await (await open()).connect()
    if (signal?.aborted) {
      connection.closeSync()
      throw signal.reason
    }
    // DuckDB forgets an interrupt that comes before the query has begun, so it is told again until the query has ended.
    let again: NodeJS.Timeout | undefined
    const interrupt = (): void => {
      connection.interrupt()
      again ??= setInterval(interrupt, 20)
    }
    signal?.addEventListener('abort', interrupt, { once: true })
    return {
      connection,
      release() {
        signal?.removeEventListener('abort', interrupt)
        clearInterval(again)
        connection.closeSync()
      },
    }
  }

  return {
    compile: (sql, context) => compileSelect(sql, { ...context, now: now() }),
    async *run(query: CompiledSelect, { signal }) {
      const writers = query.columns.map((column) => cellText(parseType(column.fullType)))
      const { connection, release } = await connected(signal)
      try {
        const result = await connection.stream(query.sql)
        for (;;) {
          const chunk = await result.fetchChunk()
          signal?.throwIfAborted()
          if (chunk === null || chunk.rowCount === 0) return
          const columns = writers.map((write, index) => chunk.getColumnValues(index).map(write))
          const rows: (string | null)[][] = []
          for (let row = 0; row < chunk.rowCount; row++) rows.push(columns.map((column) => column[row] as string | null))
          yield rows
        }
      } catch (error) {
        signal?.throwIfAborted()
        throw runtimeFailure(error)
      } finally {
        release()
      }
    },
    async execute(sql, { signal }) {
      const { connection, release } = await connected(signal)
      try {
        const result = await connection.run(sql)
        const counted = (await result.getRows())[0]?.[0]
        return typeof counted === 'bigint' ? Number(counted) : result.rowsChanged
      } catch (error) {
        signal?.throwIfAborted()
        throw runtimeFailure(error)
      } finally {
        release()
      }
    },
    async close() {
      closed = true
      const running = await instance
      instance = undefined
      running?.closeSync()
    },
  }
}

async function start(options: SelectEngineOptions): Promise<DuckDBInstance> {
  const duckdb = await import('@duckdb/node-api')
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit ?? '1GB',
    threads: String(options.threads ?? 2),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  try {
    registerNativeFunctions(duckdb, connection)
    // DuckDB's ICU works in the zone of the machine unless told; every time here is UTC.
    await connection.run(`SET GLOBAL TimeZone = 'UTC'`)
    // Result rows come in the order of the files, as far as a query asks for an order at all; predicates are evaluated as written.
    await connection.run(`SET GLOBAL disabled_optimizers = 'reorder_filter'`)
    if (options.allowedDirectories !== undefined) {
      const list = options.allowedDirectories.map((folder) => `'${folder.replaceAll("'", "''")}'`).join(', ')
      await connection.run(`SET GLOBAL allowed_directories = [${list}]`)
      await connection.run('SET GLOBAL enable_external_access = false')
    }
    await connection.run('SET GLOBAL lock_configuration = true')
  } finally {
    connection.closeSync()
  }
  return instance
}
