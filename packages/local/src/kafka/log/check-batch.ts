import { type BatchHeader, batchHeaderBytes, crc32c, decodeRecordBatch, readBatchHeader, WireError } from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import type { SettingValues } from '../settings'

/** A batch that may be appended, or why it may not. */
export type BatchVerdict =
  | { readonly header: BatchHeader; readonly errorCode: 0; readonly message: null }
  | { readonly header: undefined; readonly errorCode: number; readonly message: string }

/** What a batch is checked against. */
export interface BatchRules {
  readonly settings: SettingValues
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Version of the Produce request: zstd came with version 7. */
  readonly produceVersion: number
  /** Most bytes that the batch of a compacted topic may unpack to, when its keys are looked at. */
  readonly maxUnpackedBytes?: number
}

const zstd = 4

/**
 * Checks the records of one partition of a Produce request as Kafka's `LogValidator` does: one batch of format 2, whole, with a fitting checksum, of a size
 * and time that the topic takes. Records are looked into only where the topic is compacted, for their keys.
 */
export function checkBatch(records: Uint8Array | null, rules: BatchRules): BatchVerdict {
  const { settings, now } = rules
  if (records === null || records.length < batchHeaderBytes)
    return refused(errorCode.corruptMessage, 'There is no whole record batch.')
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength)
  if (bytes[16] !== 2)
    return refused(errorCode.unsupportedForMessageFormat, `Records have format ${bytes[16]}; format 2 is taken.`)
  const size = bytes.readInt32BE(8) + 12
  if (size < batchHeaderBytes || size > bytes.length)
    return refused(errorCode.corruptMessage, `A batch of ${size} bytes in ${bytes.length}.`)
  if (size < bytes.length) return refused(errorCode.invalidRecord, 'A partition takes one batch a request.')
  if (crc32c(bytes, 21) !== bytes.readUInt32BE(17))
    return refused(errorCode.corruptMessage, 'The checksum of the batch does not fit.')
  const maxBytes = settings.number('max.message.bytes')
  if (size > maxBytes)
    return refused(errorCode.messageTooLarge, `The batch has ${size} bytes; ${maxBytes} are allowed (max.message.bytes).`)
  if ((bytes.readInt16BE(21) & 7) > zstd) return refused(errorCode.invalidRecord, 'The batch has an unknown compression.')
  const header = readBatchHeader(bytes)
  const { recordCount, lastOffsetDelta } = header
  if (recordCount <= 0 || lastOffsetDelta !== recordCount - 1) {
    return refused(errorCode.invalidRecord, `The batch has ${recordCount} records and the last offset ${lastOffsetDelta}.`)
  }
  if (header.isControl) return refused(errorCode.invalidRecord, 'Clients write no control batches.')
  if (header.producerId >= 0n && (header.baseSequence < 0 || header.producerEpoch < 0)) {
    return refused(errorCode.invalidRecord, 'A batch with a producer id needs an epoch and a sequence number.')
  }
  if (header.isTransactional && header.producerId < 0n)
    return refused(errorCode.invalidRecord, 'A transactional batch needs a producer id.')
  if (header.compression === zstd && rules.produceVersion < 7) {
    return refused(errorCode.unsupportedCompression, 'zstd needs Produce version 7.')
  }
  if (settings.text('message.timestamp.type') === 'CreateTime') {
    const ahead = settings.number('message.timestamp.after.max.ms')
    if (header.maxTimestampMs - now > ahead) {
      return refused(
        errorCode.invalidTimestamp,
        `The time of a record lies more than ${ahead} ms ahead (message.timestamp.after.max.ms).`,
      )
    }
    if (now - header.baseTimestampMs > settings.number('message.timestamp.before.max.ms')) {
      return refused(errorCode.invalidTimestamp, 'The time of a record lies too far back (message.timestamp.before.max.ms).')
    }
  }
  if (settings.text('cleanup.policy').includes('compact')) return keysVerdict(bytes, header, rules.maxUnpackedBytes)
  return { header, errorCode: 0, message: null }
}

function keysVerdict(bytes: Buffer, header: BatchHeader, maxBytes: number | undefined): BatchVerdict {
  try {
    const { records } = decodeRecordBatch(bytes, { checkCrc: false, maxBytes })
    if (records.every(({ key }) => key !== null)) return { header, errorCode: 0, message: null }
    return refused(errorCode.invalidRecord, 'A compacted topic takes no record without a key.')
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return refused(errorCode.invalidRecord, error.message)
  }
}

function refused(code: number, message: string): BatchVerdict {
  return { header: undefined, errorCode: code, message }
}
