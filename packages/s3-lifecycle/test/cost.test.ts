import { describe, expect, it } from 'vitest'
import {
  breakEven,
  checkPrices,
  defineLifecycle,
  estimateCost,
  keyPrefix,
  lifecycleRule,
  type Population,
  populationsOf,
  type StoredObject,
  usEast1Prices,
  wholeBucket,
} from '../src/index'

const KiB = 1024
const MiB = 1024 ** 2
const TiB = 1024 ** 4
const from = new Date('2026-12-01T00:00:00Z')
const archive = lifecycleRule('archive', { scope: wholeBucket(), transitions: [{ afterDays: 30, to: 'DEEP_ARCHIVE' }] })
const varies = defineLifecycle([archive], { minimumSize: 'varies_by_storage_class' })
const today = defineLifecycle([archive])

describe('1 TiB of 64 KiB logs for 12 months (s3-lifecycle.md §4)', () => {
  const objects: readonly Population[] = [{ count: TiB / (64 * KiB), sizeBytes: 64 * KiB }]

  it('$283 left alone, $912 moved to DEEP_ARCHIVE where small objects move, $42 compacted first', () => {
    const estimate = estimateCost({ rules: varies, objects, from })
    expect(Math.round(estimate.leaveAlone.total)).toBe(283)
    expect(Math.round(estimate.total)).toBe(912)
    expect(Math.round(estimate.compactFirst!.total)).toBe(42)
    expect(estimate.compactFirst!.objects).toBe(8192)
    expect(estimate.verdict).toBe('costs-more')
    expect(estimate.advice).toBe(
      'The transitions cost 629 USD more than they save over 12 months: 912 USD instead of 283 USD. Compacted to objects of 128 MiB first: 41.88 USD.',
    )
  })

  it("$283 with today's default: nothing moves, and the estimate says so", () => {
    const estimate = estimateCost({ rules: today, objects, from })
    expect(Math.round(estimate.total)).toBe(283)
    expect(estimate.verdict).toBe('no-effect')
    expect(estimate.stays).toEqual([{ reason: 'too-small', rule: 'archive', objects: 16_777_216, bytes: TiB }])
  })

  it('is billed month by month', () => {
    const { bills, transitions, storage } = estimateCost({ rules: varies, objects, from })
    expect(bills).toHaveLength(12)
    expect(bills[0]).toMatchObject({ transitions: 0, bytes: { STANDARD: TiB } })
    expect(bills[0]!.total).toBeCloseTo(1024 * 0.023, 6)
    // 16 777 216 transitions at 0.05 per 1 000; then 96 KiB each in the archive and 8 KiB each in STANDARD.
    expect(bills[1]!.transitions).toBeCloseTo(838.8608, 4)
    expect(bills[1]!.storage['DEEP_ARCHIVE']).toBeCloseTo(1536 * 0.00099, 6)
    expect(bills[1]!.storage['STANDARD']).toBeCloseTo(128 * 0.023, 6)
    expect(transitions).toBeCloseTo(838.8608, 4)
    expect(storage).toBeCloseTo(23.552 + 11 * (1.52064 + 2.944), 4)
  })
})

