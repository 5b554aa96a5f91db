import { randomUUID } from 'node:crypto'
import type { AthenaClient } from '@aws-sdk/client-athena'
import { type Column, ConfigError, PipeError, parseLocation, type RowOf, type S3Location, type Table } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type CtasOptions, ctasSql } from '../ctas'
import { describeTable, type TableDescription } from '../introspect/table-description'
import { renderSql } from '../render'
import type { ExecutionReport } from '../report'
import { type OpenStore, splitUri } from '../result/result-object'
import type { Returns } from '../result/row-plan'
import { type RunOptions, runOptionNames } from '../run-options'
import { identifier, joinSql, type SqlFragment, sql, unsafeRaw } from '../sql'
import { type InsertOptions, insertSql } from './insert'
import { type UnloadOptions, unloadSql } from './unload'

/** What a statement wrote, and where. */
export interface WriteReport extends ExecutionReport {
  /** The folder of the files. */
  readonly location: S3Location
}

/** What {@link Athena.insert} did. */
export interface InsertReport {
  readonly insertedRows: number
  readonly statements: readonly ExecutionReport[]
}

/** Options of {@link Athena.peekTable}. */
export interface PeekTableOptions extends RunOptions {
  /** Default 10. */
  readonly rows?: number | undefined
  /** Only rows that satisfy it. Without a condition on a partition, Athena may read all files of the table. */
  readonly where?: SqlFragment | undefined
}

