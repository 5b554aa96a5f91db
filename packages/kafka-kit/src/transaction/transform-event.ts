import type { PipeError } from '@pipe/core'
import type { ConsumerEvent } from '../consumer/consumer-event'

/**
 * Something that a transform did or found: what a consumer tells, and what becomes of its transactions. A `dead-lettered` record stands in its
 * topic once the transaction that steps over it is committed. Kinds may be added.
 */
export type TransformEvent =
  | ConsumerEvent
  /** This member writes for the partition from now on, beginning at `position`; whoever did so before is fenced, its open transaction aborted. */
  | {
      readonly kind: 'session-opened'
      readonly topic: string
      readonly partition: number
      readonly transactionalId: string
      readonly producerId: bigint
      readonly producerEpoch: number
      readonly position: bigint
    }
  /**
   * A transaction failed, and with it the session. Nothing of it is to be seen by readers of committed records, unless only its confirmation
   * was lost: the next session asks. `error.code` is `PIPE_KAFKA_FENCED` when another writer took over.
   */
  | { readonly kind: 'session-ended'; readonly topic: string; readonly partition: number; readonly error: PipeError }
  /** No session could be opened; tried again, unless the partition is lost. */
  | {
      readonly kind: 'session-failed'
      readonly topic: string
      readonly partition: number
      readonly error: PipeError
      readonly inMs: number
    }
  /** Input offsets from `from` up to `to` (exclusive) and their outputs are committed, together. */
  | {
      readonly kind: 'transaction-committed'
      readonly topic: string
      readonly partition: number
      readonly from: bigint | undefined
      readonly to: bigint
      /** Records written, dead letters included. */
      readonly outputs: number
      readonly elapsedMs: number
    }
