import { builtInCodecs, encodeCompressedBatch, encodeRecordBatch } from '@pipe/kafka-wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPartitionQueue, type HeldBatch } from '../../src/consumer/partition-queue'

const batchOf = (baseOffset: bigint, values: readonly string[]) =>
  encodeRecordBatch(
    values.map((value) => ({ key: null, value, headers: [], timestampMs: 1000 })),
    { baseOffset },
  )

const steps = fc.array(
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('push' as const),
        values: fc.array(fc.string({ maxLength: 50 }), { minLength: 1, maxLength: 8 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('skip' as const), by: fc.integer({ min: 1, max: 20 }) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('next' as const) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), pick: fc.nat() }) },
  ),
  { maxLength: 200 },
)

test('model: records in order from the start offset, offsets without records as skips, bytes back to zero', () => {
  fc.assert(
    fc.property(fc.nat(10), steps, fc.boolean(), (startDelta, list, clearsFirst) => {
      const start = 100n + BigInt(startDelta)
      const queue = createPartitionQueue({ start })
      let end = 100n
      const expected: { readonly offset: bigint; readonly value: string }[] = []
      let frontier = start
      const held: HeldBatch[] = []
      const takeOne = () => {
        const next = queue.next()
        if (!next) return expect(expected.filter(({ offset }) => offset >= frontier)).toEqual([])
        if ('skipTo' in next) {
          expect(next.skipTo).toBeGreaterThanOrEqual(frontier < 100n ? 0n : 100n)
          // Nothing that was expected is skipped.
          expect(expected.filter(({ offset }) => offset >= frontier && offset < next.skipTo)).toEqual([])
          if (next.skipTo > frontier) frontier = next.skipTo
          return
        }
        const want = expected.find(({ offset }) => offset >= frontier)!
        expect({ offset: next.record.offset, value: next.record.value!.toString() }).toEqual(want)
        frontier = want.offset + 1n
        held.push(next.batch)
      }
      for (const step of list) {
        if (step.kind === 'push') {
          step.values.forEach((value, i) => {
            const offset = end + BigInt(i)
            if (offset >= start) expected.push({ offset, value })
          })
          const batch = batchOf(end, step.values)
          end += BigInt(step.values.length)
          queue.push({ batch, endOffset: end })
        } else if (step.kind === 'skip') {
          end += BigInt(step.by)
          queue.push({ batch: undefined, endOffset: end })
        } else if (step.kind === 'next') takeOne()
        else if (held.length > 0) queue.release(held.splice(step.pick % held.length, 1)[0]!)
        expect(queue.bytes).toBeGreaterThanOrEqual(0)
      }
      if (clearsFirst) queue.clear()
      else for (let guard = 0; !queue.isEmpty && guard < 100_000; guard++) takeOne()
      for (const batch of held) queue.release(batch)
      expect(queue.bytes).toBe(0)
      expect(queue.isEmpty).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('a batch stays packed until it is wanted, and its unpacked size counts until its last record is released', async () => {
  const values = Array.from({ length: 100 }, () => 'x'.repeat(1000))
  const packed = await encodeCompressedBatch(
    values.map((value) => ({ key: null, value, headers: [], timestampMs: 1 })),
    builtInCodecs.get(1)!,
  )
  const queue = createPartitionQueue({ start: 0n })
  queue.push({ batch: packed, endOffset: 100n })
  expect(queue.bytes).toBe(packed.length)
  expect(packed.length).toBeLessThan(5000)
  const first = queue.next()
  if (!first || 'skipTo' in first) throw new Error('no record')
  expect(queue.bytes).toBeGreaterThan(100_000)
  queue.release(first.batch)
  expect(queue.bytes).toBeGreaterThan(100_000)
  for (let i = 1; i < 100; i++) {
    const next = queue.next()
    if (!next || 'skipTo' in next) throw new Error('no record')
    queue.release(next.batch)
  }
  expect(queue.bytes).toBe(0)
  expect(queue.next()).toEqual({ skipTo: 100n })
  expect(queue.next()).toBeUndefined()
})

test('a batch that unpacks to too much is refused by name, and stays', async () => {
  const packed = await encodeCompressedBatch(
    [{ key: null, value: 'x'.repeat(100_000), headers: [], timestampMs: 1 }],
    builtInCodecs.get(1)!,
  )
  const queue = createPartitionQueue({ start: 0n, maxUnpackedBytes: 50_000 })
  queue.push({ batch: packed, endOffset: 1n })
  expect(() => queue.next()).toThrow(/50.?000/)
  expect(queue.bytes).toBe(packed.length)
  expect(queue.isEmpty).toBe(false)
})
