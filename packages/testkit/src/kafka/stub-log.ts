import { type BatchHeader, type BatchRecord, decodeRecordBatch, readBatchHeader } from '@pipe/kafka-wire'

/** A record that the stub has stored. */
export type StubRecord = BatchRecord

/** What came of an append. `errorCode` 0: stored, or stored before. */
export interface Appended {
  readonly errorCode: number
  /** Offset of the first record; −1 with an error. */
  readonly baseOffset: bigint
  /** The broker had this batch already: nothing was appended. */
  readonly isDuplicate: boolean
}

/**
 * What a log keeps of a batch: its records, the batch as it came (to be decoded when somebody asks; its bytes must not change), or only how
 * many there were.
 */
export type Keep = 'records' | 'batches' | 'count'

/** The log of one partition. */
export interface StubLog {
  /** Offset that the next record gets. */
  endOffset(): bigint
  /** Empty when only counting. */
  records(): readonly StubRecord[]
  /** @throws WireError when the batch is damaged. */
  append(batch: Uint8Array): Appended
}

const invalidRecord = 87
const outOfOrderSequence = 45
const invalidProducerEpoch = 47
const lastSequence = 2 ** 31 - 1
/** Batches that a broker remembers of a producer (ProducerStateEntry.NUM_BATCHES_TO_RETAIN). */
const rememberedBatches = 5

interface ProducerState {
  epoch: number
  batches: { readonly first: number; readonly last: number; readonly baseOffset: bigint }[]
}

/**
 * A log with the rule of idempotent producers as brokers have it (ProducerStateEntry.findDuplicateBatch, ProducerAppendInfo): the same
 * first and last sequence of the same epoch is a duplicate; a sequence that does not follow is out of order; a new epoch begins at 0; a
 * producer that the partition does not know may begin anywhere.
 */
export function createStubLog(options: { readonly keep: Keep }): StubLog {
  const { keep } = options
  const records: StubRecord[] = []
  /** Decoded when somebody asks for records. */
  let encoded: { readonly batch: Uint8Array; readonly baseOffset: bigint }[] = []
  const producers = new Map<bigint, ProducerState>()
  let end = 0n

  const admit = (header: BatchHeader, first: number, last: number): Appended | undefined => {
    const state = producers.get(header.producerId)
    if (state === undefined) return undefined
    if (header.producerEpoch === state.epoch) {
      const earlier = state.batches.find((batch) => batch.first === first && batch.last === last)
      if (earlier !== undefined) return { errorCode: 0, baseOffset: earlier.baseOffset, isDuplicate: true }
      const next = state.batches.at(-1)!.last
      return first === (next === lastSequence ? 0 : next + 1) ? undefined : refused(outOfOrderSequence)
    }
    if (header.producerEpoch < state.epoch) return refused(invalidProducerEpoch)
    return first === 0 ? undefined : refused(outOfOrderSequence)
  }
  const remember = (header: BatchHeader, first: number, last: number) => {
    const state = producers.get(header.producerId)
    const known = state?.epoch === header.producerEpoch ? state.batches : []
    const batches = [...known, { first, last, baseOffset: end }].slice(-rememberedBatches)
    producers.set(header.producerId, { epoch: header.producerEpoch, batches })
  }
  const keepRecords = (added: readonly StubRecord[], baseOffset: bigint) => {
    for (const record of added) records.push({ ...record, offset: baseOffset + record.offset })
  }
  return {
    endOffset: () => end,
    records() {
      for (const { batch, baseOffset } of encoded) keepRecords(decodeRecordBatch(batch).records, baseOffset)
      encoded = []
      return records
    },
    append(batch) {
      const header = readBatchHeader(batch)
      // A request carries exactly one batch per partition (since Produce version 3).
      if (header.sizeBytes !== batch.length) return refused(invalidRecord)
      // A copy: the request's buffer is not ours. First of all, as a damaged batch must leave no trace.
      const added = keep === 'records' ? decodeRecordBatch(Buffer.from(batch)).records : []
      if (header.producerId >= 0n) {
        const first = header.baseSequence
        // Sequences wrap to 0 behind the largest int32.
        const last = Number((BigInt(first) + BigInt(header.lastOffsetDelta)) & 0x7fffffffn)
        const verdict = admit(header, first, last)
        if (verdict !== undefined) return verdict
        remember(header, first, last)
      }
      const baseOffset = end
      keepRecords(added, baseOffset)
      if (keep === 'batches') encoded.push({ batch, baseOffset })
      end += BigInt(header.lastOffsetDelta) + 1n
      return { errorCode: 0, baseOffset, isDuplicate: false }
    },
  }
}

function refused(errorCode: number): Appended {
  return { errorCode, baseOffset: -1n, isDuplicate: false }
}
