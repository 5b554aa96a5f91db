import { type BatchRecord, decodeRecordBatch } from '@pipe/kafka-wire'

/** A piece of a partition as it was fetched: a batch, or offsets without a record. */
export interface Fetched {
  /** The encoded batch; `undefined` when none of its records is for the application. */
  readonly batch: Uint8Array | undefined
  /** The offset behind its last record. */
  readonly endOffset: bigint
}

/** A record, and the batch whose bytes it holds. */
export interface QueuedRecord {
  readonly record: BatchRecord
  readonly batch: HeldBatch
}

/** A batch in memory. */
export interface HeldBatch {
  bytes: number
  /** Records that are not released yet. */
  left: number
}

/** What waits for one partition, in bytes. Batches stay encoded until their first record is wanted. */
export interface PartitionQueue {
  /** Bytes in memory: batches that wait, and those of which a record is not released yet. */
  readonly bytes: number
  readonly isEmpty: boolean
  push(fetched: Fetched): void
  /**
   * The next record, or where the partition goes on when the next offsets hold none; `undefined` when nothing waits.
   *
   * @throws WireError when the batch is damaged or its codec is missing. The batch stays where it is.
   */
  next(): QueuedRecord | { readonly skipTo: bigint } | undefined
  /** The record is done with, so that its bytes no longer count. */
  release(batch: HeldBatch): void
  /** Drops what waits. Bytes of records that are out stay counted until they are released. */
  clear(): void
}

/** What a decoded record takes beside its bytes: two buffers, a bigint, an object, its place in lanes and tracker. An estimate, rather too high. */
const overheadBytes = 500

/**
 * Makes the queue of one partition.
 *
 * @param options `start`: records below are left out (a batch may begin before the offset that was asked for). `maxUnpackedBytes`: what
 * one batch may unpack to.
 */
export function createPartitionQueue(options: { readonly start: bigint; readonly maxUnpackedBytes?: number }): PartitionQueue {
  const { start, maxUnpackedBytes } = options
  let waiting: Fetched[] = []
  let current:
    | { readonly records: readonly BatchRecord[]; at: number; readonly held: HeldBatch; readonly endOffset: bigint }
    | undefined
  let bytes = 0

  return {
    get bytes() {
      return bytes
    },
    get isEmpty() {
      return !current && waiting.length === 0
    },
    push(fetched) {
      bytes += fetched.batch?.byteLength ?? 0
      waiting.push(fetched)
    },
    next() {
      if (!current) {
        const fetched = waiting[0]
        if (!fetched) return undefined
        if (!fetched.batch) {
          waiting.shift()
          return { skipTo: fetched.endOffset }
        }
        // The checksum was checked when it came.
        const { records: all } = decodeRecordBatch(fetched.batch, { checkCrc: false, maxBytes: maxUnpackedBytes })
        waiting.shift()
        const records = all.length > 0 && all[0]!.offset < start ? all.filter(({ offset }) => offset >= start) : all
        bytes -= fetched.batch.byteLength
        if (records.length === 0) return { skipTo: fetched.endOffset }
        const held: HeldBatch = { bytes: heldBytes(records), left: records.length }
        bytes += held.bytes
        current = { records, at: 0, held, endOffset: fetched.endOffset }
      }
      if (current.at === current.records.length) {
        const { endOffset } = current
        current = undefined
        return { skipTo: endOffset }
      }
      const record = current.records[current.at]!
      current.at++
      return { record, batch: current.held }
    },
    release(batch) {
      batch.left--
      if (batch.left === 0) {
        bytes -= batch.bytes
        batch.bytes = 0
      }
    },
    clear() {
      for (const { batch } of waiting) bytes -= batch?.byteLength ?? 0
      waiting = []
      if (current) {
        // Those that never went out will not be released by anyone.
        current.held.left -= current.records.length - current.at
        if (current.held.left === 0) bytes -= current.held.bytes
        current = undefined
      }
    },
  }
}

function heldBytes(records: readonly BatchRecord[]): number {
  let bytes = records.length * overheadBytes
  for (const { key, value, headers } of records) {
    bytes += (key?.length ?? 0) + (value?.length ?? 0)
    for (const header of headers) bytes += 100 + header.key.length + (header.value?.length ?? 0)
  }
  return bytes
}
