import type { AthenaClient } from '@aws-sdk/client-athena'
import {
  type Clock,
  ConfigError,
  type Duration,
  durationMs,
  type ObjectStoreOptions,
  PipeError,
  parseLocation,
  type S3Location,
  systemClock,
} from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { createTableWork, type TableWork } from './builder/table-work'
import type { Connection } from './connection'
import { type AthenaPrices, type AthenaSpending, athenaPrices, createLedger } from './cost'
import { startRun } from './execution'
import { type HeldHub, openHub } from './hub'
import { lintPartitions, type PartitionFilterRule } from './partition-filter'
import {
  createQuery,
  type Query,
  type QueryOptions,
  type QueryRow,
  type ResumeOptions,
  resumeQuery,
  routeOptionNames,
} from './query'
import { renderSql } from './render'
import { type ExecutionReport, reportOf } from './report'
import { updatedRows } from './result/pages'
import { createStores } from './result/result-object'
import type { Returns } from './result/row-plan'
import { followOptionNames, type RunOptions, runOptionNames } from './run-options'
import { isFragment, type SqlFragment, sqlError } from './sql'
import { submitOnly } from './submission'
import { createWorkgroupReader } from './workgroup'

/** What {@link createAthena} takes. */
export interface AthenaOptions {
  /** Default `primary`. */
  readonly workgroup?: string | undefined
  /** Database of names that are not qualified. */
  readonly database?: string | undefined
  /** Where result files go. May be left out when the workgroup has an output location. */
  readonly output?: S3Location | undefined
  /** AWS account (12 digits) that must own the bucket of `output`; else Athena refuses the statement. */
  readonly expectedBucketOwner?: string | undefined
  /**
   * Default: one for the process, made from the standard environment (`AWS_ENDPOINT_URL` works). Athena clients with the same one share its queue and its
   * poller. A given client is not closed by `close()`; give it `maxAttempts: 1`, as this package has its own policy of retries.
   */
  readonly client?: AthenaClient | undefined
  /**
   * Client of S3, for results that are read from their files. Default: made from the standard environment, unless `client` is given: then
   * results come page by page. A given one is not closed by `close()`.
   */
  readonly s3?: ObjectStoreOptions['client']
  /**
   * Pause between looks at an execution: starts at the first, grows to the second. Default `['100 ms', '2 seconds']`. As soon as several executions are
   * followed there is one look a second for all of them (or at the second pause, when that is shorter).
   */
  readonly poll?: readonly [Duration, Duration] | undefined
  /** Most executions of this client at once; others wait here. Default: as many as the account has slots. */
  readonly concurrency?: number | undefined
  /** What it may spend, in US dollars by `prices`: then `PIPE_ATHENA_BUDGET`. Executions that pass it are stopped. Default: no limit. */
  readonly budgetDollars?: number | undefined
  /** Default {@link athenaPrices}. */
  readonly prices?: AthenaPrices | undefined
  /**
   * What happens to a statement that reads a table contract with partitions and filters by none of them: `'report'` (default) puts it into the warnings of
   * the report, `'require'` refuses it, `'off'` does not look.
   */
  readonly partitionFilter?: PartitionFilterRule | undefined
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
  /**
   * Submits a statement and does not wait: resolves with the id of its execution, for `resume` or for who hears of its end by EventBridge. It
   * runs on when this client closes.
   *
   * @throws as `execute`, as far as Athena refuses it at once.
   */
  submit(statement: SqlFragment | string, options?: SubmitOptions): Promise<string>
  /**
   * Follows an execution that was submitted before, by this process or another. Nothing is sent before it is used. Leaving it early stops the execution,
   * as with a query of its own.
   */
  resume<const R extends Returns | 'text' = 'text'>(id: string, options?: ResumeOptions<R>): Query<QueryRow<R>>
  /** What its executions have scanned and cost so far. */
  spending(): AthenaSpending
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
  return createAthenaWith(options, systemClock)
}

/** Options of {@link Athena.submit}. */
export type SubmitOptions = Pick<RunOptions, 'signal' | 'database' | 'idempotencyKey' | 'reuse'>

const optionNames = [
  ...['workgroup', 'database', 'output', 'expectedBucketOwner', 'client', 's3', 'poll'],
  ...['concurrency', 'budgetDollars', 'prices', 'partitionFilter'],
]

