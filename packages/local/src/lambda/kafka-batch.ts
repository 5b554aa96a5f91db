import type { RuntimeClock } from '../clock'
import type { InvokeResult } from './invocation-log'
import { failedOffsets, partitionName } from './kafka-event'
import type { KafkaMapping } from './kafka-mapping'
import type { SourceRecord } from './kafka-source'

/** Why a batch was given up. */
export interface GivenUp {
  readonly records: readonly SourceRecord[]
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded'
  readonly attempts: number
  readonly result: InvokeResult | undefined
}

/** What a batch works with. */
export interface KafkaBatchOptions {
  readonly clock: RuntimeClock
  readonly mapping: KafkaMapping
  invoke(records: readonly SourceRecord[]): Promise<InvokeResult>
  isClosed(): boolean
  onFailure(message: string, attempt: number, isFinal: boolean): void
  onRetry(): void
  onGivenUp(givenUp: GivenUp): void
}

interface Chunk {
  readonly records: readonly SourceRecord[]
  readonly attempt: number
}

const firstDelayMs = 1000
const longestDelayMs = 60_000

/**
 * Runs a batch until each of its records was handled or given up; then calls `onDone`. What failed is tried again on the runtime's clock, as a
 * whole or from the first failed record of each partition on; with `bisects`, in halves.
 */
export function runKafkaBatch(batch: readonly SourceRecord[], options: KafkaBatchOptions, onDone: () => void): Promise<void> {
  const { clock, mapping, invoke, isClosed, onFailure, onRetry, onGivenUp } = options
  const chunks: Chunk[] = [{ records: batch, attempt: 1 }]

  const attempt = async ({ records }: Chunk) => {
    let result: InvokeResult | undefined
    let failure: string
    try {
      result = await invoke(records)
      if (result.functionError === undefined) {
        const failed = mapping.reportsItems ? failedOffsets(result.payload, records) : new Map<string, number>()
        if (typeof failed !== 'string')
          return { rest: restOf(records, failed), failure: 'the function returned it as failed', result }
        failure = `The whole batch is delivered again: ${failed}.`
      } else failure = result.payloadText
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    }
    return { rest: records, failure, result }
  }
  /** What becomes of records that failed: halves, another run, or nothing more. @returns when to go on. */
  const failed = ({ records, attempt: number }: Chunk, rest: readonly SourceRecord[], why: string, result?: InvokeResult) => {
    const { maxRetries = Number.POSITIVE_INFINITY, maxRecordAgeMs = Number.POSITIVE_INFINITY, bisects } = mapping
    const now = clock.now()
    const isOld = rest.some(({ timestampMs }) => timestampMs + maxRecordAgeMs < now)
    if (bisects && rest.length > 1 && rest.length === records.length) {
      const middle = Math.ceil(rest.length / 2)
      // A split costs no attempt.
      chunks.unshift({ records: rest.slice(0, middle), attempt: number }, { records: rest.slice(middle), attempt: number })
      onFailure(why, number, false)
      return now
    }
    if (isOld || number > maxRetries) {
      onFailure(why, number, true)
      const condition = isOld ? 'RecordAgeExceeded' : 'RetryAttemptsExhausted'
      onGivenUp({ records: rest, condition, attempts: number, result })
      return now
    }
    onFailure(why, number, false)
    chunks.unshift({ records: rest, attempt: number + 1 })
    return now + Math.min(longestDelayMs, firstDelayMs * 2 ** (number - 1))
  }
  const run = async (): Promise<void> => {
    for (let chunk = chunks.shift(); chunk && !isClosed(); chunk = chunks.shift()) {
      const { rest, failure, result } = await attempt(chunk)
      if (rest.length === 0 || isClosed()) continue
      const at = failed(chunk, rest, failure, result)
      if (at <= clock.now()) continue
      clock.schedule(at, () => {
        onRetry()
        return run()
      })
      return
    }
    onDone()
  }
  return clock.track(run())
}

/** The records from the first failed one of each partition on. */
function restOf(records: readonly SourceRecord[], failed: ReadonlyMap<string, number>): readonly SourceRecord[] {
  return records.filter((record) => record.offset >= (failed.get(partitionName(record)) ?? Number.POSITIVE_INFINITY))
}
