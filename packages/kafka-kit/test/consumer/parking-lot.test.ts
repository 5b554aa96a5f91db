import type { BatchRecord } from '@pipe/kafka-wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createParkingLot, laneName } from '../../src/consumer/parking-lot'
import { type EntryToWrite, parkedEntry, type RetryEntry, readEntry, resolvedEntry } from '../../src/consumer/retry-topic'

const origin = { group: 'billing', topic: 'orders', partition: 3 }

function record(offset: number, key: string | null = 'a', over: Partial<BatchRecord> = {}): BatchRecord {
  return {
    offset: BigInt(offset),
    timestampMs: 1000 + offset,
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from([0xff, offset]),
    headers: [],
    ...over,
  }
}

const parked = (offset: number, key: string | null = 'a', over: { round?: number; dueAtMs?: number } = {}): RetryEntry => ({
  kind: 'parked',
  state: { record: record(offset, key), round: 1, attempts: 1, dueAtMs: 0, ...over },
})
const laneOf = ({ key }: BatchRecord) => key?.toString('latin1')
const newLot = (start = 0n) => createParkingLot({ start, laneOf })
const lane = (key: string) => laneName(key, 0n)

/** An entry as it comes back from the log. */
const logged = (entry: EntryToWrite, offset: number): BatchRecord => ({ ...entry, offset: BigInt(offset) }) as BatchRecord

describe('a lot', () => {
  test('while a record of a key waits, later ones are behind it; other keys, and earlier records, are free', () => {
    const lot = newLot()
    lot.take(parked(10), 0n)
    expect(lot.standing(lane('a'), 11n)).toBe('behind')
    expect(lot.standing(lane('a'), 10n)).toBe('known')
    expect(lot.standing(lane('a'), 9n)).toBe('free')
    expect(lot.standing(lane('b'), 11n)).toBe('free')
    lot.take({ kind: 'resolved', offset: 10n }, 1n)
    expect(lot.standing(lane('a'), 11n)).toBe('free')
    expect(lot).toMatchObject({ records: 0, bytes: 0, committable: 2n })
  })

  test('a record that fails again stays the first of its key, whatever stands before it in the log', () => {
    const lot = newLot()
    lot.take(parked(10, 'a', { dueAtMs: 5 }), 0n)
    lot.take(parked(11, 'a', { round: 0 }), 1n)
    expect(lot.next(4)).toBeUndefined()
    expect(lot.nextDueAtMs).toBe(5)
    const first = lot.next(5)!
    expect(first.record.offset).toBe(10n)
    // Out: nobody of its key overtakes it.
    expect(lot.next(1000)).toBeUndefined()
    lot.take(parked(10, 'a', { round: 2, dueAtMs: 50 }), 2n)
    expect(lot.next(49)).toBeUndefined()
    expect(lot.next(50)).toMatchObject({ round: 2 })
    lot.take({ kind: 'resolved', offset: 10n }, 3n)
    expect(lot.next(50)!.record.offset).toBe(11n)
  })

  test('what may be committed is the lowest entry that still counts', () => {
    const lot = newLot(100n)
    expect(lot.committable).toBe(100n)
    lot.take(parked(1, 'a'), 100n)
    lot.take(parked(2, 'b'), 101n)
    lot.take(parked(1, 'a', { round: 2 }), 102n)
    expect(lot.committable).toBe(101n)
    lot.take({ kind: 'resolved', offset: 2n }, 103n)
    expect(lot.committable).toBe(102n)
    lot.take({ kind: 'resolved', offset: 1n }, 104n)
    expect(lot.committable).toBe(105n)
  })

  test('records without a key wait for nobody', () => {
    const lot = newLot()
    lot.take(parked(1, null, { dueAtMs: 9 }), 0n)
    lot.take(parked(2, null), 1n)
    expect(lot.next(0)!.record.offset).toBe(2n)
    expect(lot.standing(laneName(undefined, 3n), 3n)).toBe('free')
  })

  test('an interrupted one is there again', () => {
    const lot = newLot()
    lot.take(parked(1), 0n)
    const out = lot.next(0)!
    expect(lot.next(0)).toBeUndefined()
    lot.putBack(out)
    expect(lot.next(0)).toEqual(out)
  })
})

