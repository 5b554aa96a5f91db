import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrangeReplay, type ReplayFacts } from '../src/replay-plan'

type Log = ReplayFacts['partitions'][number]

const log = (over: Partial<Log> = {}): Log => ({
  partition: 0,
  start: 0n,
  end: 100n,
  atTime: undefined,
  firstAtMs: undefined,
  arrivedPerSecond: 0,
  committed: 80n,
  ...over,
})

function arrange(partitions: readonly Log[], over: Partial<ReplayFacts> = {}) {
  return arrangeReplay({
    group: 'billing',
    insteadOf: undefined,
    topic: 'orders',
    topicId: 'ab',
    from: 'beginning',
    partitions,
    isCompacted: false,
    recordsPerSecond: undefined,
    ...over,
  })
}

describe('one partition', () => {
  test('from the beginning: what is there, what the group sees again, what retention took', () => {
    expect(arrange([log({ start: 30n })])).toMatchObject({
      messages: 70,
      again: 50,
      skipped: 0,
      retentionTook: 30,
      partitions: [{ from: 30n, to: 100n, committed: 80n, retentionTookAtMost: false }],
    })
  })

  test('from an offset that is deleted: exactly how many are missing', () => {
    const from = { offset: 10n }
    expect(arrange([log({ start: 30n })], { from }).partitions[0]).toMatchObject({ requested: 10n, from: 30n, retentionTook: 20 })
  })

  test('from an offset after the end: begins at the end, and says so', () => {
    const plan = arrange([log()], { from: { offset: 500 } })
    expect(plan.partitions[0]).toMatchObject({ from: 100n, messages: 0, skipped: 20 })
    expect(plan.notes).toEqual([expect.stringContaining('orders[0]'), expect.stringContaining('20 records')])
  })

  test('from an offset by partition', () => {
    const from = { offset: { 0: 5, 1: 90n } }
    const plan = arrange([log(), log({ partition: 1 })], { from })
    expect(plan.partitions.map((one) => [one.from, one.again, one.skipped])).toEqual([
      [5n, 75, 0],
      [90n, 0, 10],
    ])
  })

  test('from a time: the first record then; none that young = the end', () => {
    const from = { timestamp: new Date(5000) }
    expect(arrange([log({ atTime: 42n, firstAtMs: 1000 })], { from }).partitions[0]).toMatchObject({
      from: 42n,
      retentionTook: 0,
    })
    expect(arrange([log({ firstAtMs: 1000 })], { from }).partitions[0]).toMatchObject({ from: 100n, messages: 0 })
  })

  test('from a time before the oldest record: at most so many were taken', () => {
    const from = { timestamp: new Date(5000) }
    const [one] = arrange([log({ start: 30n, atTime: 30n, firstAtMs: 6000 })], { from }).partitions
    expect(one).toMatchObject({ from: 30n, retentionTook: 30, retentionTookAtMost: true })
    // The oldest record kept is from just then: nothing that was asked for is missing.
    const [exact] = arrange([log({ start: 30n, atTime: 30n, firstAtMs: 5000 })], { from }).partitions
    expect(exact).toMatchObject({ retentionTook: 0, retentionTookAtMost: false })
  })

  test('a group without an offset sees nothing again and skips nothing', () => {
    expect(arrange([log({ committed: undefined })], { from: { offset: 50 } })).toMatchObject({
      messages: 50,
      again: 0,
      skipped: 0,
    })
  })
})

describe('time that it takes', () => {
  const from = 'beginning'
  test('records over what is read beyond what arrives', () => {
    expect(arrange([log({ arrivedPerSecond: 5 })], { from, recordsPerSecond: 10 }).etaMs).toBe(20_000)
  })
  test('never, when as much arrives; not told without a speed; nothing to read', () => {
    expect(arrange([log({ arrivedPerSecond: 10 })], { from, recordsPerSecond: 10 }).etaMs).toBe(Number.POSITIVE_INFINITY)
    expect(arrange([log()], { from }).etaMs).toBeUndefined()
    expect(arrange([log({ end: 0n, committed: undefined })], { from }).etaMs).toBe(0)
  })
})

test('compaction and records seen again are noted', () => {
  expect(arrange([log()], { isCompacted: true }).notes).toEqual([
    expect.stringContaining('compacted'),
    expect.stringContaining('80 records again'),
  ])
  expect(arrange([log({ committed: undefined })], { insteadOf: 'old' }).notes).toEqual([])
})

test('every plan: begins within the log, and every record is read, skipped or unread as before', () => {
  const partition = fc
    .tuple(fc.nat(1000), fc.nat(1000), fc.option(fc.nat(2500), { nil: undefined }), fc.option(fc.nat(1000), { nil: undefined }))
    .map(([start, length, committed, at]) =>
      log({
        start: BigInt(start),
        end: BigInt(start + length),
        committed: committed === undefined ? undefined : BigInt(committed),
        atTime: at === undefined || at >= length ? undefined : BigInt(start + at),
        firstAtMs: 6000,
      }),
    )
  const from = fc.oneof(
    fc.constant('beginning' as const),
    fc.nat(3000).map((offset) => ({ offset })),
    fc.constant({ timestamp: new Date(5000) }),
  )
  fc.assert(
    fc.property(partition, from, (one, begin) => {
      const [planned] = arrange([one], { from: begin }).partitions
      expect(planned!.from).toBeGreaterThanOrEqual(one.start)
      expect(planned!.from).toBeLessThanOrEqual(one.end)
      expect(planned!.messages).toBe(Number(one.end - planned!.from))
      expect(planned!.retentionTook).toBeGreaterThanOrEqual(0)
      if (one.committed !== undefined) {
        const unreadToday = Math.min(Math.max(Number(one.end - one.committed), 0), Number(one.end - one.start))
        expect(planned!.messages).toBe(unreadToday + planned!.again - planned!.skipped)
        expect(planned!.again === 0 || planned!.skipped === 0).toBe(true)
      }
    }),
  )
})
