import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { checkOptions } from '@pipe/core/internal'
import type { CompiledSelect, SelectEngine } from './query-engine'
import { cellText } from './select/cell-text'
import { columnsOfSelect, compileSelect } from './select/compile'
import { type NativeRefusals, registerNativeFunctions } from './select/native/register'
import { runtimeFailure } from './select/runtime-failure'
import { holdsText, textAsBytes } from './select/text-bytes'
import { parseType, type TrinoType } from './select/trino-type'

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
  /** Folder for what does not fit into memory; made when needed. Default `.tmp` in the working directory, as DuckDB has it. */
  readonly spillDirectory?: string | undefined
}

/**
 * The SELECT engine of the local Athena: Trino SQL, checked and translated, on an instance of DuckDB of its own. DuckDB is loaded when the
 * first query needs it. Each query has its own connection, so that several run at once.
 */
export async function createSelectEngine(options: SelectEngineOptions = {}): Promise<SelectEngine> {
  checkOptions('createSelectEngine', options, {
    optional: ['memoryLimit', 'threads', 'now', 'allowedDirectories', 'spillDirectory'],
  })
  const now = options.now ?? Date.now
  let instance: Promise<Running> | undefined
  let closed = false

  const open = (): Promise<Running> => {
    if (closed) throw new Error('The SELECT engine is closed.')
    instance ??= start(options)
    return instance
  }

  // Runs work on a connection of its own, interrupted when the signal aborts.
  const connected = async (signal: AbortSignal | undefined): Promise<Connected> => {
    signal?.throwIfAborted()
    const { instance: running, refusals } = await open()
    const connection = await running.connect()
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
      checkRefusal() {
        const refusal = refusals.take(connection)
        if (refusal !== undefined) throw new Error(refusal)
      },
      release() {
        refusals.take(connection)
        signal?.removeEventListener('abort', interrupt)
        clearInterval(again)
        connection.closeSync()
      },
    }
  }

  return {
    compile: (sql, context) => compileSelect(sql, { ...context, now: now() }),
    analyze: (sql, context) => columnsOfSelect(sql, { ...context, now: now() }),
    async *run(query: CompiledSelect, { signal }) {
      const types = query.columns.map((column) => parseType(column.fullType))
      const writers = types.map(cellText)
      const { connection, checkRefusal, release } = await connected(signal)
      try {
        const result = await connection.stream(withTextAsBytes(query.sql, types))
        for (;;) {
          const chunk = await result.fetchChunk()
          signal?.throwIfAborted()
          checkRefusal()
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
      const { connection, checkRefusal, release } = await connected(signal)
      try {
        const result = await connection.run(sql)
        checkRefusal()
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
      running?.instance.closeSync()
    },
  }
}

interface Running {
  readonly instance: DuckDBInstance
  readonly refusals: NativeRefusals
}

interface Connected {
  readonly connection: DuckDBConnection
  /** @throws what a native function refused, which DuckDB's TRY may have turned into NULL. */
  checkRefusal(): void
  release(): void
}

function withTextAsBytes(sql: string, types: readonly TrinoType[]): string {
  if (!types.some(holdsText)) return sql
  const names = types.map((_, index) => `c${index}`)
  return `SELECT ${names.map((name, index) => textAsBytes(name, types[index] as TrinoType)).join(', ')} FROM (${sql}) q(${names.join(', ')})`
}

async function start(options: SelectEngineOptions): Promise<Running> {
  const duckdb = await import('@duckdb/node-api')
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit ?? '1GB',
    threads: String(options.threads ?? 2),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    ...(options.spillDirectory === undefined ? {} : { temp_directory: options.spillDirectory }),
  })
  const connection = await instance.connect()
  try {
    const refusals = registerNativeFunctions(duckdb, connection)
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
    return { instance, refusals }
  } finally {
    connection.closeSync()
  }
}
