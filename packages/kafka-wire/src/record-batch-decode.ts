import { createByteCursor } from './byte-cursor'
import { builtInCodecs } from './codec/built-in-codecs'
import { type Codec, type CompressionId, compressionNames } from './codec/codec'
import { crc32c } from './crc32c'
import type { BatchHeader, RecordBatch } from './record-batch'
import { batchHeaderBytes } from './record-batch-encode'
import { readRecords } from './record-read'
import { WireError } from './wire-error'

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
  const { sizeBytes, compression } = header
  if (sizeBytes < batchHeaderBytes || sizeBytes > batch.length)
    throw new WireError(`A record batch of ${sizeBytes} bytes in ${batch.length}.`)
  const body = batch.subarray(0, sizeBytes)
  if (checkCrc) {
    const expected = new DataView(batch.buffer, batch.byteOffset, batch.byteLength).getUint32(17)
    if (crc32c(body, 21) !== expected)
      throw new WireError(`The checksum of the record batch at offset ${header.baseOffset} does not fit.`)
  }
  const packed = body.subarray(batchHeaderBytes)
  if (compression === 0) return { ...header, records: readRecords(packed, header) }
  const codec = codecs.get(compression)
  if (!codec) {
    throw new WireError(
      `The record batch at offset ${header.baseOffset} is packed with ${compressionNames[compression]}, for which there is no codec here.`,
    )
  }
  return { ...header, records: readRecords(codec.decompress(packed, maxBytes), header) }
}

/** What a control record says: the end of a transaction; `undefined` for kinds that are not known. */
export function controlKind(record: { readonly key: Buffer | null }): 'abort' | 'commit' | undefined {
  const kind = record.key && record.key.length >= 4 ? record.key.readInt16BE(2) : -1
  return kind === 0 ? 'abort' : kind === 1 ? 'commit' : undefined
}
