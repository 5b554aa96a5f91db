import { type BatchHeader, crc32c } from '@pipe/kafka-wire'

/** A record batch as it lies in a log: bytes that nobody changes any more, so that all replicas hold the same ones. */
export interface StoredBatch {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  /** Milliseconds since the epoch; −1 = none. */
  readonly maxTimestamp: number
  readonly recordCount: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
}

/** Where a batch goes. */
export interface BatchPlace {
  readonly baseOffset: number
  readonly leaderEpoch: number
  /** Set for topics with `message.timestamp.type=LogAppendTime`: milliseconds since the epoch. */
  readonly appendTime?: number | undefined
}

// Places in the header of a batch: https://kafka.apache.org/documentation/#recordbatch
const leaderEpochAt = 12
const crcAt = 17
const attributesAt = 21
const maxTimestampAt = 35
const logAppendTime = 0x08

/**
 * Takes a batch out of its request and writes in what the broker decides. Offset and leader epoch lie outside the checksum; only the time of
 * appending needs a new one. A batch that is most of its request stays where it is, and the request's bytes are the log's from now on; others are copied.
 */
export function storeBatch(batch: Uint8Array, header: BatchHeader, place: BatchPlace): StoredBatch {
  const whole = Buffer.from(batch.buffer, batch.byteOffset, header.sizeBytes)
  const bytes = batch.buffer.byteLength <= 2 * header.sizeBytes ? whole : Buffer.from(whole)
  bytes.writeBigInt64BE(BigInt(place.baseOffset), 0)
  bytes.writeInt32BE(place.leaderEpoch, leaderEpochAt)
  if (place.appendTime !== undefined) {
    bytes.writeInt16BE(bytes.readInt16BE(attributesAt) | logAppendTime, attributesAt)
    bytes.writeBigInt64BE(BigInt(place.appendTime), maxTimestampAt)
    bytes.writeUInt32BE(crc32c(bytes, attributesAt), crcAt)
  }
  return {
    ...storedBatchOf(bytes, header),
    baseOffset: place.baseOffset,
    lastOffset: place.baseOffset + header.lastOffsetDelta,
    leaderEpoch: place.leaderEpoch,
    maxTimestamp: place.appendTime ?? header.maxTimestampMs,
  }
}

/** A batch that lay in a log before: everything about it stands in it. */
export function storedBatchOf(bytes: Buffer, header: BatchHeader): StoredBatch {
  const baseOffset = Number(header.baseOffset)
  return {
    bytes,
    baseOffset,
    lastOffset: baseOffset + header.lastOffsetDelta,
    leaderEpoch: header.partitionLeaderEpoch,
    maxTimestamp: header.maxTimestampMs,
    recordCount: header.recordCount,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: header.isTransactional,
    isControl: header.isControl,
  }
}