describe('breakEven (the table of s3-lifecycle.md §4)', () => {
  const table = breakEven()
  // Its "1 MB" is 1 000 KiB.
  const kib = (bytes: number) => bytes / KiB

  it.each([
    ['STANDARD_IA', 69.6, [333, 108, 82], [7.8, 1.0]],
    ['ONEZONE_IA', 55.7, [269, 94, 68], [6.3, 0.8]],
    ['GLACIER_IR', 22.3, [368, 98, 48], [8.6, 1.1]],
    ['GLACIER', 15.4, [556, 151, 60], [14.4, 1.6]],
    ['DEEP_ARCHIVE', 9.8, [852, 208, 76], [20.2, 2.4]],
  ] as const)('%s', (storageClass, alone, smallest, payback) => {
    const row = table.find((one) => one.storageClass === storageClass)!
    expect(Number(kib(row.storageAloneBytes).toFixed(1))).toBe(alone)
    expect(row.smallestBytes.map(({ bytes }) => Math.round(kib(bytes)))).toEqual(smallest)
    expect(row.paybackMonths.map(({ months }) => Number(months.toFixed(1)))).toEqual(payback)
  })

  it('follows the price list', () => {
    const prices = {
      ...usEast1Prices,
      classes: { ...usEast1Prices.classes, GLACIER: { ...usEast1Prices.classes.GLACIER, transitionPer1000: 0 } },
    }
    expect(breakEven({ prices }).find(({ storageClass }) => storageClass === 'GLACIER')!.paybackMonths[0]!.months).toBe(0)
    const dear = { ...usEast1Prices.classes.GLACIER, storage: [{ perGiBMonth: 1 }] }
    const [row] = breakEven({ prices: { ...usEast1Prices, classes: { ...usEast1Prices.classes, GLACIER: dear } } }).filter(
      ({ storageClass }) => storageClass === 'GLACIER',
    )
    expect(row!.storageAloneBytes).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('estimateCost', () => {
  const prices = usEast1Prices
  const one = (more: Partial<Population> = {}): readonly Population[] => [{ count: 1024, sizeBytes: MiB, ...more }]
  const rule = (options: Parameters<typeof lifecycleRule>[1]) =>
    defineLifecycle([lifecycleRule('r' as string, { ...options } as never)])

  it('charges the rest of the minimum storage duration of what leaves earlier', () => {
    const rules = rule({ scope: wholeBucket(), transitions: [{ afterDays: 0, to: 'STANDARD_IA' }], expireAfterDays: 10 } as never)
    const { earlyDelete, bills } = estimateCost({ rules, objects: one(), from, months: 2 })
    // In the class for 10 of 30 days: 20 days of 1 GiB at 0.0125.
    expect(earlyDelete).toBeCloseTo((0.0125 * 20) / 30, 9)
    expect(bills[0]!.storage['STANDARD_IA']).toBeCloseTo((0.0125 * 10) / 30, 9)
    expect(bills[1]!.total).toBe(0)
  })

  it('bills small objects as 128 KiB in the IA classes', () => {
    const rules = rule({
      scope: wholeBucket({ largerThanBytes: 0 }),
      transitions: [{ afterDays: 0, to: 'STANDARD_IA' }],
    } as never)
    const { bills } = estimateCost({ rules, objects: [{ count: 8192, sizeBytes: 1 }], from, months: 1 })
    expect(bills[0]!.storage['STANDARD_IA']).toBeCloseTo(0.0125, 9)
  })

  it('walks through the tiers of INTELLIGENT_TIERING, with monitoring of what is large enough', () => {
    const rules = rule({
      scope: wholeBucket({ largerThanBytes: 0 }),
      transitions: [{ afterDays: 0, to: 'INTELLIGENT_TIERING' }],
    } as never)
    const { bills } = estimateCost({ rules, objects: one(), from, months: 5 })
    expect(bills.map(({ storage }) => Number(storage['INTELLIGENT_TIERING']!.toFixed(6)))).toEqual([
      0.023, 0.0125, 0.0125, 0.004, 0.004,
    ])
    expect(bills[0]!.monitoring).toBeCloseTo((1024 * 0.0025) / 1000, 9)
    const small = estimateCost({ rules, objects: [{ count: 1024, sizeBytes: 1000 }], from, months: 5 })
    expect(small.monitoring).toBe(0)
    expect(small.bills[4]!.storage['INTELLIGENT_TIERING']).toBeCloseTo((1024 * 1000 * 0.023) / 1024 ** 3, 9)
  })

  it('uses the tiers of STANDARD by the sum of all objects', () => {
    const { total } = estimateCost({ rules: { Rules: [] }, objects: [{ count: 60, sizeBytes: TiB }], from, months: 1 })
    expect(total).toBeCloseTo(51_200 * 0.023 + (60 * 1024 - 51_200) * 0.022, 6)
  })

  it('counts reading: retrieval, and of archives the restore with its copy', () => {
    const reading = { sharePerMonth: 1 }
    const cost = (storageClass: string) =>
      estimateCost({ rules: { Rules: [] }, objects: one({ storageClass }), from, months: 1, reading }).reading
    expect(cost('STANDARD')).toBeCloseTo(1.024 * 0.0004, 9)
    expect(cost('STANDARD_IA')).toBeCloseTo(0.01 + 1.024 * 0.001, 9)
    expect(cost('DEEP_ARCHIVE')).toBeCloseTo(0.02 + 1.024 * 0.1 + 0.023 / 30 + 1.024 * 0.0004, 9)
  })

  it('ages count: what is old moves at the start, what is written just before in whole days', () => {
    const rules = rule({ scope: keyPrefix('log-'), transitions: [{ afterDays: 30, to: 'GLACIER' }] } as never)
    const moved = (ageDays: number) =>
      estimateCost({ rules, objects: one({ key: 'log-1', ageDays }), from, months: 2 }).bills.map(
        ({ transitions }) => transitions > 0,
      )
    expect(moved(90)).toEqual([true, false])
    expect(moved(0)).toEqual([false, true])
    expect(estimateCost({ rules, objects: one({ key: 'other' }), from }).transitions).toBe(0)
  })

  it('keeps paying for what is only hidden behind a delete marker', () => {
    const rules = rule({ scope: wholeBucket(), expireAfterDays: 1 } as never)
    expect(estimateCost({ rules, objects: one(), from, months: 2 }).bills[1]!.total).toBe(0)
    expect(estimateCost({ rules, objects: one(), from, months: 2, versioning: 'enabled' }).bills[1]!.total).toBeCloseTo(0.023, 9)
  })

  it('sums a listing up without crossing 128 KiB, classes, ages and rules', async () => {
    const at = new Date('2026-12-01T12:00:00Z')
    const object = (key: string, sizeBytes: number, days: number, more: Partial<StoredObject> = {}) => ({
      key,
      sizeBytes,
      lastModified: new Date(at.getTime() - days * 86_400_000 - 1),
      ...more,
    })
    const rules = rule({ scope: keyPrefix('log-'), expireAfterDays: 1 } as never)
    const populations = await populationsOf(
      rules,
      [
        object('log-1', 131_071, 1),
        object('log-2', 131_000, 1),
        object('log-3', 131_072, 1),
        object('log-4', 131_072, 2),
        object('x', 131_072, 2),
        object('y', 131_072, 2, { storageClass: 'GLACIER' }),
        object('z', 0, 2, { isDeleteMarker: true }),
      ],
      at,
    )
    expect(populations.map(({ count, sizeBytes, ageDays, storageClass }) => [count, sizeBytes, ageDays, storageClass])).toEqual([
      [2, 131_035.5, 1, 'STANDARD'],
      [1, 131_072, 1, 'STANDARD'],
      [1, 131_072, 2, 'STANDARD'],
      [1, 131_072, 2, 'STANDARD'],
      [1, 131_072, 2, 'GLACIER'],
    ])
  })

  it('refuses populations, months and prices that make no sense', () => {
    expect(() => estimateCost({ rules: today, objects: [{ count: -1, sizeBytes: 1 }], from })).toThrow(/no population/)
    expect(() => estimateCost({ rules: today, objects: [], from, months: 0 })).toThrow(/no number of months/)
    expect(checkPrices(JSON.parse(JSON.stringify(prices)))).toEqual(prices)
    expect(() => checkPrices({ ...prices, monthDays: '30' })).toThrow(/prices.monthDays must be a number/)
    expect(() => checkPrices({ ...prices, classes: {} })).toThrow(/prices.classes.STANDARD must be an object/)
    const bounded = { ...prices.classes.GLACIER, storage: [{ upToGiB: 5, perGiBMonth: 1 }] }
    expect(() => checkPrices({ ...prices, classes: { ...prices.classes, GLACIER: bounded } })).toThrow(/last tier/)
  })
})
