import type { Duration } from '@pipe/core'
import type { Order } from './assignment'
import type { AnyTopic, RecordOf } from './consumed-record'
import type { ConsumerEvent } from './consumer-event'
import type { DeadLetterOptions } from './dead-letter'
import type { HandleContext } from './handle-context'
import type { OutOfRangePolicy } from './ingest'
import type { RetryOptions } from './retry-policy'
import type { RetryTopicOptions } from './retry-topic'

/** Where to read when there is nothing to go on from. */
export interface OffsetOptions {
  /** A partition that the group has never committed. Default `'earliest'`. It is committed at once, so that `'latest'` means the same after a restart. */
  readonly missing?: 'earliest' | 'latest' | undefined
  /** The log no longer has the committed offset, or ends before it. Default `'fail'`: nobody has decided yet that records may be passed over. */
  readonly outOfRange?: OutOfRangePolicy | undefined
}

/** Whether records of transactions are read only once they are committed, or as they come, also those that are taken back later. */
export type Isolation = 'read-committed' | 'read-uncommitted'

/** Bounds of memory. */
export interface BufferOptions {
  /** Bytes of records in memory, shared equally by the partitions. Default 32 MiB. On top of it comes at most one batch a partition. */
  readonly bytes?: number | undefined
  /** What one batch may unpack to. Default 128 MiB. */
  readonly maxUnpackedBytes?: number | undefined
}

/** Times of the group protocol. */
export interface GroupOptions {
  /** A member that is silent for so long is put out of the group. Default `'30 seconds'`. */
  readonly session?: Duration | undefined
  /** How long the group waits for its members to join again. Default `'60 seconds'`. */
  readonly rebalance?: Duration | undefined
  /** Default `'3 seconds'`. */
  readonly heartbeat?: Duration | undefined
  /** How long handlers may go on once the group rebalances, before they are aborted. At most half of `rebalance`. Default `'10 seconds'`. */
  readonly drain?: Duration | undefined
  /** How long a fetch waits for records. Default `'500 ms'`. */
  readonly maxWait?: Duration | undefined
  /** How often is committed. Default `'1 second'`. */
  readonly commitEvery?: Duration | undefined
  /** Restarts in a row after which `done` rejects. Default 10. */
  readonly maxRestarts?: number | undefined
}

/** What {@link Kafka.consumer} takes. */
export interface ConsumerOptions<Topics extends readonly AnyTopic[]> {
  /** Id of the consumer group. */
  readonly group: string
  /** The contracts of what is read; the type of a record follows from them. */
  readonly topics: Topics
  /**
   * Makes it a static member under this name, which no other member of the group may have: a host name, the number of a pod. Restarted within
   * `timing.session` it gets its partitions back without a rebalance. It does not leave the group when it stops. Default: none.
   *
   * @see https://cwiki.apache.org/confluence/x/kRg0BQ (KIP-345)
   */
  readonly instanceId?: string | undefined
  /**
   * Handles one record. It is done when this returns, or its promise resolves; a throw is a failure (see `retry`). A record may come again
   * after a crash, a rebalance or an abort: at least once.
   */
  readonly handle: (record: RecordOf<Topics>, context: HandleContext) => unknown
  /** Handlers at the same time, over all partitions. Default 1. */
  readonly concurrency?: number | undefined
  /** Which records wait for each other. Default `'key'`: those of one key in one partition, in the order of the log. */
  readonly order?: Order | undefined
  /** How often, and after which waits, a failed record is handled again. */
  readonly retry?: RetryOptions | undefined
  /**
   * Where records wait whose attempts are used up, for minutes or hours and over restarts, while their partition goes on. The order within a
   * key is kept: while one of its records waits, later ones wait behind it. Needs `deadLetter`, where a record ends whose rounds are used up,
   * and reads one topic.
   */
  readonly retryTopic?: RetryTopicOptions | undefined
  /** Where records go whose handler failed for good, or that cannot be decoded. Default: nowhere; the first one stops the consumer. */
  readonly deadLetter?: DeadLetterOptions | undefined
  /** Where the group begins, and what happens when the log no longer has its offset. */
  readonly offsets?: OffsetOptions | undefined
  /** Default `'read-committed'`. A record behind an open transaction waits for its end. */
  readonly isolation?: Isolation | undefined
  /** How much is read ahead of the handlers. */
  readonly buffer?: BufferOptions | undefined
  /** Time-outs of the group membership. */
  readonly timing?: GroupOptions | undefined
  /** Hears what happens. Must not throw. */
  readonly onEvent?: ((event: ConsumerEvent) => void) | undefined
  /** Stops the consumer, as `stop()` does. */
  readonly signal?: AbortSignal | undefined
}
