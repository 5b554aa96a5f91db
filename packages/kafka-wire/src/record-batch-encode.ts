import type { Codec } from './codec/codec'
import { crc32c } from './crc32c'
import { sizeOfUnsignedVarint, sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint'

// Record batches of format 2 (since Kafka 0.11): https://kafka.apache.org/documentation/#recordbatch

/** A header of a record to write. Text becomes UTF-8. */
export interface HeaderToWrite {
  readonly key: string
  readonly value: Uint8Array | string | null
}

/** A record to write. Text becomes UTF-8. */
export interface RecordToWrite {
  readonly key: Uint8Array | string | null
  readonly value: Uint8Array | string | null
  readonly headers: readonly HeaderToWrite[]
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
}

/** What stands around the records of a batch. */
export interface BatchOptions {
  /** Default −1: not idempotent. */
  readonly producerId?: bigint | undefined
  /** Default −1. */
  readonly producerEpoch?: number | undefined
  /** Sequence number of the first record. Default −1. */
  readonly baseSequence?: number | undefined
  readonly isTransactional?: boolean | undefined
  /** Marks of the coordinator of a transaction. */
  readonly isControl?: boolean | undefined
  /** Default 0: the broker writes its own. */
  readonly baseOffset?: bigint | undefined
  /** Default −1: the broker writes its own. */
  readonly partitionLeaderEpoch?: number | undefined
}

/** Bytes before the first record. */
export const batchHeaderBytes = 61
const attributesAt = 21

/** Sizes of the parts of the records, kept between the two passes: body, key, value of each. Grows, is never given back. */
let sizes = new Int32Array(3 * 1024)

function partBytes(part: Uint8Array | string | null): number {
  return part === null ? -1 : typeof part === 'string' ? Buffer.byteLength(part) : part.length
}

function headerBytes(headers: readonly HeaderToWrite[]): number {
  let size = sizeOfVarint(headers.length)
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key)
    const valueBytes = partBytes(value)
    size += sizeOfVarint(keyBytes) + keyBytes + sizeOfVarint(valueBytes) + Math.max(0, valueBytes)
  }
  return size
}

/** An upper bound of the bytes that a record adds to a batch (without compression). */
export function recordBytesAtMost(record: RecordToWrite): number {
  const { key, value, headers } = record
  // Length, attributes, timestamp and offset deltas, two lengths: 5 + 1 + 10 + 5 + 5 + 5 at most, hardly ever more than 20.
  return 31 + Math.max(0, partBytes(key)) + Math.max(0, partBytes(value)) + (headers.length === 0 ? 1 : headerBytes(headers))
}

function smallestTimestamp(records: readonly RecordToWrite[]): number {
  let smallest = records[0]!.timestampMs
  for (const { timestampMs } of records) if (timestampMs < smallest) smallest = timestampMs
  return smallest
}

/** First pass: sizes of everything, so that the second writes into one allocation. */
function measure(records: readonly RecordToWrite[], baseTimestamp: number): number {
  if (sizes.length < records.length * 3) sizes = new Int32Array(records.length * 6)
  let total = 0
  for (let i = 0; i < records.length; i++) {
    const { key, value, headers, timestampMs } = records[i]!
    const keyBytes = partBytes(key)
    const valueBytes = partBytes(value)
    const body =
      1 +
      sizeOfVarlong(timestampMs - baseTimestamp) +
      sizeOfVarint(i) +
      sizeOfVarint(keyBytes) +
      Math.max(keyBytes, 0) +
      sizeOfVarint(valueBytes) +
      Math.max(valueBytes, 0) +
      (headers.length === 0 ? 1 : headerBytes(headers))
    sizes[i * 3] = body
    sizes[i * 3 + 1] = keyBytes
    sizes[i * 3 + 2] = valueBytes
    total += sizeOfUnsignedVarint(body * 2) + body
  }
  return total
}

function writeText(target: Buffer, at: number, text: string, byteLength: number): number {
  // As long in bytes as in characters: ASCII. Short ones are written faster here than by a call into Node.
  if (byteLength === text.length) {
    if (byteLength < 32) for (let i = 0; i < byteLength; i++) target[at + i] = text.charCodeAt(i)
    else target.write(text, at, byteLength, 'latin1')
  } else target.write(text, at, byteLength, 'utf8')
  return at + byteLength
}

