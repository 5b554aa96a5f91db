import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type LagSample, lagOver, type PartitionSample } from '../src/lag-window'

const judge = { stalledAfterMs: 30_000 }

interface Look {
  readonly at: number
  readonly end: number
  readonly committed: number | undefined
  readonly start?: number
  readonly members?: number
}

function sample({ at, end, committed, start = 0, members = 1 }: Look): LagSample {
  const position = Math.max(start, committed ?? start)
  const partition: PartitionSample = {
    topic: 'orders',
    partition: 0,
    startOffset: BigInt(start),
    stableOffset: BigInt(end),
    endOffset: BigInt(end),
    committedOffset: committed === undefined ? undefined : BigInt(committed),
    messages: Math.max(0, end - position),
    messagesToEnd: Math.max(0, end - position),
    seconds: end > position ? 60 : 0,
    expiredMessages: committed === undefined ? 0 : Math.max(0, start - committed),
    arrivedPerSecond: 7,
    memberId: members > 0 ? 'm' : undefined,
    retentionMs: undefined,
  }
  const list = Array.from({ length: members }, () => ({ memberId: 'm', clientId: 'c', host: 'h', partitions: [] }))
  return {
    group: 'billing',
    state: members > 0 ? 'stable' : 'empty',
    members: list,
    atMs: at * 1000,
    partitions: [partition],
    unavailable: [],
  }
}

const statusOf = (...looks: readonly Look[]) => lagOver(looks.map(sample), judge).status

describe('status', () => {
  test.each<[string, readonly Look[]]>([
    ['caught-up', [{ at: 0, end: 10, committed: 10 }]],
    ['caught-up', [{ at: 0, end: 0, committed: undefined }]],
    ['behind', [{ at: 0, end: 10, committed: 4 }]],
    ['stopped', [{ at: 0, end: 10, committed: 4, members: 0 }]],
    ['not-started', [{ at: 0, end: 10, committed: undefined }]],
    ['expired', [{ at: 0, end: 10, committed: 2, start: 5 }]],
    ['beyond-end', [{ at: 0, end: 10, committed: 11 }]],
    [
      'catching-up',
      [
        { at: 0, end: 100, committed: 0 },
        { at: 5, end: 110, committed: 50 },
      ],
    ],
    [
      'falling-behind',
      [
        { at: 0, end: 100, committed: 0 },
        { at: 5, end: 200, committed: 50 },
      ],
    ],
    [
      'keeping-up',
      [
        { at: 0, end: 100, committed: 100 },
        { at: 5, end: 110, committed: 104 },
      ],
    ],
    [
      'rewound',
      [
        { at: 0, end: 100, committed: 90 },
        { at: 5, end: 100, committed: 10 },
      ],
    ],
    // Less than `stalledAfter` without a commit: commits come every five seconds, not all the time.
    [
      'behind',
      [
        { at: 0, end: 100, committed: 50 },
        { at: 5, end: 100, committed: 50 },
      ],
    ],
    [
      'stalled',
      [
        { at: 0, end: 100, committed: 50 },
        { at: 31, end: 100, committed: 50 },
      ],
    ],
    [
      'stalled',
      [
        { at: 0, end: 100, committed: 40 },
        { at: 5, end: 100, committed: 50 },
        { at: 36, end: 300, committed: 50 },
      ],
    ],
    // It was caught up until a moment ago: what came since has not waited long.
    [
      'keeping-up',
      [
        { at: 0, end: 50, committed: 50 },
        { at: 60, end: 50, committed: 50 },
        { at: 65, end: 60, committed: 50 },
      ],
    ],
  ])('%s %#', (status, looks) => {
    expect(statusOf(...looks)).toBe(status)
  })
})

test('rates over the window; a rewind does not count as negative reading', () => {
  const lag = lagOver(
    [
      { at: 0, end: 100, committed: 80 },
      { at: 10, end: 200, committed: 100 },
      { at: 20, end: 300, committed: 20 },
      { at: 30, end: 400, committed: 60 },
    ].map(sample),
    judge,
  )
  expect(lag).toMatchObject({ windowMs: 30_000, producedPerSecond: 10, messages: 340, seconds: 60 })
  expect(lag.consumedPerSecond).toBeCloseTo((20 + 40) / 30)
})

test('one look: arrivals by the timestamps of the log, nothing of the reader', () => {
  expect(lagOver([sample({ at: 0, end: 10, committed: 4 })], judge)).toMatchObject({
    windowMs: 0,
    producedPerSecond: 7,
    consumedPerSecond: undefined,
  })
})

test('a group that reads as fast as it can is never stalled, whatever the lag', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ gap: fc.integer({ min: 1, max: 29 }), read: fc.integer({ min: 1, max: 1000 }), come: fc.nat(5000) }), {
        minLength: 2,
        maxLength: 40,
      }),
      (steps) => {
        let [at, end, committed] = [0, 1_000_000, 0]
        const looks = steps.map(({ gap, read, come }) => {
          at += gap
          end += come
          committed = Math.min(end, committed + read)
          return sample({ at, end, committed })
        })
        const lag = lagOver(looks, judge)
        expect(['catching-up', 'falling-behind', 'behind']).toContain(lag.status)
        expect(lag.consumedPerSecond).toBeGreaterThan(0)
        expect(lag.messages).toBe(end - committed)
      },
    ),
  )
})
