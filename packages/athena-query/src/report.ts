import type { QueryExecution } from '@aws-sdk/client-athena'
import { type AthenaPrices, costOf } from './cost'

/** What one execution did and cost. */
export interface ExecutionReport {
  readonly id: string
  /** `DML`, `DDL` or `UTILITY`, as Athena says. */
  readonly statementType: string
  /** From submission to end, with the time in the queue. */
  readonly elapsedMs: number
  readonly queuedMs: number
  /** What Athena charges for (it bills at least 10 MB a query). */
  readonly scannedBytes: number
  /** By the prices of the client; US dollars. */
  readonly estimatedDollars: number
  /** Whether Athena gave an earlier result instead of running it: see `reuse`. */
  readonly reusedResult: boolean
  /** Runs of the statement that it took: 1 unless a failed one was run again. */
  readonly runs: number
  /** Rows written by CTAS and INSERT; 0 for others. */
  readonly updatedRows: number
  /** `s3://…` of the result file; absent with managed results. */
  readonly outputLocation: string | undefined
  /** What looked wrong in the statement, such as a table without a filter on its partitions. */
  readonly warnings: readonly string[]
}

/** The report of an execution that has succeeded. */
export function reportOf(
  execution: QueryExecution,
  around: {
    readonly prices: AthenaPrices
    readonly runs: number
    readonly updatedRows?: number
    readonly warnings?: readonly string[] | undefined
  },
): ExecutionReport {
  const { Statistics: statistics, Status: status } = execution
  const span = (status?.CompletionDateTime?.getTime() ?? 0) - (status?.SubmissionDateTime?.getTime() ?? 0)
  const { bytes, dollars } = costOf(execution, around.prices)
  return {
    id: execution.QueryExecutionId ?? '',
    statementType: execution.StatementType ?? '',
    elapsedMs: statistics?.TotalExecutionTimeInMillis ?? Math.max(0, span),
    queuedMs: statistics?.QueryQueueTimeInMillis ?? 0,
    scannedBytes: bytes,
    estimatedDollars: dollars,
    reusedResult: statistics?.ResultReuseInformation?.ReusedPreviousResult ?? false,
    runs: around.runs,
    updatedRows: around.updatedRows ?? 0,
    outputLocation: execution.ResultConfiguration?.OutputLocation,
    warnings: around.warnings ?? [],
  }
}