describe('an entry', () => {
  test('brings the record back as it was: bytes, headers (also such as ours, also twice), place and time', () => {
    const headers = [
      { key: 'pipe-retry', value: Buffer.from('resolved') },
      { key: 'trace', value: Buffer.from([0, 255]) },
      { key: 'trace', value: null },
      { key: 'pipe-origin-offset', value: Buffer.from('7') },
    ]
    const state = { record: record(42, 'k', { headers }), round: 3, attempts: 8, dueAtMs: 99 }
    const entry = parkedEntry(origin, state, new TypeError('no'), 5)
    expect(readEntry(origin, logged(entry, 1))).toEqual({ kind: 'parked', state })
    expect(entry.headers.find(({ key }) => key === 'pipe-error-code')?.value?.toString()).toBe('TypeError')
    const empty = { ...state, record: record(0, null, { value: null, timestampMs: -1 }) }
    expect(readEntry(origin, logged(parkedEntry(origin, empty, undefined, 5), 1))).toEqual({ kind: 'parked', state: empty })
    expect(readEntry(origin, logged(resolvedEntry(origin, 42n, null, 5), 1))).toEqual({ kind: 'resolved', offset: 42n })
  })

  test('of another group, topic or partition, or of nobody, is passed over', () => {
    const entry = logged(parkedEntry(origin, { record: record(1), round: 1, attempts: 1, dueAtMs: 0 }, undefined, 5), 1)
    for (const other of [{ group: 'x' }, { topic: 'x' }, { partition: 4 }]) {
      expect(readEntry({ ...origin, ...other }, entry)).toBeUndefined()
    }
    expect(readEntry(origin, record(1))).toBeUndefined()
    const damaged = entry.headers.map((header) =>
      header.key === 'pipe-retry-round' ? { ...header, value: Buffer.from('x') } : header,
    )
    expect(readEntry(origin, { ...entry, headers: damaged })).toBeUndefined()
  })
})

test('property: whatever fails and whenever it is read back, keys keep their order and each record ends once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 25 }),
      fc.array(fc.tuple(fc.constantFrom('source', 'parked', 'restart'), fc.boolean()), { maxLength: 150 }),
      (keys, steps) => {
        // The log of the retry topic, and the group's offsets.
        const log: BatchRecord[] = []
        let committedSource = 0
        let committedRetry = 0n
        let lot = newLot()
        let at = 0
        const ended: string[][] = keys.map(() => [])
        const order: Record<string, number[]> = { a: [], b: [], c: [] }
        const write = (entry: EntryToWrite) => {
          const one = logged(entry, log.length)
          log.push(one)
          lot.take(readEntry(origin, one), one.offset)
        }
        const handle = (offset: number) => {
          ended[offset]!.push('handled')
          order[keys[offset]!]!.push(offset)
        }
        const readBack = () => {
          lot = newLot(committedRetry)
          for (const entry of log.slice(Number(committedRetry))) lot.take(readEntry(origin, entry), entry.offset)
          at = committedSource
        }
        const state = (offset: number, round: number) => ({
          record: record(offset, keys[offset]!),
          round,
          attempts: round,
          dueAtMs: 0,
        })
        const step = (what: string, fails: boolean) => {
          if (what === 'restart') {
            // Sometimes what was done last had not been committed.
            if (fails) {
              committedSource = at
              committedRetry = lot.committable
            }
            readBack()
          } else if (what === 'parked') {
            const out = lot.next(0)
            if (!out) return
            const offset = Number(out.record.offset)
            if (fails) write(parkedEntry(origin, state(offset, out.round + 1), new Error('x'), 0))
            else {
              handle(offset)
              write(resolvedEntry(origin, out.record.offset, out.record.key, 0))
            }
          } else if (at < keys.length) {
            const standing = lot.standing(lane(keys[at]!), BigInt(at))
            if (standing === 'behind') write(parkedEntry(origin, state(at, 0), undefined, 0))
            else if (standing === 'free' && fails) write(parkedEntry(origin, state(at, 1), new Error('x'), 0))
            else if (standing === 'free') handle(at)
            at++
          }
        }
        for (const [what, fails] of steps) step(what, fails)
        while (at < keys.length) step('source', false)
        while (lot.records > 0) step('parked', false)
        expect(lot.committable).toBe(BigInt(log.length))
        for (const how of ended) expect(how.length).toBeGreaterThanOrEqual(1)
        // Repeated after a restart, but never so that an older record is the last word of its key.
        for (const [key, offsets] of Object.entries(order)) {
          const all = keys.flatMap((one, offset) => (one === key ? [offset] : []))
          expect(offsets.at(-1)).toBe(all.at(-1))
          // The last time each: in order.
          const last = all.map((offset) => offsets.lastIndexOf(offset))
          expect(last).toEqual([...last].sort((x, y) => x - y))
        }
      },
    ),
    { numRuns: 500 },
  )
})
