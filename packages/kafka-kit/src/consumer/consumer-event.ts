import type { PipeError } from '@pipe/core'

/** Something that a consumer did or found. Kinds may be added. */
export type ConsumerEvent =
  /** The group gave out its partitions. `kept` go on where they were; `lost` ones were dropped. */
  | {
      readonly kind: 'joined'
      readonly memberId: string
      readonly generation: number
      /** By topic. */
      readonly assigned: Readonly<Record<string, readonly number[]>>
      readonly gained: number
      readonly kept: number
      readonly lost: number
    }
  /** The group rebalances: nothing new is handed out, handlers may end, what is done is committed. */
  | { readonly kind: 'rebalancing'; readonly running: number }
  /** What happened before the join: handlers that were still running when the time was up were aborted. */
  | { readonly kind: 'drained'; readonly elapsedMs: number; readonly aborted: number; readonly committed: boolean }
  /** The group went on without this member: its partitions are dropped, and handlers are aborted. */
  | { readonly kind: 'fenced'; readonly reason: string }
  /** The partition has as many bytes in memory as it may; fetched again once it is below half of it. */
  | { readonly kind: 'paused' | 'resumed'; readonly topic: string; readonly partition: number; readonly bytes: number }
  | {
      readonly kind: 'handler-failed'
      readonly topic: string
      readonly partition: number
      readonly offset: bigint
      readonly attempt: number
      readonly error: unknown
      /** `undefined` when there is no further attempt. */
      readonly retryInMs: number | undefined
    }
  /** A record waits in the retry topic: because it failed (`round` from 1), or behind another one of its key (`round` 0). */
  | {
      readonly kind: 'parked'
      readonly topic: string
      readonly partition: number
      readonly offset: bigint
      readonly retryTopic: string
      readonly round: number
      readonly retryInMs: number
    }
  /** A record of the retry topic was handled. */
  | {
      readonly kind: 'unparked'
      readonly topic: string
      readonly partition: number
      readonly offset: bigint
      readonly round: number
    }
  | {
      readonly kind: 'dead-lettered'
      readonly topic: string
      readonly partition: number
      readonly offset: bigint
      readonly deadLetterTopic: string
      readonly error: unknown
    }
  /** The log no longer has (or never had) the offset that was asked for; reading goes on at `to` by the policy. */
  | {
      readonly kind: 'offset-reset'
      readonly topic: string
      readonly partition: number
      readonly from: bigint
      readonly to: bigint
      /** Offsets that were passed over; 0 when the log ends before `from`. */
      readonly skipped: bigint
    }
  /** A commit was refused or failed; it is tried again with the next one, unless the member was fenced. */
  | { readonly kind: 'commit-failed'; readonly error: unknown }
  /** A fetch failed and is tried again. */
  | { readonly kind: 'fetch-failed'; readonly error: unknown }
  /** kafkajs gave up; a new consumer is made. */
  | { readonly kind: 'restarting'; readonly error: PipeError; readonly restart: number; readonly inMs: number }
  /** The event loop stood still so long that heartbeats are at risk. */
  | { readonly kind: 'event-loop-blocked'; readonly blockedMs: number; readonly sessionTimeoutMs: number }
