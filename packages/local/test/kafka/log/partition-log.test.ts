import { encodeRecordBatch, readBatchHeader } from '@pipe/kafka-wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLeaderEpochs } from '../../../src/kafka/log/leader-epochs'
import { createPartitionLog } from '../../../src/kafka/log/partition-log'
import { type StoredBatch, storeBatch } from '../../../src/kafka/log/stored-batch'

function batch(baseOffset: number, count: number, timestampMs = 0, size = 1): StoredBatch {
  const records = Array.from({ length: count }, () => ({ key: 'k', value: 'x'.repeat(size), headers: [], timestampMs }))
  const bytes = encodeRecordBatch(records)
  return storeBatch(bytes, readBatchHeader(bytes), { baseOffset, leaderEpoch: 0 })
}
const small = () => ({ segmentBytes: 1000, segmentMs: 1_000_000 })

/** A log with batches of these numbers of records, in segments of at most 1000 bytes. */
function logOf(counts: readonly number[]) {
  const log = createPartitionLog(small)
  const batches: StoredBatch[] = []
  for (const count of counts) {
    const next = batch(log.endOffset, count)
    batches.push(next)
    log.append(next)
  }
  return { log, batches }
}

const counts = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 })

describe('a log', () => {
  test('reads whole batches from the one that holds the offset, up to a limit', () => {
    fc.assert(
      fc.property(counts, fc.nat(400), fc.nat(3000), fc.nat(400), (sizes, offset, maxBytes, before) => {
        const { log, batches } = logOf(sizes)
        const wanted = batches.filter(({ lastOffset }) => lastOffset >= offset && lastOffset < before)
        const fitting: StoredBatch[] = []
        let size = 0
        for (const one of wanted) {
          size += one.bytes.length
          if (size > maxBytes && fitting.length > 0) break
          fitting.push(one)
          if (size >= maxBytes) break
        }
        expect(log.read(offset, maxBytes, before)).toEqual(fitting)
        const total = wanted.reduce((sum, one) => sum + one.bytes.length, 0)
        expect(log.available(offset, Number.MAX_SAFE_INTEGER, before)).toBe(total)
      }),
    )
  })

  test('knows its size, however it is cut', () => {
    fc.assert(
      fc.property(counts, fc.nat(400), fc.nat(400), (sizes, cut, start) => {
        const { log, batches } = logOf(sizes)
        log.truncate(cut)
        const end = Math.min(cut, batches.at(-1)?.lastOffset ?? -1)
        const left = batches.filter(({ lastOffset }) => lastOffset < cut)
        expect(log.read(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toEqual(left)
        expect(log.sizeBytes).toBe(left.reduce((sum, { bytes }) => sum + bytes.length, 0))
        log.moveStart(start)
        expect(log.startOffset).toBe(Math.min(start, log.endOffset))
        expect(log.sizeBytes).toBe(log.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
        expect(log.endOffset).toBeGreaterThanOrEqual(Math.min(end, log.endOffset))
        const next = batch(log.endOffset, 1)
        log.append(next)
        expect(log.read(next.baseOffset, 1, Number.MAX_SAFE_INTEGER)).toEqual([next])
      }),
    )
  })

  test('closes a segment by size and by age', () => {
    const log = createPartitionLog(() => ({ segmentBytes: 1000, segmentMs: 100 }))
    log.append(batch(0, 1, 0))
    log.append(batch(1, 1, 100))
    log.append(batch(2, 1, 101))
    log.append(batch(3, 1, 110, 2000))
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 3])
  })

  test('keeps a batch that is most of its request where it is, and copies small ones', () => {
    const request = Buffer.allocUnsafeSlow(4000)
    const one = encodeRecordBatch([{ key: null, value: 'x', headers: [], timestampMs: 0 }])
    request.set(one, 100)
    const view = request.subarray(100, 100 + one.length)
    const stored = storeBatch(view, readBatchHeader(view), { baseOffset: 7, leaderEpoch: 3 })
    expect(stored.bytes.buffer).not.toBe(request.buffer)
    expect(readBatchHeader(stored.bytes)).toMatchObject({ baseOffset: 7n, partitionLeaderEpoch: 3 })
    expect(readBatchHeader(view).baseOffset).toBe(0n)
  })
})

describe('leader epochs', () => {
  test('end where the next one begins', () => {
    const epochs = createLeaderEpochs()
    expect(epochs.latest).toBe(-1)
    expect(epochs.endOf(0, 10)).toEqual({ epoch: -1, endOffset: -1 })
    epochs.begin(0, 0)
    epochs.begin(2, 5)
    epochs.begin(2, 9)
    epochs.begin(3, 12)
    expect(epochs.endOf(0, 20)).toEqual({ epoch: 0, endOffset: 5 })
    expect(epochs.endOf(1, 20)).toEqual({ epoch: 0, endOffset: 5 })
    expect(epochs.endOf(2, 20)).toEqual({ epoch: 2, endOffset: 12 })
    expect(epochs.endOf(9, 20)).toEqual({ epoch: 3, endOffset: 20 })
    epochs.truncate(12)
    expect(epochs.latest).toBe(2)
    epochs.moveStart(7)
    expect(epochs.endOf(1, 12)).toEqual({ epoch: -1, endOffset: -1 })
    expect(epochs.endOf(2, 12)).toEqual({ epoch: 2, endOffset: 12 })
  })

  test('an epoch without records leaves no trace when the next one begins at the same offset', () => {
    const epochs = createLeaderEpochs()
    epochs.begin(0, 0)
    epochs.begin(1, 4)
    epochs.begin(2, 4)
    expect(epochs.endOf(1, 9)).toEqual({ epoch: 0, endOffset: 4 })
  })
})
