import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adviseLag } from '../src/advise'
import { seconds } from '../src/figures'
import type { GroupLag, PartitionLag } from '../src/lag-window'

function lag(
  partitions: readonly Partial<PartitionLag>[],
  over: Partial<GroupLag> & { readonly consumers?: number } = {},
): GroupLag {
  const { consumers = 2, ...rest } = over
  const full = partitions.map(
    (one, at): PartitionLag => ({
      topic: 'orders',
      partition: at,
      startOffset: 0n,
      stableOffset: 10_000n,
      endOffset: 10_000n,
      committedOffset: 0n,
      messages: 0,
      messagesToEnd: 0,
      seconds: 0,
      expiredMessages: 0,
      memberId: 'm',
      retentionMs: undefined,
      producedPerSecond: 0,
      consumedPerSecond: 0,
      status: 'behind',
      ...one,
    }),
  )
  const sum = (amount: (one: PartitionLag) => number) => full.reduce((total, one) => total + amount(one), 0)
  return {
    group: 'billing',
    state: 'stable',
    members: Array.from({ length: consumers }, (_, at) => ({ memberId: `m${at}`, clientId: 'c', host: 'h', partitions: [] })),
    atMs: 0,
    windowMs: 60_000,
    unavailable: [],
    partitions: full,
    messages: sum(({ messages }) => messages),
    seconds: 0,
    producedPerSecond: sum(({ producedPerSecond }) => producedPerSecond),
    consumedPerSecond: sum(({ consumedPerSecond }) => consumedPerSecond ?? 0),
    status: 'behind',
    ...rest,
  }
}

const even = (count: number, one: Partial<PartitionLag>) => Array.from({ length: count }, () => one)

describe('consumers and partitions', () => {
  test('so many consumers that arrivals and lag are read in time, with the working', () => {
    // 6 × 20/s arrive, 2 members read 6 × 10/s; 36 000 unread within the hour: 120 + 10 = 130/s ÷ 30/s = 4.3 → 5.
    const advice = adviseLag(lag(even(6, { messages: 6000, producedPerSecond: 20, consumedPerSecond: 10 })))
    expect(advice).toMatchObject({ consumers: { now: 2, needed: 5, most: 6 }, partitionsToAdd: 0 })
    expect(advice.findings.find(({ kind }) => kind === 'consumers')).toMatchObject({
      text: 'Run 5 consumers instead of 2 to catch up within 60 min.',
      working: [
        'needed: 120/s arrive + 36 000 records unread ÷ 60 min = 130/s',
        'one consumer reads 60/s ÷ 2 = 30/s',
        '130/s ÷ 30/s, rounded up = 5 consumers; 6 partitions allow 6',
      ],
    })
  })

  test('more consumers than partitions: partitions to add, and the keys that move', () => {
    const advice = adviseLag(lag(even(3, { messages: 6000, producedPerSecond: 40, consumedPerSecond: 20 }), { consumers: 3 }))
    expect(advice).toMatchObject({ consumers: { needed: 7, most: 3 }, partitionsToAdd: 4 })
    expect(advice.findings.find(({ kind }) => kind === 'partitions')?.text).toContain(
      'add 4 to orders (3 → 7; 86 % of its keys move)',
    )
  })

  test('idle members are told', () => {
    expect(adviseLag(lag(even(2, {}), { consumers: 5 })).findings).toMatchObject([
      { kind: 'idle-members', text: expect.stringContaining('3 of 5') },
    ])
  })

  test('without a speed there is no number, and the reason is told', () => {
    const advice = adviseLag(lag([{ messages: 10 }], { consumedPerSecond: undefined }))
    expect(advice).toMatchObject({ consumers: { needed: undefined }, catchUpMs: undefined })
    expect(advice.findings.map(({ kind }) => kind)).toContain('unknown-rate')
    const given = adviseLag(lag(even(4, { messages: 900 }), { consumedPerSecond: undefined }), { recordsPerConsumerPerSecond: 1 })
    expect(given.consumers.needed).toBe(1)
  })

  test('needed consumers really read it in time, and one fewer would not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 1, max: 1000 }),
        (partitions, messages, produced, perConsumer) => {
          const advice = adviseLag(lag(even(partitions, { messages, producedPerSecond: produced })), {
            recordsPerConsumerPerSecond: perConsumer,
            catchUpWithin: '10 minutes',
          })
          const { needed, most } = advice.consumers
          const readIn = (consumers: number) => consumers * perConsumer * 600
          const toRead = partitions * (messages + produced * 600)
          expect(readIn(needed!)).toBeGreaterThanOrEqual(toRead * (1 - 1e-6))
          if (needed! > 1) expect(readIn(needed! - 1)).toBeLessThan(toRead)
          expect(most + advice.partitionsToAdd).toBeGreaterThanOrEqual(needed!)
        },
      ),
    )
  })
})

