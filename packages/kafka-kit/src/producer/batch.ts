import type { RecordToWrite } from '@pipe/kafka-wire'
import type { FailedOutcome } from '../errors'

/** The messages of one call of `send` or `sendMany`: settled when all of them are. */
export interface SendGroup {
  /** A message was confirmed. */
  written(index: number, partition: number, offset: bigint, timestampMs: number): void
  failed(index: number, error: FailedOutcome): void
  /** The caller's signal aborted: what is not on the wire yet is taken back. */
  isAborted: boolean
}

/** The messages of one partition that go over the wire together. */
export interface Batch {
  /** Emptied once the batch is settled. */
  records: RecordToWrite[]
  /** Parallel to `records`: whom to tell, and by which index. */
  groups: SendGroup[]
  indexes: number[]
  /** Upper bound of the encoded size, without compression. */
  bytes: number
  readonly createdAtMs: number
  /** Whether it may go: full, lingered long enough, or flushed. */
  isDue: boolean
  /** The bytes that go over the wire, made with the first attempt. The same bytes are sent again. */
  encoded: Buffer | undefined
  /** The producer id that the bytes carry. */
  sequence: { readonly producerId: bigint; readonly producerEpoch: number; readonly baseSequence: number } | undefined
  /** Requests that carried it as far as the socket. */
  attempts: number
  /** How often it was put off: sets the back-off. */
  retries: number
  /** Whether an attempt may have reached the log. */
  mayBeWritten: boolean
  firstSentAtMs: number | undefined
  lastError: string | undefined
  /** Set when it was confirmed or given up. */
  isSettled: boolean
  /** Called once, when it is settled. */
  readonly onSettled: (() => void)[]
}

/** An empty batch. */
export function createBatch(nowMs: number): Batch {
  return {
    records: [],
    groups: [],
    indexes: [],
    bytes: 0,
    createdAtMs: nowMs,
    isDue: false,
    encoded: undefined,
    sequence: undefined,
    attempts: 0,
    retries: 0,
    mayBeWritten: false,
    firstSentAtMs: undefined,
    lastError: undefined,
    isSettled: false,
    onSettled: [],
  }
}

/** Part of a batch that the broker refused as a whole: its records `from` to `to`, as a batch of its own. */
export function sliceBatch(batch: Batch, keep: (index: number) => boolean, bytesOf: (record: RecordToWrite) => number): Batch {
  const part = createBatch(batch.createdAtMs)
  batch.records.forEach((record, i) => {
    if (!keep(i)) return
    part.records.push(record)
    part.groups.push(batch.groups[i]!)
    part.indexes.push(batch.indexes[i]!)
    part.bytes += bytesOf(record)
  })
  part.isDue = true
  part.attempts = batch.attempts
  part.firstSentAtMs = batch.firstSentAtMs
  part.lastError = batch.lastError
  return part
}
