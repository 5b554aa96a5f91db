import type { Batch } from './batch'
import type { PartitionLoad } from './partitioner'
import type { ProducerId } from './transport'

/** What waits for one partition. Its first batch is the only one that is ever on the wire. */
export interface PartitionQueue extends PartitionLoad {
  readonly topic: string
  readonly partition: number
  leader: number
  queuedBytes: number
  /** In the order of the calls. */
  readonly batches: Batch[]
  /** The last one of `batches`, while it takes messages. */
  open: Batch | undefined
  /** The first one of `batches`, while a request carries it. */
  inFlight: Batch | undefined
  /** Not before this time; 0 = now. */
  retryAtMs: number
  /** The id whose sequence is counted here. */
  producer: ProducerId | undefined
  /** Sequence number of the next batch. Goes on only after a success. */
  nextSequence: number
  /** After an outcome that nobody knows: no sequence number of the old id may be used again. */
  needsNewId: boolean
  /** The newest confirmed offset. */
  lastOffset: bigint | undefined
}

/** An empty queue. */
export function createPartitionQueue(topic: string, partition: number, leader: number): PartitionQueue {
  return {
    topic,
    partition,
    leader,
    queuedBytes: 0,
    batches: [],
    open: undefined,
    inFlight: undefined,
    retryAtMs: 0,
    producer: undefined,
    nextSequence: 0,
    needsNewId: false,
    lastOffset: undefined,
  }
}

/** The sequence number after `count` records: 2³¹ − 1 is followed by 0. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % 2 ** 31
}