describe('catch-up', () => {
  test('lag over net speed', () => {
    expect(adviseLag(lag([{ messages: 3000, consumedPerSecond: 15, producedPerSecond: 10 }])).catchUpMs).toBe(600_000)
  })
  test('never, when as much arrives', () => {
    const advice = adviseLag(lag([{ messages: 3000, consumedPerSecond: 10, producedPerSecond: 10 }]))
    expect(advice.catchUpMs).toBe(Number.POSITIVE_INFINITY)
    expect(advice.findings.find(({ kind }) => kind === 'catch-up')).toMatchObject({ severity: 'warning' })
  })
  test('at once, when nothing is unread', () => {
    expect(adviseLag(lag(even(3, {})))).toMatchObject({ catchUpMs: 0, findings: [] })
  })
})

describe('hot partition', () => {
  test('by arrivals, critical when one consumer cannot keep up with it', () => {
    const parts = [
      ...even(5, { producedPerSecond: 10, consumedPerSecond: 10 }),
      { producedPerSecond: 100, consumedPerSecond: 20, messages: 5000 },
    ]
    const hot = adviseLag(lag(parts)).findings.filter(({ kind }) => kind === 'hot-partition')
    expect(hot).toMatchObject([{ severity: 'critical', partition: 5, text: expect.stringContaining('orders[5] gets 67 %') }])
    expect(hot[0]?.working).toEqual(['100/s ÷ 150/s = 67 %; hot from 2 × 17 % on', '100/s arrive there, one consumer reads 35/s'])
  })
  test('by lag, when hardly anything arrives; never from a handful of records', () => {
    expect(adviseLag(lag([...even(3, {}), { messages: 5000 }])).findings.map(({ kind }) => kind)).toContain('hot-partition')
    expect(adviseLag(lag([...even(3, {}), { messages: 50 }])).findings.map(({ kind }) => kind)).not.toContain('hot-partition')
  })
})

describe('expiry', () => {
  const hour = 3600
  const one = { messages: 3600, seconds: 21 * hour, retentionMs: 24 * hour * 1000 }

  test('nothing is read: what is left of the retention', () => {
    const expires = adviseLag(lag([{ ...one, consumedPerSecond: 0 }])).findings.find(({ kind }) => kind === 'expires')
    expect(expires).toMatchObject({
      severity: 'warning',
      text: expect.stringContaining('orders[0] expires unread in 3 h'),
      working: ['kept 24 h − oldest unread 21 h old = 3 h', 'nothing is read'],
    })
  })
  test('read at half the speed of the log: twice as long', () => {
    const density = one.messages / one.seconds
    const expires = adviseLag(lag([{ ...one, consumedPerSecond: density / 2 }])).findings.find(({ kind }) => kind === 'expires')
    expect(expires?.text).toContain('in 6 h')
  })
  test('read as fast as the log was written: never', () => {
    const density = one.messages / one.seconds
    expect(adviseLag(lag([{ ...one, consumedPerSecond: density }])).findings.map(({ kind }) => kind)).not.toContain('expires')
  })
  test('gone already: critical, with the offsets', () => {
    const found = adviseLag(lag([{ expiredMessages: 12, startOffset: 22n, committedOffset: 10n }])).findings[0]
    expect(found).toMatchObject({ kind: 'expired', severity: 'critical', text: expect.stringContaining('12 records') })
  })
})

test('what stands still comes first', () => {
  const advice = adviseLag(
    lag([{ status: 'stalled', messages: 5 }, { status: 'stopped', messages: 5 }, { status: 'beyond-end' }]),
  )
  expect(advice.findings.slice(0, 3).map(({ kind }) => kind)).toEqual(['stopped', 'stalled', 'beyond-end'])
})

test.each([
  [0, '0 s'],
  [0.4, '< 1 s'],
  [59.6, '60 s'],
  [600, '10 min'],
  [10_800, '3 h'],
  [216_000, '2.5 days'],
  [Number.POSITIVE_INFINITY, 'never'],
])('%d seconds in words', (value, text) => {
  expect(seconds(value)).toBe(text)
})
