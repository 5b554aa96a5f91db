import { type AbortedTransaction, controlKind, decodeRecordBatch } from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import type { StoredBatch } from './stored-batch'

/** What a batch says of its producer. */
export interface ProducedBy {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastOffsetDelta: number
  readonly isTransactional: boolean
}

/** What is to be done with a batch of an idempotent producer. */
export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  | { readonly kind: 'refuse'; readonly errorCode: number }

interface WrittenBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

interface ProducerState {
  epoch: number
  /** The last five batches: as many as a producer may have on the way. */
  batches: WrittenBatch[]
  transactionStart: number | undefined
}

interface EndedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
  /** Offset of the mark. */
  readonly lastOffset: number
}

/** What a replica remembers of idempotent and transactional producers; a function of its log. */
export interface ProducerStates {
  /** Judges a batch before it is appended. For batches with a producer id only. */
  judge(batch: ProducedBy): SequenceVerdict
  /** Takes note of a batch that was appended, also of marks. */
  appended(batch: StoredBatch): void
  /** The offset up to which every transaction is decided, given what is replicated. */
  lastStableOffset(highWatermark: number): number
  /** Aborted transactions that touch a range of offsets, as consumers are told. */
  aborted(from: number, before: number): readonly AbortedTransaction[]
  /** Whether an offset belongs to an aborted transaction of the producer. */
  isAborted(producerId: bigint, offset: number): boolean
  /** Whether the producer has a transaction open here. */
  isOpen(producerId: bigint): boolean
  /** Transactions that ended before the start of the log are of no use any more. */
  forgetBefore(offset: number): void
  /** Reads everything anew from what is left of the log. */
  rebuild(batches: Iterable<StoredBatch>): void
}

const rememberedBatches = 5
/** Producers that are remembered; the one that has been quiet longest is forgotten, as Kafka forgets them after a day. */
const rememberedProducers = 10_000
const largestSequence = 0x7fffffff

/** Knows no producer yet. */
export function createProducerStates(): ProducerStates {
  const producers = new Map<bigint, ProducerState>()
  let aborted: EndedTransaction[] = []
  /** Ended, but the mark is not replicated yet: not stable before that. */
  let undecided: EndedTransaction[] = []
  const open = new Map<bigint, number>()

  function stateOf(producerId: bigint, epoch: number): ProducerState {
    const known = producers.get(producerId)
    // The order of the map is the order of use.
    if (known) producers.delete(producerId)
    const state = known ?? { epoch, batches: [], transactionStart: undefined }
    producers.set(producerId, state)
    if (producers.size > rememberedProducers) {
      for (const [id, { transactionStart }] of producers) {
        if (transactionStart !== undefined) continue
        producers.delete(id)
        break
      }
    }
    return state
  }

  function endTransaction(batch: StoredBatch, state: ProducerState): void {
    state.transactionStart = undefined
    const firstOffset = open.get(batch.producerId)
    open.delete(batch.producerId)
    if (firstOffset === undefined) return
    const ended = { producerId: batch.producerId, firstOffset, lastOffset: batch.lastOffset }
    undecided.push(ended)
    const mark = decodeRecordBatch(batch.bytes, { checkCrc: false }).records[0]
    if (mark && controlKind(mark) === 'abort') aborted.push(ended)
  }

  const states: ProducerStates = {
    judge(batch) {
      const state = producers.get(batch.producerId)
      // As Kafka since 2.5: of a producer that is not known (any more), every sequence number is taken.
      if (!state) return { kind: 'append' }
      if (batch.producerEpoch < state.epoch) return { kind: 'refuse', errorCode: errorCode.invalidProducerEpoch }
      const { baseSequence } = batch
      const lastSequence = wrapped(baseSequence + batch.lastOffsetDelta)
      if (batch.producerEpoch > state.epoch) {
        return baseSequence === 0 ? { kind: 'append' } : { kind: 'refuse', errorCode: errorCode.outOfOrderSequence }
      }
      const same = state.batches.find((one) => one.firstSequence === baseSequence && one.lastSequence === lastSequence)
      if (same) return { kind: 'duplicate', baseOffset: same.baseOffset }
      if (state.transactionStart !== undefined && !batch.isTransactional) {
        return { kind: 'refuse', errorCode: errorCode.invalidTxnState }
      }
      const previous = state.batches[state.batches.length - 1]?.lastSequence ?? -1
      if (baseSequence === wrapped(previous + 1)) return { kind: 'append' }
      return { kind: 'refuse', errorCode: errorCode.outOfOrderSequence }
    },
    appended(batch) {
      if (batch.producerId < 0n) return
      const state = stateOf(batch.producerId, batch.producerEpoch)
      if (batch.producerEpoch > state.epoch) {
        state.epoch = batch.producerEpoch
        state.batches = []
      }
      if (batch.isControl) return endTransaction(batch, state)
      const lastSequence = wrapped(batch.baseSequence + batch.lastOffset - batch.baseOffset)
      state.batches.push({ firstSequence: batch.baseSequence, lastSequence, baseOffset: batch.baseOffset })
      if (state.batches.length > rememberedBatches) state.batches.shift()
      if (batch.isTransactional && state.transactionStart === undefined) {
        state.transactionStart = batch.baseOffset
        open.set(batch.producerId, batch.baseOffset)
      }
    },
    lastStableOffset(highWatermark) {
      undecided = undecided.filter(({ lastOffset }) => lastOffset >= highWatermark)
      let stable = highWatermark
      for (const firstOffset of open.values()) stable = Math.min(stable, firstOffset)
      for (const { firstOffset } of undecided) stable = Math.min(stable, firstOffset)
      return stable
    },
    aborted: (from, before) =>
      aborted
        .filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < before)
        .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) })),
    isAborted: (producerId, offset) =>
      aborted.some((one) => one.producerId === producerId && one.firstOffset <= offset && offset <= one.lastOffset),
    isOpen: (producerId) => open.has(producerId),
    forgetBefore(offset) {
      aborted = aborted.filter(({ lastOffset }) => lastOffset >= offset)
    },
    rebuild(batches) {
      producers.clear()
      open.clear()
      aborted = []
      undecided = []
      for (const batch of batches) states.appended(batch)
    },
  }
  return states
}

/** Sequence numbers go from 2^31 − 1 to 0. */
function wrapped(sequence: number): number {
  return sequence > largestSequence ? sequence - largestSequence - 1 : sequence
}