/** Statements about whole tables. */
export interface TableWork {
  /**
   * Creates a table from a query: see {@link ctasSql}. The report's `updatedRows` is the number of rows written. A folder that holds objects
   * is refused before anything is sent, where the client may list it; a failed attempt in a folder of its own (`folderPerAttempt`) is cleaned up.
   */
  ctas(options: CtasOptions): Promise<WriteReport>
  /** Writes a query's rows into files: see {@link unloadSql}. */
  unload(options: UnloadOptions): Promise<WriteReport>
  /**
   * Inserts rows, in as many statements as needed, one after the other: see {@link insertSql}. With an `idempotencyKey` a repetition inserts
   * nothing twice.
   */
  insert<T extends Table>(options: InsertOptions<T> & RunOptions): Promise<InsertReport>
  /** The first rows of a table that Athena comes to. */
  peekTable<T extends Table>(table: T, options?: PeekTableOptions): Promise<RowOf<T>[]>
  /** A table of the catalogue with its partition keys: `describe('logs.device_logs')`. Without a database: that of the client. */
  describe(table: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<TableDescription>
}

/** What {@link createTableWork} works with. */
export interface TableWorkBasis {
  readonly client: AthenaClient
  readonly database: string | undefined
  /** Absent when the client has no access to S3. */
  readonly openStore: OpenStore | undefined
  /** Runs a statement and tells its rows. */
  runToEnd(statement: string, options: RunOptions): Promise<ExecutionReport>
  rowsOf(statement: SqlFragment, returns: Returns, options: RunOptions): Promise<unknown[]>
}

/** Makes it over one client. */
export function createTableWork({ client, database: ownDatabase, openStore, runToEnd, rowsOf }: TableWorkBasis): TableWork {
  /** Key of an object below a folder; `undefined` when it is empty, or may not be listed: then Athena's own check must do. */
  async function firstKey(location: S3Location, signal: AbortSignal | undefined): Promise<string | undefined> {
    const { bucket, key: prefix } = splitUri(location)
    try {
      for await (const { key } of openStore!(bucket).list({ prefix, ...(signal && { signal }) })) return key
    } catch (error) {
      if (!PipeError.isInstance(error) || error.code !== 'PIPE_IAM_DENIED') throw error
    }
    return undefined
  }

  async function checkEmpty(what: string, location: S3Location, signal: AbortSignal | undefined): Promise<void> {
    const found = openStore && (await firstKey(location, signal))
    if (found === undefined) return
    throw new PipeError('PIPE_ATHENA_TARGET', `${what}: ${location} is not empty: it holds ${found}. Nothing was sent.`, {
      hint: 'Give each attempt a folder of its own: folderPerAttempt: true.',
      details: { location },
    })
  }

  /** Athena deletes nothing of what a failed statement wrote. */
  async function cleanUp(location: S3Location): Promise<void> {
    const { bucket, key: prefix } = splitUri(location)
    const store = openStore!(bucket)
    for await (const { key } of store.list({ prefix })) await store.delete(key)
  }

  async function write(
    what: string,
    given: { readonly location: S3Location; readonly folderPerAttempt?: boolean | undefined },
    render: (location: S3Location) => SqlFragment,
    options: RunOptions,
  ): Promise<WriteReport> {
    parseLocation(given.location)
    const location: S3Location = given.folderPerAttempt ? `${given.location}${randomUUID()}/` : given.location
    const statement = renderSql(render(location))
    if (!given.folderPerAttempt) await checkEmpty(what, location, options.signal)
    try {
      return { ...(await runToEnd(statement, options)), location }
    } catch (error) {
      // The folder is ours alone. What cannot be deleted now stays; the caller must see why the statement failed, not this.
      if (given.folderPerAttempt && openStore) await cleanUp(location).catch(() => undefined)
      throw error
    }
  }

  return {
    ctas: async ({ folderPerAttempt, ...options }) =>
      write('ctas', { location: options.location, folderPerAttempt }, (location) => ctasSql({ ...options, location }), options),
    unload: async ({ folderPerAttempt, ...options }) =>
      write('unload', { location: options.to, folderPerAttempt }, (to) => unloadSql({ ...options, to }), options),

    insert: async (options) => {
      const given = Object.entries(options)
      const runOptions: RunOptions = Object.fromEntries(given.filter(([name]) => runOptionNames.includes(name)))
      const insertOptions = Object.fromEntries(given.filter(([name]) => !runOptionNames.includes(name)))
      const statements: ExecutionReport[] = []
      let insertedRows = 0
      for (const statement of insertSql(insertOptions as unknown as InsertOptions<Table>)) {
        // Two statements of the same rows are two: each has a key of its own.
        const key = runOptions.idempotencyKey && `${runOptions.idempotencyKey}/${statements.length}`
        const report = await runToEnd(renderSql(statement), { ...runOptions, idempotencyKey: key })
        statements.push(report)
        insertedRows += report.updatedRows
      }
      return { insertedRows, statements }
    },

    peekTable: async <T extends Table>(table: T, options: PeekTableOptions = {}): Promise<RowOf<T>[]> => {
      checkOptions('peekTable', options, { optional: ['rows', 'where', ...runOptionNames] })
      const { rows = 10, where, ...runOptions } = options
      if (!Number.isInteger(rows) || rows < 1) throw new ConfigError(`peekTable: rows must be a whole number, not ${rows}.`)
      const names = Object.keys(table.columns).map((name) => identifier(name))
      const condition = where === undefined ? unsafeRaw('') : sql` WHERE ${where}`
      const statement = sql`SELECT ${joinSql(names)} FROM ${table}${condition} LIMIT ${rows}`
      return (await rowsOf(statement, nullable(table.columns), runOptions)) as RowOf<T>[]
    },

    describe: async (table, { signal } = {}) => {
      const parts = table.split('.')
      const name = parts.at(-1)!
      const database = parts.length > 1 ? parts.slice(0, -1).join('.') : ownDatabase
      if (database === undefined || database === '' || name === '') {
        throw new ConfigError(`describe: ${JSON.stringify(table)} does not name a table in a database.`, {
          hint: "Write 'database.table', or give createAthena({ database }).",
        })
      }
      return describeTable(client, { database, name }, signal)
    },
  }
}

/** Who peeks wants to see what is there, a NULL where none should be too. */
function nullable(columns: Readonly<Record<string, Column>>): Returns {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.nullable()]))
}
