import type { PipeError } from '@pipe/core'
import type { ProducePartitionResult } from '@pipe/kafka-wire'
import type { Batch } from './batch'
import type { PartitionQueue } from './partition-queue'
import { reasonOf } from './refusal'
import { verdictOf } from './retry-table'
import type { Settlement } from './settlement'

/** What comes of a batch once a request carried it. */
export interface Answers {
  /** The broker answered for it. */
  answered(queue: PartitionQueue, batch: Batch, result: ProducePartitionResult): void
  /** No answer. `wasHandedOver`: the socket had the bytes, so the broker may have them. */
  unanswered(queue: PartitionQueue, batch: Batch, error: PipeError, wasHandedOver: boolean): void
}

/** Makes the judge of one engine. */
export function createAnswers(settings: {
  readonly settlement: Settlement
  readonly isIdempotent: boolean
  /** Whether a batch that may be written goes again, although the broker cannot tell. */
  readonly resendAmbiguous: boolean
  readonly refreshLeaders: () => void
  readonly retryLater: (queue: PartitionQueue, batch: Batch) => void
  /** The batch was settled before the answer came. */
  readonly onLate: (queue: PartitionQueue) => void
}): Answers {
  const { settlement, isIdempotent, refreshLeaders, retryLater, onLate } = settings
  const mayGoAgain = (batch: Batch) => !batch.mayBeWritten || isIdempotent || settings.resendAmbiguous

  return {
    answered(queue, batch, result) {
      // Given up meanwhile: whatever the answer is, it was reported as unknown.
      if (batch.isSettled) {
        onLate(queue)
        return
      }
      const { kind, mayBeWritten, refresh } = verdictOf(result.errorCode)
      if (kind === 'written') {
        settlement.written(queue, batch, result.baseOffset, result.logAppendTimeMs)
        return
      }
      if (kind === 'duplicate') {
        settlement.written(queue, batch, -1n, -1n)
        return
      }
      const reason = reasonOf(result)
      batch.lastError = reason.text
      if (mayBeWritten) batch.mayBeWritten = true
      if (refresh) refreshLeaders()
      if (kind === 'retry') {
        if (mayGoAgain(batch)) retryLater(queue, batch)
        else settlement.giveUp(queue, batch, reason)
        return
      }
      if (batch.mayBeWritten) {
        settlement.giveUp(queue, batch, reason)
        return
      }
      if (kind === 'new-id' && isIdempotent) {
        queue.needsNewId = true
        batch.sequence = undefined
        retryLater(queue, batch)
        return
      }
      const count = batch.records.length
      if (kind === 'split' && count > 1) {
        settlement.halve(queue, batch)
        return
      }
      const bad = new Set(result.recordErrors.map(({ batchIndex }) => batchIndex))
      if (bad.size > 0 && bad.size < count) settlement.expel(queue, batch, bad, reason)
      else settlement.giveUp(queue, batch, reason)
    },

    unanswered(queue, batch, error, wasHandedOver) {
      if (batch.isSettled) {
        onLate(queue)
        return
      }
      batch.lastError = error.message
      if (wasHandedOver) batch.mayBeWritten = true
      // What is no error of Kafka is a request that was cancelled because one of its batches was given up: the others go again.
      const isFinal =
        typeof error.code === 'string' && error.code.startsWith('PIPE_') && !error.retryable && error.code !== 'PIPE_KAFKA_WIRE'
      if (isFinal) {
        settlement.giveUp(queue, batch, { text: error.message, code: error.code, cause: error })
        return
      }
      if (!mayGoAgain(batch)) {
        settlement.giveUp(queue, batch, { text: error.message, cause: error })
        return
      }
      refreshLeaders()
      retryLater(queue, batch)
    },
  }
}
