import type { Duration } from '@pipe/core'

/** Options of following one execution. */
export interface FollowOptions {
  /** Aborting stops the execution on the server; the call then rejects with the signal's own reason. */
  readonly signal?: AbortSignal | undefined
  /** After this the execution is stopped on the server and the call rejects with `PIPE_ATHENA_TIMEOUT`. Default none. */
  readonly timeout?: Duration | undefined
  /**
   * Stops it when it is seen to have scanned more, with `PIPE_ATHENA_SCAN_LIMIT`. What was scanned until then is paid; a statement that ends before it is
   * seen is delivered. Default none.
   */
  readonly maxScannedBytes?: number | undefined
  /** Called when the execution is submitted, at each look at it, and for each page of rows. */
  readonly onProgress?:
    | ((progress: { phase: 'queued' | 'running' | 'reading'; done: number; unit: 'ms' | 'rows' }) => void)
    | undefined
}

/** Options of one execution. */
export interface RunOptions extends FollowOptions {
  /** Database for this statement only. */
  readonly database?: string | undefined
  /**
   * Same key and same statement: Athena gives back the same execution instead of running it again, also when that one failed. A retry
   * after a failure therefore needs another key.
   */
  readonly idempotencyKey?: string | undefined
  /**
   * Takes the result of an earlier run of the same query in the workgroup that is not older: whole minutes, up to `'7 days'`. The data may have changed
   * meanwhile. Athena may decline; the report says `reusedResult`. Default: never.
   */
  readonly reuse?: Duration | undefined
  /**
   * How often a failed statement is run again when that is safe: Athena calls the failure retryable and the statement only reads, or it lost against
   * another Iceberg commit. Default 1.
   */
  readonly reruns?: number | undefined
}

/** Names of {@link FollowOptions}. */
export const followOptionNames: readonly string[] = ['signal', 'timeout', 'maxScannedBytes', 'onProgress']
/** Names of {@link RunOptions}. */
export const runOptionNames: readonly string[] = [...followOptionNames, 'database', 'idempotencyKey', 'reuse', 'reruns']
