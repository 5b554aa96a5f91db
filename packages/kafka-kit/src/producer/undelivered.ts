import { AmbiguousOutcomeError, type FailedOutcome, NotWrittenError, type UndeliveredDetails } from '../errors'
import type { Batch } from './batch'
import type { PartitionQueue } from './partition-queue'

/** Why a batch is given up. */
export interface Reason {
  /** Completes `orders[3]: …`, without a full stop. */
  readonly text: string
  readonly hint?: string | undefined
  readonly code?: string | undefined
  readonly errorCode?: number | undefined
  readonly cause?: unknown
  /** Whether sending the same later may work. */
  readonly retryable?: boolean | undefined
}

/** The error for a batch that is given up: what is known of its outcome decides the class. */
export function undelivered(queue: PartitionQueue, batch: Batch, reason: Reason, mayBeWritten: boolean): FailedOutcome {
  const { topic, partition } = queue
  const details: UndeliveredDetails = {
    topic,
    partition,
    attempts: batch.attempts,
    lastError: batch.lastError,
    firstSentAtMs: batch.firstSentAtMs,
    errorCode: reason.errorCode,
  }
  const tries = batch.attempts === 1 ? '1 attempt' : `${batch.attempts} attempts`
  const seconds = ((Date.now() - batch.createdAtMs) / 1000).toFixed(1)
  const last = batch.lastError && !reason.text.includes(batch.lastError) ? `; last: ${batch.lastError}` : ''
  const where = `${topic}[${partition}]: ${reason.text} (${tries}, ${seconds} s${last}).`
  if (!mayBeWritten) {
    return new NotWrittenError(`${where} It is not in the log.`, {
      ...(reason.code === undefined ? {} : { code: reason.code }),
      hint: reason.hint,
      cause: reason.cause,
      retryable: reason.retryable ?? false,
      details,
    })
  }
  const from =
    queue.lastOffset === undefined ? 'Read the partition back' : `Read the partition back from offset ${queue.lastOffset + 1n}`
  return new AmbiguousOutcomeError(`${where} It may be in the log.`, {
    hint: `${from} to find out; sending it again may store it twice.`,
    cause: reason.cause,
    details,
  })
}

/** The error for a message that never got as far as a partition. */
export function neverQueued(topic: string, reason: Reason): NotWrittenError {
  return new NotWrittenError(`${topic}: ${reason.text}. It was not sent.`, {
    ...(reason.code === undefined ? {} : { code: reason.code }),
    hint: reason.hint,
    cause: reason.cause,
    retryable: reason.retryable ?? false,
    details: { topic, partition: -1, attempts: 0, lastError: undefined, firstSentAtMs: undefined, errorCode: reason.errorCode },
  })
}
