import type { RunResult } from './run'

/** What {@link metricsOf} takes. */
export interface MetricsOptions {
  /** Namespace in CloudWatch. */
  readonly namespace: string
  /** Dimensions besides the table. Default none. */
  readonly dimensions?: Readonly<Record<string, string>> | undefined
  /** When they were measured. Default now. */
  readonly at?: Date | undefined
}

const units: Readonly<Record<string, 'Count' | 'Bytes' | 'Milliseconds' | 'Seconds'>> = {
  InputFiles: 'Count',
  OutputFiles: 'Count',
  InputBytes: 'Bytes',
  OutputBytes: 'Bytes',
  InputRows: 'Count',
  OutputRows: 'Count',
  QuarantinedRows: 'Count',
  DuplicateRows: 'Count',
  LateFiles: 'Count',
  OverwrittenFiles: 'Count',
  UnplacedFiles: 'Count',
  LostRaces: 'Count',
  RemainingWindows: 'Count',
  Requests: 'Count',
  Statements: 'Count',
  Elapsed: 'Milliseconds',
}

/**
 * The numbers of a run as one line of CloudWatch's embedded metric format: printed to the log of a Lambda function, CloudWatch makes metrics
 * of it. What the run committed is counted, in all its windows.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function metricsOf(table: string, result: RunResult, options: MetricsOptions): string {
  const { namespace, dimensions = {}, at = new Date() } = options
  const committed = [result, ...result.sweep].filter(({ outcome }) => outcome === 'committed' || outcome === 'partial')
  const all = [result, ...result.sweep]
  const sum = <T>(items: readonly T[], pick: (item: T) => number) => items.reduce((total, item) => total + pick(item), 0)
  const values: Record<string, number> = {
    InputFiles: sum(committed, ({ files }) => files),
    OutputFiles: sum(committed, ({ outputs }) => outputs.length),
    InputBytes: sum(committed, ({ inputBytes }) => inputBytes),
    OutputBytes: sum(committed, ({ outputBytes }) => outputBytes),
    InputRows: sum(committed, ({ inputRows }) => inputRows),
    OutputRows: sum(committed, ({ outputRows }) => outputRows),
    QuarantinedRows: sum(committed, ({ quarantinedRows }) => quarantinedRows),
    DuplicateRows: sum(committed, ({ duplicateRows }) => duplicateRows),
    LateFiles: sum(all, ({ lateFiles }) => lateFiles),
    OverwrittenFiles: sum(all, ({ overwritten }) => overwritten.length),
    UnplacedFiles: result.unplacedCount,
    LostRaces: sum(all, ({ lostRaces }) => lostRaces),
    RemainingWindows: result.remaining.length,
    Requests: result.requests,
    Statements: result.statements,
    Elapsed: result.elapsedMs,
  }
  const labels = { Table: table, ...dimensions }
  const Metrics = Object.entries(units).map(([Name, Unit]) => ({ Name, Unit }))
  return JSON.stringify({
    _aws: {
      Timestamp: at.getTime(),
      CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [Object.keys(labels)], Metrics }],
    },
    ...labels,
    Window: result.window,
    Outcome: result.outcome,
    Engine: result.engine,
    ...values,
  })
}
