import { Cron } from 'croner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fireTimes, nextFireTimes, previousFireTime } from '../src/index'

const at = (text: string) => new Date(text)
const isoOf = (dates: readonly Date[]) => dates.map((date) => date.toISOString().replace(':00.000Z', ''))

describe('rate', () => {
  it('counts from the start of the rule and fires strictly after `from`', () => {
    const start = at('2026-11-24T00:00:30.250Z')
    expect(isoOf(nextFireTimes('rate(5 minutes)', at('2026-11-24T00:00:00Z'), { count: 2 }))).toEqual([
      '2026-11-24T00:05',
      '2026-11-24T00:10',
    ])
    expect(nextFireTimes('rate(5 minutes)', start, { start })[0]).toEqual(at('2026-11-24T00:05:30.250Z'))
    expect(nextFireTimes('rate(5 minutes)', at('2026-11-24T00:05:30.250Z'), { start })[0]).toEqual(at('2026-11-24T00:10:30.250Z'))
    expect(nextFireTimes('rate(5 minutes)', at('2026-11-24T00:05:30.249Z'), { start })[0]).toEqual(at('2026-11-24T00:05:30.250Z'))
    expect(nextFireTimes('rate(1 day)', at('2020-01-01T00:00:00Z'), { start })[0]).toEqual(at('2026-11-25T00:00:30.250Z'))
  })

  it('previous and next partition time (property)', () => {
    const day = 86_400_000
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 400 * day }),
        fc.integer({ min: 0, max: 400 * day }),
        (n, s, f) => {
          const expression = n === 1 ? 'rate(1 minute)' : `rate(${n} minutes)`
          const start = new Date(s)
          const from = new Date(f)
          const next = nextFireTimes(expression, from, { start })[0]!.getTime()
          const previous = previousFireTime(expression, from, { start })?.getTime()
          expect(next).toBeGreaterThan(f)
          expect((next - s) % (n * 60_000)).toBe(0)
          if (previous === undefined) expect(next).toBe(s + n * 60_000)
          else expect([previous <= f, next - previous]).toEqual([true, n * 60_000])
        },
      ),
    )
  })
})

