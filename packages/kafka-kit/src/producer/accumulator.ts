import type { RecordToWrite } from '@pipe/kafka-wire'
import { createBatch, type SendGroup } from './batch'
import type { PartitionQueue } from './partition-queue'

/** Gathers messages into batches. */
export interface Accumulator {
  /** Puts a message into the open batch of its partition, or opens one. */
  append(queue: PartitionQueue, record: RecordToWrite, bytes: number, group: SendGroup, index: number): void
  /** The open batch of a queue takes no more: it is full, too old, was taken, or is settled. */
  close(queue: PartitionQueue): void
  /** Makes all that waits due at once, and what comes until it is turned off. */
  flush(on: boolean): void
  stop(): void
}

/**
 * Makes an accumulator. A batch is due when it holds `batchBytes` or `batchRecords`, or when its first message has waited for `lingerMs`.
 *
 * @param settings `onReady` is called for a queue whose first batch is due, `onOpened` for each new batch.
 */
export function createAccumulator(settings: {
  readonly batchBytes: number
  readonly batchRecords: number
  readonly lingerMs: number
  readonly onReady: (queue: PartitionQueue) => void
  readonly onOpened: () => void
}): Accumulator {
  const { batchBytes, batchRecords, lingerMs, onReady, onOpened } = settings
  const lingering = new Set<PartitionQueue>()
  let isFlushing = false
  let lingerTimer: NodeJS.Timeout | undefined

  function append(queue: PartitionQueue, record: RecordToWrite, bytes: number, group: SendGroup, index: number): void {
    let batch = queue.open
    if (batch && batch.bytes + bytes > batchBytes) {
      close(queue)
      batch = undefined
    }
    if (!batch) {
      batch = createBatch(Date.now())
      queue.open = batch
      queue.batches.push(batch)
      onOpened()
      if (lingerMs === 0 || isFlushing) batch.isDue = true
      else {
        lingering.add(queue)
        if (lingerTimer === undefined) lingerTimer = setTimeout(endLinger, lingerMs)
      }
    }
    batch.records.push(record)
    batch.groups.push(group)
    batch.indexes.push(index)
    batch.bytes += bytes
    queue.queuedBytes += bytes
    if (batch.bytes >= batchBytes || batch.records.length >= batchRecords) close(queue)
    if (queue.batches[0]!.isDue && queue.inFlight === undefined) onReady(queue)
  }

  function close(queue: PartitionQueue): void {
    queue.open!.isDue = true
    queue.open = undefined
    lingering.delete(queue)
  }

  function endLinger(): void {
    const nowMs = Date.now()
    let nextMs = Number.POSITIVE_INFINITY
    for (const queue of lingering) {
      const leftMs = queue.open!.createdAtMs + lingerMs - nowMs
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs)
      else {
        queue.open!.isDue = true
        lingering.delete(queue)
        onReady(queue)
      }
    }
    lingerTimer = nextMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(endLinger, nextMs)
  }

  function flush(on: boolean): void {
    isFlushing = on
    if (!on) return
    for (const queue of lingering) {
      queue.open!.isDue = true
      onReady(queue)
    }
    lingering.clear()
  }

  return { append, close, flush, stop: () => clearTimeout(lingerTimer) }
}
