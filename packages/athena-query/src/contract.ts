import type { AthenaClient } from '@aws-sdk/client-athena'
import type { Column, Duration, RowOfColumns, S3Location } from '@pipe/core'
import type { SqlFragment } from './sql'

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
  /** Pause between polls: starts at the first, grows to the second. Default `['100 ms', '2 seconds']`. */
  readonly poll?: readonly [Duration, Duration] | undefined
}

/** Options of one execution. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  /** After this the execution is stopped on the server and the call rejects with `PIPE_ATHENA_TIMEOUT`. Default none. */
  readonly timeout?: Duration | undefined
  /** Database for this statement only. */
  readonly database?: string | undefined
  /** Same key and same statement: Athena gives back the same execution instead of running it again. */
  readonly idempotencyKey?: string | undefined
  readonly onProgress?:
    | ((progress: { phase: 'queued' | 'running' | 'reading'; done: number; unit: 'ms' | 'rows' }) => void)
    | undefined
}

/** Columns that a query returns, by name. Checked against Athena's own column types at run time. */
export type Returns = Readonly<Record<string, Column>>

export interface QueryOptions<R extends Returns> extends RunOptions {
  readonly returns: R
}

/** What one execution did and cost. */
export interface ExecutionReport {
  readonly id: string
  readonly statementType: string
  readonly elapsedMs: number
  readonly queuedMs: number
  readonly scannedBytes: number
  /** Rows written by CTAS; 0 for others. */
  readonly updatedRows: number
  readonly outputLocation: string | undefined
}

/** A query. Nothing runs before it is iterated or one of its methods is called; it runs once. */
export interface Query<Row> extends AsyncIterable<Row>, AsyncDisposable {
  rows(): Promise<Row[]>
  first(): Promise<Row | undefined>
  /** Ends when the execution has ended. Rejects when it failed. */
  report(): Promise<ExecutionReport>
  /** Stops it on the server. Idempotent. Leaving the iteration early does the same. */
  cancel(): Promise<void>
}

export interface CtasOptions extends RunOptions {
  /** Name of the new table. */
  readonly table: string
  readonly as: SqlFragment
  /** Empty folder for the data: Athena refuses one that holds objects (HIVE_PATH_ALREADY_EXISTS). */
  readonly location: S3Location
  /** Default `'PARQUET'`. */
  readonly format?: 'PARQUET' | 'ORC' | 'JSON' | 'TEXTFILE' | undefined
  /** Default `'SNAPPY'` for Parquet: Athena's own default is GZIP. */
  readonly compression?: 'SNAPPY' | 'GZIP' | 'ZSTD' | 'NONE' | undefined
  /** `{ by: ['device_name'], count: 1 }` gives one file. */
  readonly buckets?: { readonly by: readonly string[]; readonly count: number } | undefined
}

export interface Athena extends AsyncDisposable {
  readonly database: string | undefined
  readonly workgroup: string
  query<const R extends Returns>(sql: SqlFragment, options: QueryOptions<R>): Query<RowOfColumns<R>>
  /** Runs one statement to its end: DDL text (of `tableDdl`) or a fragment of the `sql` tag. */
  execute(statement: SqlFragment | string, options?: RunOptions): Promise<ExecutionReport>
  ctas(options: CtasOptions): Promise<ExecutionReport>
  close(): Promise<void>
}
