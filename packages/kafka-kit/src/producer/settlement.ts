import { recordBytesAtMost } from '@pipe/kafka-wire'
import { type Batch, sliceBatch } from './batch'
import type { BufferRoom } from './buffer-room'
import { type PartitionQueue, sequenceAfter } from './partition-queue'
import { type Reason, undelivered } from './undelivered'

/** How batches leave their queues: confirmed, given up, taken back, or in parts. Each message is told once, and its room is given back. */
export interface Settlement {
  /**
   * The broker has it. `baseOffset` −1: at an offset that it does not name; `logAppendTimeMs` −1: with the timestamps of the producer.
   */
  written(queue: PartitionQueue, batch: Batch, baseOffset: bigint, logAppendTimeMs: bigint): void
  /** Nothing more is tried for it; whether it may be written decides how its messages fail. */
  giveUp(queue: PartitionQueue, batch: Batch, reason: Reason): void
  /** Drops messages whose caller gave up before the first attempt. `false` when none is left. */
  takeBack(queue: PartitionQueue, batch: Batch): boolean
  /** Puts halves in the place of a batch that was refused: none of its sequence numbers was used. */
  halve(queue: PartitionQueue, batch: Batch): void
  /** Fails the messages that the broker refused, and puts the others in the place of the batch. */
  expel(queue: PartitionQueue, batch: Batch, bad: ReadonlySet<number>, reason: Reason): void
}

/** Makes the settlement of one engine. `onClosed` is called when the open batch of a queue is settled, `onNext` for a queue that may go on. */
export function createSettlement(settings: {
  readonly room: BufferRoom
  readonly isIdempotent: boolean
  readonly onClosed: (queue: PartitionQueue) => void
  readonly onNext: (queue: PartitionQueue) => void
  /** A queue has become empty. */
  readonly onEmpty: () => void
}): Settlement {
  const { room, isIdempotent, onClosed, onNext, onEmpty } = settings

  function finish(queue: PartitionQueue, batch: Batch): void {
    const at = queue.batches.indexOf(batch)
    if (at >= 0) queue.batches.splice(at, 1)
    if (queue.open === batch) onClosed(queue)
    queue.queuedBytes -= batch.bytes
    room.give(batch.bytes, batch.records.length)
    batch.isSettled = true
    for (const settled of batch.onSettled) settled()
    if (queue.inFlight !== batch) batch.encoded = undefined
    batch.records = []
    batch.groups = []
    batch.indexes = []
    if (queue.batches.length > 0) onNext(queue)
    else onEmpty()
  }

  function fail(batch: Batch, error: ReturnType<typeof undelivered>): void {
    batch.groups.forEach((group, i) => void group.failed(batch.indexes[i]!, error))
  }

  function replace(queue: PartitionQueue, batch: Batch, parts: readonly ((index: number) => boolean)[]): void {
    const batches = parts.map((keep) => sliceBatch(batch, keep, recordBytesAtMost))
    let left = batches.length
    for (const part of batches) {
      part.onSettled.push(() => {
        left--
        if (left === 0) for (const settled of batch.onSettled) settled()
      })
    }
    queue.batches.splice(queue.batches.indexOf(batch), 1, ...batches)
    batch.isSettled = true
    onNext(queue)
  }

  return {
    written(queue, batch, baseOffset, logAppendTimeMs) {
      if (batch.isSettled) {
        onNext(queue)
        return
      }
      const { records, groups, indexes, sequence } = batch
      const count = records.length
      if (sequence) queue.nextSequence = sequenceAfter(sequence.baseSequence, count)
      const isKnown = baseOffset >= 0n
      // Exact up to 2^53, which no partition reaches; one bigint a message instead of two.
      const base = Number(baseOffset)
      const appendTimeMs = Number(logAppendTimeMs)
      for (let i = 0; i < count; i++) {
        const timestampMs = appendTimeMs >= 0 ? appendTimeMs : records[i]!.timestampMs
        groups[i]!.written(indexes[i]!, queue.partition, isKnown ? BigInt(base + i) : -1n, timestampMs)
      }
      if (isKnown) queue.lastOffset = baseOffset + BigInt(count - 1)
      finish(queue, batch)
    },

    giveUp(queue, batch, reason) {
      const isUnknown = batch.mayBeWritten
      // Its sequence number may be used up or not: no batch may ever carry it again.
      if (isUnknown && isIdempotent) queue.needsNewId = true
      fail(batch, undelivered(queue, batch, reason, isUnknown))
      finish(queue, batch)
    },

    takeBack(queue, batch) {
      if (batch.attempts > 0 || !batch.groups.some(({ isAborted }) => isAborted)) return true
      const kept = sliceBatch(batch, (i) => !batch.groups[i]!.isAborted, recordBytesAtMost)
      room.give(batch.bytes - kept.bytes, batch.records.length - kept.records.length)
      queue.queuedBytes -= batch.bytes - kept.bytes
      batch.records = kept.records
      batch.groups = kept.groups
      batch.indexes = kept.indexes
      batch.bytes = kept.bytes
      batch.encoded = undefined
      if (kept.records.length > 0) return true
      finish(queue, batch)
      return false
    },

    halve(queue, batch) {
      const half = batch.records.length >> 1
      replace(queue, batch, [(i) => i < half, (i) => i >= half])
    },

    expel(queue, batch, bad, reason) {
      const refused = sliceBatch(batch, (i) => bad.has(i), recordBytesAtMost)
      fail(refused, undelivered(queue, batch, reason, false))
      room.give(refused.bytes, refused.records.length)
      queue.queuedBytes -= refused.bytes
      replace(queue, batch, [(i) => !bad.has(i)])
    },
  }
}