describe('cron', () => {
  const from = at('2026-11-24T15:33:00Z') // a Tuesday
  it.each([
    ['cron(0 10 * * ? *)', ['2026-11-25T10:00', '2026-11-26T10:00']],
    ['cron(1/10 * * * ? *)', ['2026-11-24T15:41', '2026-11-24T15:51']],
    [
      'cron(0 18 ? * MON-FRI *)',
      ['2026-11-24T18:00', '2026-11-25T18:00', '2026-11-26T18:00', '2026-11-27T18:00', '2026-11-30T18:00'],
    ],
    ['cron(0 8 1 * ? *)', ['2026-12-01T08:00', '2027-01-01T08:00']],
    ['cron(0 0 L * ? *)', ['2026-11-30T00:00', '2026-12-31T00:00', '2027-01-31T00:00', '2027-02-28T00:00']],
    ['cron(0 0 L 2 ? *)', ['2027-02-28T00:00', '2028-02-29T00:00']],
    ['cron(0 0 29 2 ? *)', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['cron(15 10 ? * 6L *)', ['2026-11-27T10:15', '2026-12-25T10:15']],
    ['cron(0 9 ? * 3#2 *)', ['2026-12-08T09:00', '2027-01-12T09:00']],
    ['cron(0 9 ? * 3#5 *)', ['2026-12-29T09:00', '2027-03-30T09:00']],
    ['cron(0 9 ? * L *)', ['2026-11-28T09:00', '2026-12-05T09:00']],
    ['cron(0 0 1W 5 ? 2027)', ['2027-05-03T00:00']],
    ['cron(0 0 31W 1 ? 2027)', ['2027-01-29T00:00']],
    ['cron(0 0 15W 5 ? 2027)', ['2027-05-14T00:00']],
    ['cron(0 0 31 4 ? *)', []],
    ['cron(0 0 1 1 ? 2026)', []],
    ['cron(59 23 31 12 ? 2199)', ['2199-12-31T23:59']],
  ])('%s', (expression, expected) => {
    expect(isoOf(nextFireTimes(expression, from, { count: Math.max(1, expected.length) }))).toEqual(expected)
  })

  it('is exclusive in front and inclusive behind', () => {
    const noon = at('2026-11-24T12:00:00Z')
    expect(nextFireTimes('cron(0 12 * * ? *)', noon)[0]).toEqual(at('2026-11-25T12:00:00Z'))
    expect(previousFireTime('cron(0 12 * * ? *)', noon)).toEqual(noon)
    expect(previousFireTime('cron(0 12 * * ? *)', at('2026-11-24T11:59:59.999Z'))).toEqual(at('2026-11-23T12:00:00Z'))
    expect(previousFireTime('cron(0 12 * * ? 2027)', noon)).toBeUndefined()
    expect(previousFireTime('rate(5 minutes)', noon)).toBeUndefined()
  })

  it('refuses what is not a date, a count or an option', () => {
    expect(() => nextFireTimes('rate(5 minutes)', new Date('nonsense'))).toThrow('"from" is not a valid Date')
    expect(() => nextFireTimes('rate(5 minutes)', from, { count: 0 })).toThrow('count')
    expect(() => nextFireTimes('rate(5 minutes)', from, { timezone: 'UTC' } as never)).toThrow('timezone')
  })
})

/** Field generators of the subset that means the same to croner; `{ aws, cron }` because weekday 1 is Sunday for AWS. */
const list = (min: number, max: number) => {
  const value = fc.integer({ min, max })
  const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
  const step = fc.tuple(value, fc.integer({ min: 1, max })).map(([a, n]) => `${a}/${n}`)
  const starStep = fc.integer({ min: 1, max }).map((n) => `*/${n}`)
  return fc.oneof(
    fc.constant('*'),
    starStep,
    step,
    fc.array(fc.oneof(value.map(String), range), { minLength: 1, maxLength: 3 }).map((items) => items.join(',')),
  )
}
const dayOfMonth = fc.oneof(
  list(1, 31),
  fc.constant('L'),
  fc.integer({ min: 1, max: 28 }).map((day) => `${day}W`),
)
const dayOfWeek = fc.oneof(
  list(1, 7).filter((text) => !text.includes('/')),
  fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 5 })).map(([day, nth]) => `${day}#${nth}`),
  fc.integer({ min: 1, max: 7 }).map((day) => `${day}#L`),
  fc.constantFrom('MON-FRI', 'SUN,SAT', 'WED'),
)
const days = fc.oneof(
  dayOfMonth.map((day) => ({ aws: [day, '?'], croner: [day, '*'] })),
  dayOfWeek.map((day) => ({ aws: ['?', day.replace('#L', 'L')], croner: ['*', day] })),
)

describe('against croner', () => {
  it('fires at the same instants (property)', () => {
    const instant = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) }).map((ms) => new Date(ms))
    const months = fc.oneof(list(1, 12), fc.constantFrom('JAN', 'FEB,NOV', 'MAR-JUN'))
    fc.assert(
      fc.property(list(0, 59), list(0, 23), days, months, instant, (minute, hour, day, month, from) => {
        const expression = `cron(${minute} ${hour} ${day.aws[0]} ${month} ${day.aws[1]} *)`
        const oracle = new Cron(`0 ${minute} ${hour} ${day.croner[0]} ${month} ${day.croner[1]}`, {
          timezone: 'UTC',
          alternativeWeekdays: true,
          sloppyRanges: true,
          paused: true,
        })
        const horizon = Date.UTC(2150, 0, 1)
        const expected = oracle.nextRuns(3, from).map((date) => date.getTime())
        const actual = nextFireTimes(expression, from, { count: 3 }).map((date) => date.getTime())
        expect(actual.filter((ms) => ms < horizon)).toEqual(expected.filter((ms) => ms < horizon))
      }),
      { numRuns: 400 },
    )
  })

  it('walks backwards over exactly what it walks forwards (property)', () => {
    fc.assert(
      fc.property(list(0, 59), list(0, 23), days, fc.integer({ min: 0, max: 30 * 365 }), (minute, hour, day, offset) => {
        const expression = `cron(${minute} ${hour} ${day.aws[0]} * ${day.aws[1]} *)`
        const from = new Date(Date.UTC(2000, 0, 1) + offset * 86_400_000)
        const forward: Date[] = []
        for (const found of fireTimes(expression, from)) {
          forward.push(found)
          if (forward.length === 5) break
        }
        for (const [i, found] of forward.entries()) {
          expect(previousFireTime(expression, found)).toEqual(found)
          if (i > 0) expect(previousFireTime(expression, new Date(found.getTime() - 1))).toEqual(forward[i - 1])
        }
      }),
      { numRuns: 200 },
    )
  })
})
