import { column, type Duration, daily, defineTable, durationMs, hourly, PipeError } from '@pipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventTimeBetween, renderSql, sql } from '../src/index'

const make = (options: { lateness?: Duration; skew?: Duration; scheme?: 'hourly' | 'daily' }) =>
  defineTable('logs', {
    columns: { at: column.timestamp() },
    eventTime: 'at',
    allowedLateness: options.lateness ?? '0 seconds',
    allowedSkew: options.skew ?? '0 seconds',
    partitions: options.scheme === 'daily' ? daily() : hourly(),
  })

/** Evaluates the condition for a row: the few operators that it may hold, on texts. */
function holds(condition: string, row: Readonly<Record<string, string>>): boolean {
  const script = condition
    .replaceAll(/TIMESTAMP '([^']*)'/g, (_, text: string) => JSON.stringify(text))
    .replaceAll(/'([^']*)'/g, (_, text: string) => JSON.stringify(text))
    .replaceAll(/"(at|dt|hour)"(?! *\d)/g, 'row.$1')
    .replaceAll(/ = /g, ' === ')
    .replaceAll(/ AND /g, ' && ')
    .replaceAll(/ OR /g, ' || ')
  expect(script).toMatch(/^[\w\s.()<>=&|":-]+$/)
  return new Function('row', `return ${script}`)(row) as boolean
}

const textOf = (at: number) => new Date(at).toISOString().replace('T', ' ').slice(0, 23)

const setUp = fc.record({
  scheme: fc.constantFrom('hourly' as const, 'daily' as const),
  lateness: fc.constantFrom<Duration>('0 seconds', '10 minutes', '1 hour', '90 minutes', '25 hours', '1 ms'),
  skew: fc.constantFrom<Duration>('0 seconds', '1 minute', '1 hour', '1 ms'),
  from: fc.integer({ min: Date.UTC(2026, 10, 20), max: Date.UTC(2026, 11, 5) }),
  length: fc.oneof(fc.integer({ min: 1, max: 5 * 86_400_000 }), fc.constantFrom(1, 3_600_000, 86_400_000)),
})

describe('eventTimeBetween', () => {
  it('holds for every row in range whose arrival is allowed, in the partition that holds the arrival', () => {
    fc.assert(
      fc.property(
        setUp,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, a, b) => {
          const table = make(given)
          const to = given.from + given.length
          const condition = renderSql(eventTimeBetween(table, new Date(given.from), new Date(to)))
          const at = Math.min(to - 1, given.from + Math.floor(a * given.length))
          const [late, early] = [durationMs(given.lateness), durationMs(given.skew)]
          const arrival = at - early + Math.round(b * (late + early))
          expect(holds(condition, { at: textOf(at), ...table.partitions.valuesOf(new Date(arrival)) })).toBe(true)
          expect(holds(condition, { at: textOf(to), ...table.partitions.valuesOf(new Date(to)) })).toBe(false)
          expect(holds(condition, { at: textOf(given.from - 1), ...table.partitions.valuesOf(new Date(given.from)) })).toBe(false)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('is tight: the partitions next to the range are left out', () => {
    fc.assert(
      fc.property(setUp, (given) => {
        const table = make(given)
        const to = given.from + given.length
        const condition = renderSql(eventTimeBetween(table, new Date(given.from), new Date(to)))
        const { lengthMs } = table.partitions
        const inPartition = (at: number) =>
          holds(condition, { at: textOf(given.from), ...table.partitions.valuesOf(new Date(at)) })
        const first = given.from - durationMs(given.skew)
        const last = to - 1 + durationMs(given.lateness)
        expect([inPartition(first - lengthMs), inPartition(first), inPartition(last), inPartition(last + lengthMs)]).toEqual([
          false,
          true,
          true,
          false,
        ])
      }),
      { numRuns: 500 },
    )
  })

  it('compares bare columns, with an alias where one is given', () => {
    const table = make({ lateness: '10 minutes', skew: '1 minute' })
    const text = renderSql(
      eventTimeBetween(table, new Date('2026-11-24T15:00:00Z'), new Date('2026-11-24T16:00:00Z'), { alias: 'l' }),
    )
    expect(text).toBe(
      `"l"."at" >= TIMESTAMP '2026-11-24 15:00:00.000' AND "l"."at" < TIMESTAMP '2026-11-24 16:00:00.000' AND "l"."dt" = '2026-11-24' AND "l"."hour" >= '14' AND "l"."hour" <= '16'`,
    )
    const over = renderSql(sql`${eventTimeBetween(table, new Date('2026-11-24T23:00:00Z'), new Date('2026-11-25T00:00:00Z'))}`)
    expect(over).toContain(
      `"dt" >= '2026-11-24' AND "dt" <= '2026-11-25' AND ("dt" > '2026-11-24' OR "hour" >= '22') AND ("dt" < '2026-11-25' OR "hour" <= '00')`,
    )
  })

  it('leaves out the partition that begins where the range ends', () => {
    const text = renderSql(eventTimeBetween(make({}), new Date('2026-11-24T15:00:00Z'), new Date('2026-11-24T16:00:00Z')))
    expect(text).toContain(`AND "dt" = '2026-11-24' AND "hour" = '15'`)
  })

  it('refuses a table without event time and a range that is none', () => {
    const codes = [
      () => eventTimeBetween(defineTable('t', { columns: { a: column.string() } }), new Date(0), new Date(1)),
      () => eventTimeBetween(make({}), new Date(1), new Date(1)),
      () => eventTimeBetween(make({}), new Date(Number.NaN), new Date(1)),
    ].map((run) => {
      try {
        run()
        return 'nothing'
      } catch (error) {
        return PipeError.isInstance(error) ? error.message : 'other'
      }
    })
    expect(codes[0]).toContain('"t" has no event time')
    expect(codes[1]).toContain('must lie before')
    expect(codes[2]).toContain('"from" is not a valid Date')
  })
})
