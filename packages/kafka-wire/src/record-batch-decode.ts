import { createByteCursor } from './byte-cursor'
import { builtInCodecs } from './codec/built-in-codecs'
import { type Codec, type CompressionId, compressionNames } from './codec/codec'
import { crc32c } from './crc32c'
import { batchHeaderBytes } from './record-batch-encode'
import { WireError } from './wire-error'

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

/** How {@link decodeRecordBatch} goes about it. */
export interface DecodeOptions {
  /** Default: {@link builtInCodecs}. */
  readonly codecs?: ReadonlyMap<number, Codec> | undefined
  /** Bytes that the records of one batch may unpack to. Default 128 MiB. */
  readonly maxBytes?: number | undefined
  /** Whether to check the checksum. Default `true`. */
  readonly checkCrc?: boolean | undefined
}

/** Default of `maxBytes`. */
export const defaultMaxUnpackedBytes: number = 128 * 1024 * 1024

/**
 * Cuts a record set into its batches. A batch that is cut off at the end, as fetch responses have it, is left out.
 *
 * @throws {@link WireError} for a message set of the formats before record batches, or a length that cannot be.
 */
export function splitRecordBatches(recordSet: Uint8Array): Buffer[] {
  const bytes = Buffer.isBuffer(recordSet) ? recordSet : Buffer.from(recordSet.buffer, recordSet.byteOffset, recordSet.byteLength)
  const batches: Buffer[] = []
  let at = 0
  while (at + 17 <= bytes.length) {
    const size = bytes.readInt32BE(at + 8) + 12
    if (bytes[at + 16] !== 2)
      throw new WireError(`A record set has format ${bytes[at + 16]} at ${at}; only format 2 (Kafka 0.11 and later) is read.`)
    if (size < batchHeaderBytes) throw new WireError(`A record batch at ${at} says it has ${size} bytes.`)
    if (at + size > bytes.length) break
    batches.push(bytes.subarray(at, at + size))
    at += size
  }
  return batches
}

/**
 * Reads the header of a batch.
 *
 * @throws {@link WireError}
 */
export function readBatchHeader(batch: Uint8Array): BatchHeader {
  const cursor = createByteCursor(batch, 'A record batch')
  const baseOffset = cursor.int64()
  const sizeBytes = cursor.int32() + 12
  const partitionLeaderEpoch = cursor.int32()
  const magic = cursor.int8()
  if (magic !== 2) throw new WireError(`A record batch has format ${magic}; only format 2 is read.`)
  cursor.skip(4)
  const attributes = cursor.int16()
  const compression = (attributes & 7) as CompressionId
  if (compression > 4) throw new WireError(`A record batch has the unknown compression ${compression}.`)
  return {
    baseOffset,
    sizeBytes,
    partitionLeaderEpoch,
    compression,
    isLogAppendTime: (attributes & 0x08) !== 0,
    isTransactional: (attributes & 0x10) !== 0,
    isControl: (attributes & 0x20) !== 0,
    lastOffsetDelta: cursor.int32(),
    baseTimestampMs: Number(cursor.int64()),
    maxTimestampMs: Number(cursor.int64()),
    producerId: cursor.int64(),
    producerEpoch: cursor.int16(),
    baseSequence: cursor.int32(),
    recordCount: cursor.int32(),
  }
}

/**
 * Decodes one batch.
 *
 * @throws {@link WireError} when the checksum does not fit, the codec is missing, it unpacks to more than `maxBytes`, or a record is damaged.
 */
export function decodeRecordBatch(batch: Uint8Array, options: DecodeOptions = {}): RecordBatch {
  const { codecs = builtInCodecs, maxBytes = defaultMaxUnpackedBytes, checkCrc = true } = options
  const header = readBatchHeader(batch)
  const { sizeBytes, compression, recordCount } = header
  if (sizeBytes < batchHeaderBytes || sizeBytes > batch.length)
    throw new WireError(`A record batch of ${sizeBytes} bytes in ${batch.length}.`)
  const body = batch.subarray(0, sizeBytes)
  if (checkCrc) {
    const expected = new DataView(batch.buffer, batch.byteOffset, batch.byteLength).getUint32(17)
    if (crc32c(body, 21) !== expected)
      throw new WireError(`The checksum of the record batch at offset ${header.baseOffset} does not fit.`)
  }
  const packed = body.subarray(batchHeaderBytes)
  if (compression === 0) return { ...header, records: readRecords(packed, header, recordCount) }
  const codec = codecs.get(compression)
  if (!codec) {
    throw new WireError(
      `The record batch at offset ${header.baseOffset} is packed with ${compressionNames[compression]}, for which there is no codec here.`,
    )
  }
  return { ...header, records: readRecords(codec.decompress(packed, maxBytes), header, recordCount) }
}

function readRecords(bytes: Uint8Array, header: BatchHeader, count: number): BatchRecord[] {
  const what = `The record batch at offset ${header.baseOffset}`
  // A record takes at least seven bytes: a hostile count cannot make us allocate.
  if (count < 0 || count * 7 > bytes.length) throw new WireError(`${what} says it has ${count} records in ${bytes.length} bytes.`)
  const cursor = createByteCursor(bytes, what)
  const records = new Array<BatchRecord>(count)
  const { baseOffset, baseTimestampMs, isLogAppendTime, maxTimestampMs } = header
  for (let i = 0; i < count; i++) {
    const length = cursor.varint()
    const start = cursor.position
    cursor.skip(1)
    const timestampDelta = Number(cursor.varlong())
    const offset = baseOffset + BigInt(cursor.varint())
    const key = readPart(cursor.varint(), cursor)
    const value = readPart(cursor.varint(), cursor)
    const headerCount = cursor.varint()
    if (headerCount < 0 || headerCount * 2 > cursor.remaining)
      throw new WireError(`${what} has a record with ${headerCount} headers.`)
    const headers = []
    for (let h = 0; h < headerCount; h++) {
      headers.push({ key: cursor.utf8(cursor.varint()), value: readPart(cursor.varint(), cursor) })
    }
    if (cursor.position - start !== length) throw new WireError(`${what} has a record whose length does not fit.`)
    records[i] = { offset, timestampMs: isLogAppendTime ? maxTimestampMs : baseTimestampMs + timestampDelta, key, value, headers }
  }
  if (cursor.remaining > 0) throw new WireError(`${what} has ${cursor.remaining} bytes too many.`)
  return records
}

function readPart(length: number, cursor: ReturnType<typeof createByteCursor>): Buffer | null {
  return length < 0 ? null : cursor.raw(length)
}

/** What a control record says: the end of a transaction; `undefined` for kinds that are not known. */
export function controlKind(record: { readonly key: Buffer | null }): 'abort' | 'commit' | undefined {
  const kind = record.key && record.key.length >= 4 ? record.key.readInt16BE(2) : -1
  return kind === 0 ? 'abort' : kind === 1 ? 'commit' : undefined
}