/** @see {@link createAthena}. The clock is that of the queue and the poller. */
export function createAthenaWith(options: AthenaOptions, clock: Clock): Athena {
  checkOptions('createAthena', options, { optional: optionNames })
  checkValues(options)
  const pauses = pausesOf(options.poll)
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  const hub = openHub(options.client, clock)
  const stores = createStores(options.s3)
  const connection = connect(options, hub, {
    pauses,
    closing: closing.signal,
    openStore: options.client && !options.s3 ? undefined : stores.open,
    track: (work) => {
      running.add(work)
      work.then(
        () => running.delete(work),
        () => running.delete(work),
      )
    },
  })
  const { client, prices } = connection
  const lint = (where: string, statement: SqlFragment | string) =>
    isFragment(statement) ? lintPartitions(where, statement, options.partitionFilter ?? 'report') : []

  async function runToEnd(statement: string, runOptions: RunOptions, warnings: readonly string[] = []): Promise<ExecutionReport> {
    const { ended, runs } = startRun(connection, statement, runOptions)
    const execution = await ended
    const rows = await updatedRows(client, execution, runOptions.signal)
    return reportOf(execution, { prices, runs: runs(), updatedRows: rows, warnings })
  }

  async function close(): Promise<void> {
    closing.abort(new PipeError('PIPE_ATHENA_CLOSED', 'The Athena client was closed.'))
    await Promise.allSettled(running)
    stores.close()
    hub.close()
  }

  const query = <const R extends Returns | 'text'>(statement: SqlFragment, queryOptions: QueryOptions<R>): Query<QueryRow<R>> => {
    checkOptions('query', queryOptions, { required: ['returns'], optional: [...runOptionNames, ...routeOptionNames] })
    const text = textOf('query', statement)
    return createQuery<QueryRow<R>>(connection, text, queryOptions, lint('query', statement))
  }

  return {
    database: connection.database,
    workgroup: connection.workgroup,
    query,
    execute: async (statement, runOptions = {}) => {
      checkOptions('execute', runOptions, { optional: runOptionNames })
      return runToEnd(textOf('execute', statement), runOptions, lint('execute', statement))
    },
    submit: async (statement, submitOptions = {}) => {
      checkOptions('submit', submitOptions, { optional: ['signal', 'database', 'idempotencyKey', 'reuse'] })
      const text = textOf('submit', statement)
      lint('submit', statement)
      return submitOnly(connection, text, submitOptions)
    },
    resume: <const R extends Returns | 'text'>(id: string, resumeOptions: ResumeOptions<R> = {}): Query<QueryRow<R>> => {
      checkOptions('resume', resumeOptions, { optional: [...followOptionNames, 'returns', 'route'] })
      return resumeQuery<QueryRow<R>>(connection, id, resumeOptions)
    },
    spending: () => connection.ledger.spending(),
    ...createTableWork({
      ...connection,
      runToEnd,
      rowsOf: (statement, returns, runOptions) => query(statement, { ...runOptions, returns }).rows(),
    }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function connect(
  options: AthenaOptions,
  { client, scheduler, poller }: HeldHub,
  around: Pick<Connection, 'pauses' | 'closing' | 'openStore' | 'track'>,
): Connection {
  const { workgroup = 'primary', database, output, expectedBucketOwner, prices = athenaPrices } = options
  const { concurrency = Number.POSITIVE_INFINITY, budgetDollars } = options
  return {
    ...around,
    ...{ client, scheduler, poller, workgroup, database, output, expectedBucketOwner, prices },
    limit: { most: concurrency, active: 0 },
    ledger: createLedger(prices, budgetDollars),
    workgroupSettings: createWorkgroupReader(client, workgroup),
  }
}

function checkValues(options: AthenaOptions): void {
  const { workgroup = 'primary', output, expectedBucketOwner, concurrency, budgetDollars, partitionFilter } = options
  if (!/^[a-zA-Z0-9._-]{1,128}$/.test(workgroup)) {
    throw new ConfigError(`createAthena: ${JSON.stringify(workgroup)} cannot name a workgroup.`, {
      hint: 'A name has 1 to 128 letters, digits, ".", "_" and "-".',
    })
  }
  if (output !== undefined) parseLocation(output)
  if (expectedBucketOwner !== undefined && !/^\d{12}$/.test(expectedBucketOwner))
    throw new ConfigError('createAthena: expectedBucketOwner is no account of 12 digits.')
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0))
    throw new ConfigError(`createAthena: concurrency is ${concurrency}, not a count of executions.`)
  if (budgetDollars !== undefined && !(budgetDollars >= 0))
    throw new ConfigError(`createAthena: budgetDollars is ${budgetDollars}, not an amount of dollars.`)
  if (partitionFilter !== undefined && !['report', 'require', 'off'].includes(partitionFilter))
    throw new ConfigError(`createAthena: partitionFilter cannot be ${JSON.stringify(partitionFilter)}.`, {
      hint: "Use 'report', 'require' or 'off'.",
    })
}

function textOf(where: string, statement: SqlFragment | string): string {
  if (typeof statement === 'string' && where !== 'query') return statement
  if (!isFragment(statement))
    throw sqlError(`${where}: the statement is not a fragment of the sql tag.`, { hint: 'Write sql`…`.' })
  return renderSql(statement)
}

function pausesOf(poll: readonly [Duration, Duration] = ['100 ms', '2 seconds']): readonly [number, number] {
  const [first, longest] = [durationMs(poll[0]), durationMs(poll[1])]
  if (first < 1 || first > longest) {
    throw new ConfigError(`createAthena: poll [${poll.join(', ')}] must grow, from at least 1 ms.`)
  }
  return [first, longest]
}
