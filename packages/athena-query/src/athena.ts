import { AthenaClient } from '@aws-sdk/client-athena'
import {
  ConfigError,
  type Duration,
  durationMs,
  type ObjectStoreOptions,
  PipeError,
  parseLocation,
  type S3Location,
} from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { createTableWork, type TableWork } from './builder/table-work'
import { type Connection, type ExecutionReport, type RunOptions, reportOf, runOptionNames, startRun } from './execution'
import { createPoller } from './poller'
import { createQuery, type Query, type QueryOptions, type QueryRow, routeOptionNames } from './query'
import { renderSql } from './render'
import { updatedRows } from './result/pages'
import { createStores } from './result/result-object'
import type { Returns } from './result/row-plan'
import { isFragment, type SqlFragment, sqlError } from './sql'
import { createResultConfiguration } from './workgroup'

/** What {@link createAthena} takes. */
export interface AthenaOptions {
  /** Default `primary`. */
  readonly workgroup?: string | undefined
  /** Database of names that are not qualified. */
  readonly database?: string | undefined
  /** Where result files go. May be left out when the workgroup has an output location. */
  readonly output?: S3Location | undefined
  /** Default: made from the standard environment (`AWS_ENDPOINT_URL` works). A given client is not closed by `close()`. */
  readonly client?: AthenaClient | undefined
  /**
   * Client of S3, for results that are read from their files. Default: made from the standard environment, unless `client` is given: then
   * results come page by page. A given one is not closed by `close()`.
   */
  readonly s3?: ObjectStoreOptions['client']
  /** Pause between polls: starts at the first, grows to the second. Default `['100 ms', '2 seconds']`. */
  readonly poll?: readonly [Duration, Duration] | undefined
}

/** Athena, with one poller for all executions of this client. */
export interface Athena extends TableWork, AsyncDisposable {
  readonly database: string | undefined
  readonly workgroup: string
  /**
   * A typed query. Runs when it is first used.
   *
   * @throws {@link ConfigError} `PIPE_ATHENA_SQL` or `PIPE_ATHENA_COLUMN` for a statement or `returns` that can never work.
   */
  query<const R extends Returns | 'text'>(sql: SqlFragment, options: QueryOptions<R>): Query<QueryRow<R>>
  /**
   * Runs one statement to its end: DDL text (of `tableDdl`) or a fragment of the `sql` tag.
   *
   * @throws {@link AthenaQueryError} when it fails, {@link PipeError} `PIPE_ATHENA_TIMEOUT`, or the signal's reason.
   */
  execute(statement: SqlFragment | string, options?: RunOptions): Promise<ExecutionReport>
  /** Stops what still runs, on the server too, and closes the client if it was made here. Idempotent. */
  close(): Promise<void>
}

/**
 * Connects to Athena. Nothing is sent before the first statement.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` or `PIPE_LOCATION` for options that can never work.
 * @example
 * ```ts
 * await using athena = createAthena({ database: 'logs', output: 's3://lake/results/' })
 * const query = athena.query(sql`SELECT count(*) AS n FROM ${deviceLogs}`, { returns: { n: column.bigint() } })
 * for await (const { n } of query) console.log(n)
 * ```
 */
export function createAthena(options: AthenaOptions = {}): Athena {
  checkOptions('createAthena', options, { optional: ['workgroup', 'database', 'output', 'client', 's3', 'poll'] })
  const { workgroup = 'primary', database, output } = options
  if (!/^[a-zA-Z0-9._-]{1,128}$/.test(workgroup)) {
    throw new ConfigError(`createAthena: ${JSON.stringify(workgroup)} cannot name a workgroup.`, {
      hint: 'A name has 1 to 128 letters, digits, ".", "_" and "-".',
    })
  }
  if (output !== undefined) parseLocation(output)
  const poll = pollOf(options.poll)
  // One policy of retries (request.ts), not two: the SDK's own takes full slots for a rate limit and gives up within seconds.
  const client = options.client ?? new AthenaClient({ maxAttempts: 1 })
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  const poller = createPoller(client, poll)
  const stores = createStores(options.s3)
  const connection: Connection = {
    client,
    poller,
    workgroup,
    database,
    closing: closing.signal,
    output,
    openStore: options.client && !options.s3 ? undefined : stores.open,
    resultConfiguration: createResultConfiguration(client, workgroup, output),
    track: (work) => {
      running.add(work)
      work.then(
        () => running.delete(work),
        () => running.delete(work),
      )
    },
  }

  async function runToEnd(statement: string, runOptions: RunOptions): Promise<ExecutionReport> {
    const execution = await startRun(connection, statement, runOptions).ended
    return reportOf(execution, await updatedRows(client, execution, runOptions.signal))
  }

  async function close(): Promise<void> {
    closing.abort(new PipeError('PIPE_ATHENA_CLOSED', 'The Athena client was closed.'))
    await Promise.allSettled(running)
    poller.close()
    stores.close()
    if (options.client === undefined) client.destroy()
  }

  const query = <const R extends Returns | 'text'>(statement: SqlFragment, queryOptions: QueryOptions<R>): Query<QueryRow<R>> => {
    checkOptions('query', queryOptions, { required: ['returns'], optional: [...runOptionNames, ...routeOptionNames] })
    const text = textOf('query', statement)
    return createQuery<QueryRow<R>>(connection, text, queryOptions)
  }

  return {
    database,
    workgroup,
    query,
    execute: async (statement, runOptions = {}) => {
      checkOptions('execute', runOptions, { optional: runOptionNames })
      return runToEnd(typeof statement === 'string' ? statement : textOf('execute', statement), runOptions)
    },
    ...createTableWork({
      ...connection,
      runToEnd,
      rowsOf: (statement, returns, runOptions) => query(statement, { ...runOptions, returns }).rows(),
    }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function textOf(where: string, statement: SqlFragment): string {
  if (!isFragment(statement))
    throw sqlError(`${where}: the statement is not a fragment of the sql tag.`, { hint: 'Write sql`…`.' })
  return renderSql(statement)
}

function pollOf(poll: readonly [Duration, Duration] = ['100 ms', '2 seconds']): readonly [number, number] {
  const [first, longest] = [durationMs(poll[0]), durationMs(poll[1])]
  if (first < 1 || first > longest) {
    throw new ConfigError(`createAthena: poll [${poll.join(', ')}] must grow, from at least 1 ms.`)
  }
  return [first, longest]
}
