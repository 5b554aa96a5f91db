import type { Duration } from '@pipe/core'
import type { Order } from '../consumer/assignment'
import type { AnyTopic, ConsumedRecord } from '../consumer/consumed-record'
import type { BufferOptions, GroupOptions, OffsetOptions } from '../consumer/consumer-options'
import type { DeadLetterOptions } from '../consumer/dead-letter'
import type { HandleContext } from '../consumer/handle-context'
import type { RetryOptions } from '../consumer/retry-policy'
import type { Compression } from '../producer/compression'
import type { Placement } from '../producer/message'
import type { ProducerOptions } from '../producer/producer-options'
import type { InputRecord, OutputRecord } from '../topic'
import type { TransformEvent } from './transform-event'

/** The topic, or topics, that a transform writes to. */
export type TransformTarget = AnyTopic | readonly AnyTopic[]

/** A message that a transform writes. With several target topics it names its own. */
export type TransformMessage<To extends TransformTarget> = To extends readonly AnyTopic[]
  ? { [I in keyof To]: { readonly topic: To[I] } & InputRecord<To[I]> & Placement }[number]
  : InputRecord<To> & Placement

/** What a handler returns: no message, one, or several. */
export type TransformOutput<To extends TransformTarget> =
  | TransformMessage<To>
  | readonly TransformMessage<To>[]
  | undefined
  | null
  // A handler that only returns for some records.
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without a return statement returns void
  | void

/** Bounds of memory. */
export interface TransformBufferOptions extends BufferOptions {
  /** Bytes of outputs of one partition that wait for their transaction; beyond it no further records are handled. Default 4 MiB. */
  readonly outputBytes?: number | undefined
}

/** Times of the group protocol and of transactions. */
export interface TransformTiming extends GroupOptions {
  /** How often a transaction is ended, by partition: what readers of the output wait at least. Default `'100 ms'`. */
  readonly commitEvery?: Duration | undefined
  /** A transaction that takes longer is aborted by the cluster, and by us before that. Default `'60 seconds'`; brokers allow 15 minutes unless they were told otherwise. */
  readonly transaction?: Duration | undefined
}

/** What {@link Kafka.transform} takes. */
export interface TransformOptions<From extends AnyTopic, To extends TransformTarget> {
  /** Id of the consumer group. It belongs to this transform: no other consumer may be in it. Also the first part of the transactional ids. */
  readonly group: string
  /** The topic that is read, committed records only. */
  readonly from: From
  /** The topic that is written to, or a list of topics. */
  readonly to: To
  /**
   * Makes the outputs of one record. They are written in the order of the input records, whatever the order in which handlers end. A throw is
   * a failure (see `retry`). It may be called again for the same record, after a crash or a rebalance: what it does beside returning
   * messages (calls, writes elsewhere) happens at least once.
   */
  readonly handle: (
    record: ConsumedRecord<OutputRecord<From>>,
    context: HandleContext,
  ) => TransformOutput<To> | PromiseLike<TransformOutput<To>>
  /** Handlers at the same time, over all partitions. Default 1. */
  readonly concurrency?: number | undefined
  /** Which records wait for each other. Default `'key'`. */
  readonly order?: Order | undefined
  /** How often, and after which waits, a failed record is handled again. */
  readonly retry?: RetryOptions | undefined
  /** Where records go that cannot be handled: written in the transaction that steps over them. Default: nowhere; the first one stops the transform. */
  readonly deadLetter?: DeadLetterOptions | undefined
  /** Where the group begins, and what happens when the log no longer has its offset. */
  readonly offsets?: OffsetOptions | undefined
  /** How much is read ahead, and how much output waits for its transaction. */
  readonly buffer?: TransformBufferOptions | undefined
  /** Time-outs of group and transactions, and how often is committed. */
  readonly timing?: TransformTiming | undefined
  /** Of the batches that are written. Default `'none'`. */
  readonly compression?: Compression | undefined
  /** How keys choose their partition. Without a key, an output has the partition number of its input, modulo the partitions. Default `'murmur2'`. */
  readonly partitioner?: ProducerOptions<'quorum'>['partitioner']
  /** `'quorum'`, and nothing else: what only a leader has confirmed may be lost. */
  readonly durability?: 'quorum' | undefined
  /** Hears what happens. Must not throw. */
  readonly onEvent?: ((event: TransformEvent) => void) | undefined
  /** Stops the transform, as `stop()` does. */
  readonly signal?: AbortSignal | undefined
}