function writePart(target: Buffer, to: number, part: Uint8Array | string | null, byteLength: number): number {
  const at = writeVarint(target, to, byteLength)
  if (part === null) return at
  if (typeof part === 'string') return writeText(target, at, part, byteLength)
  if (byteLength < 24) for (let i = 0; i < byteLength; i++) target[at + i] = part[i]!
  else target.set(part, at)
  return at + byteLength
}

/** Second pass. */
function writeRecords(target: Buffer, to: number, records: readonly RecordToWrite[], baseTimestamp: number): number {
  let at = to
  for (let i = 0; i < records.length; i++) {
    const { key, value, headers, timestampMs } = records[i]!
    at = writeVarint(target, at, sizes[i * 3]!)
    target[at++] = 0
    at = writeVarlong(target, at, timestampMs - baseTimestamp)
    at = writeVarint(target, at, i)
    at = writePart(target, at, key, sizes[i * 3 + 1]!)
    at = writePart(target, at, value, sizes[i * 3 + 2]!)
    if (headers.length === 0) target[at++] = 0
    else {
      at = writeVarint(target, at, headers.length)
      for (const header of headers) {
        at = writePart(target, at, header.key, Buffer.byteLength(header.key))
        at = writePart(target, at, header.value, partBytes(header.value))
      }
    }
  }
  return at
}

function writeBatchHeader(
  batch: Buffer,
  records: readonly RecordToWrite[],
  baseTimestamp: number,
  compressionId: number,
  options: BatchOptions,
): void {
  let maxTimestamp = baseTimestamp
  for (const { timestampMs } of records) if (timestampMs > maxTimestamp) maxTimestamp = timestampMs
  batch.writeBigInt64BE(options.baseOffset ?? 0n, 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(options.partitionLeaderEpoch ?? -1, 12)
  batch[16] = 2
  batch.writeInt16BE(compressionId | (options.isTransactional ? 0x10 : 0) | (options.isControl ? 0x20 : 0), attributesAt)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(BigInt(baseTimestamp), 27)
  batch.writeBigInt64BE(BigInt(maxTimestamp), 35)
  batch.writeInt32BE(records.length, 57)
  setProducer(batch, options.producerId ?? -1n, options.producerEpoch ?? -1, options.baseSequence ?? -1)
}

/**
 * Writes producer id, epoch and first sequence number into an encoded batch, and the checksum anew. The records stay as they are: the same
 * batch may be sent again under a new producer id.
 */
export function setProducer(batch: Buffer, producerId: bigint, producerEpoch: number, baseSequence: number): void {
  batch.writeBigInt64BE(producerId, 43)
  batch.writeInt16BE(producerEpoch, 51)
  batch.writeInt32BE(baseSequence, 53)
  batch.writeUInt32BE(crc32c(batch, attributesAt), 17)
}

/** Encodes records as one batch without compression: sizes first, then one allocation. At least one record. */
export function encodeRecordBatch(records: readonly RecordToWrite[], options: BatchOptions = {}): Buffer {
  const baseTimestamp = smallestTimestamp(records)
  const batch = Buffer.allocUnsafe(batchHeaderBytes + measure(records, baseTimestamp))
  writeRecords(batch, batchHeaderBytes, records, baseTimestamp)
  writeBatchHeader(batch, records, baseTimestamp, 0, options)
  return batch
}

/** Encodes records as one batch and packs them. At least one record. */
export async function encodeCompressedBatch(
  records: readonly RecordToWrite[],
  codec: Codec,
  options: BatchOptions = {},
): Promise<Buffer> {
  const baseTimestamp = smallestTimestamp(records)
  const plain = Buffer.allocUnsafe(measure(records, baseTimestamp))
  writeRecords(plain, 0, records, baseTimestamp)
  const packed = await codec.compress(plain)
  const batch = Buffer.allocUnsafe(batchHeaderBytes + packed.length)
  batch.set(packed, batchHeaderBytes)
  writeBatchHeader(batch, records, baseTimestamp, codec.id, options)
  return batch
}
