import type { CompressionId } from './codec/codec'

/** What stands before the records of a batch. */
export interface BatchHeader {
  readonly baseOffset: bigint
  /** Bytes of the whole batch, header included. */
  readonly sizeBytes: number
  readonly partitionLeaderEpoch: number
  readonly compression: CompressionId
  /** Whether the broker replaced the timestamps by the time of appending. */
  readonly isLogAppendTime: boolean
  readonly isTransactional: boolean
  /** A mark of a transaction's end, not data. */
  readonly isControl: boolean
  /** Offset of the last record − `baseOffset`. In compacted topics more than the number of records − 1. */
  readonly lastOffsetDelta: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** A record of a batch. `key`, `value` and header values are views into the batch. */
export interface BatchRecord {
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

/** A batch, decoded. */
export interface RecordBatch extends BatchHeader {
  readonly records: readonly BatchRecord[]
}
