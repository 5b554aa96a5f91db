import { column, defineTable } from '@pipe/core'
import {
  choice,
  decimalMeasure,
  defineLog,
  emitTime,
  generate,
  hexId,
  measure,
  sequence,
  sometimesNull,
  tag,
} from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { deviceLogs } from './fleet'

const base = { table: deviceLogs, seed: 42, devices: 2, every: '1 second', fields: { metric: measure({ base: 20 }) } } as const

/** A log of a table with one further column `x`. */
function withColumn(
  type: ReturnType<typeof column.string> | ReturnType<typeof column.double>,
  field: unknown,
  every = '1 second',
) {
  const table = defineTable('t', {
    columns: { timestamp: column.timestamp(), device_name: column.string(), x: type },
    eventTime: 'timestamp',
  })
  return () => defineLog({ table, seed: 1, devices: 1, every, fields: { x: field } } as never)
}

describe('defineLog refuses', () => {
  it.each<[string, object, string | RegExp]>([
    ['an unknown option', { rate: 1 }, 'defineLog has no option "rate"'],
    ['a missing field', { fields: {} }, '"fields" needs the option "metric"'],
    [
      'a surplus field',
      { fields: { ...base.fields, metrik: measure({ base: 1 }) } },
      'no option "metrik". Did you mean "metric"?',
    ],
    ['a field for the event time', { fields: { ...base.fields, timestamp: emitTime() } }, 'no option "timestamp"'],
    ['a seed that is not whole', { seed: 0.5 }, 'the seed must be a whole number, not 0.5'],
    ['a device column that is no string', { deviceColumn: 'metric' }, '"metric" is not a string column'],
    ['an unknown fault', { faults: { latee: 0.1 } }, 'no option "latee". Did you mean "late"?'],
    ['a rate above 1', { faults: { late: 5 } }, 'the rate of "late" must be from 0 to 1, not 5'],
    ['an unknown kind', { faults: { malformed: { rate: 0.1, kinds: ['odd'] } } }, '"odd" is not a kind of "malformed"'],
    ['no kinds', { faults: { malformed: { rate: 0.1, kinds: [] } } }, '"malformed" needs at least one kind'],
    ['a cut by two rules', { faults: { cutGzip: { rate: 0.1, every: '1 hour' } } }, 'either "every" or "rate"'],
    [
      'a cut more often than files',
      { faults: { cutGzip: { every: '90 seconds' } } },
      'must be a multiple of the length of a file',
    ],
    ['a file that is no window', { file: '7 minutes' }, 'PIPE_WINDOW'],
    ['an interval below the precision', { every: '0.5 ms' }, 'must be a multiple of 1 ms'],
    ['an end before the start', { start: '2026-11-24', end: '2026-11-23' }, '"start" must lie before "end"'],
    ['a start that is no instant', { start: 'soon' }, '"start" is not an instant'],
  ])('%s', (_what, change, message) => {
    expect(() => defineLog({ ...base, ...change } as never)).toThrow(message)
  })

  it('late records that the table does not allow', () => {
    const table = defineTable('t', { columns: deviceLogs.columns, eventTime: 'timestamp', allowedLateness: '30 seconds' })
    expect(() => defineLog({ ...base, table, faults: { late: 0.1 } })).toThrow(
      'allowedLateness of the table is shorter than a file',
    )
  })

  it('a table without an event time, or with a finer one than a Date holds', () => {
    const { columns } = deviceLogs
    expect(() => defineLog({ ...base, table: defineTable('t', { columns }) })).toThrow('the table names no event time')
    const micros = defineTable('t', {
      columns: { ...columns, timestamp: column.timestampMicros() },
      eventTime: 'timestamp' as never,
    })
    expect(() => defineLog({ ...base, table: micros as never })).toThrow('must be column.timestamp(p) with at most 3 digits')
  })

  it('fields that cannot fill their column', () => {
    expect(withColumn(column.string(), measure({ base: 1 }))).toThrow('field "x": a measure cannot fill a string column')
    expect(withColumn(column.integer(), measure({ base: 1 }))).toThrow('a measure of an integer column needs scale: 0')
    expect(withColumn(column.decimal(9, 1), decimalMeasure({ base: 1 }))).toThrow('more digits than the decimal column')
    expect(withColumn(column.integer(), sequence())).toThrow('does not fit 32 bits; make it a bigint column')
    expect(withColumn(column.integer(), sequence(), '5 seconds')).not.toThrow()
    expect(withColumn(column.string(), sequence())).toThrow('sequence() cannot fill a string column')
    expect(withColumn(column.double(), hexId())).toThrow('hexId() cannot fill a double column')
    expect(withColumn(column.double(), emitTime())).toThrow('emitTime() fills timestamp columns')
    expect(withColumn(column.double(), sometimesNull(0.1, measure({ base: 1 })))).toThrow(
      'sometimesNull() needs a nullable column',
    )
    expect(withColumn(column.integer(), choice([1, 1.5]))).toThrow('1.5 is no value of the integer column')
    expect(withColumn(column.date(), tag(['2026-02-31']))).toThrow('"2026-02-31" is no value of the date column')
    expect(withColumn(column.boolean() as never, choice([true, false]))).not.toThrow()
  })
})

describe('measure', () => {
  it('refuses digits beyond the scale, unknown options and contradictions', () => {
    expect(() => measure({ base: 20.125 })).toThrow('"base" is 20.125, which has more than 2 digits behind the point')
    expect(() => measure({ base: 20, amplitude: 1 } as never)).toThrow('measure has no option "amplitude"')
    expect(() => measure({ base: 20, season: { amplitude: 1, phase: 2 } as never })).toThrow('no option "phase"')
    expect(() => measure({ base: [5, 4] })).toThrow('lower end')
    expect(() => measure({ base: 1, min: 5, max: 4 })).toThrow('lower end')
    expect(() => measure({ base: 1, noise: -1 })).toThrow('"noise" must not be negative')
    expect(() => measure({ base: 1, scale: 7 })).toThrow('"scale" must be a whole number from 0 to 6')
    expect(() => measure({ base: 1e12 })).toThrow('must be a number of at most')
    expect(() => measure({ base: Number.NaN })).toThrow('must be a number')
    expect(() => measure({ base: 1, drift: { amplitude: 1, period: '1 ms' } })).toThrow('the period of "drift"')
    expect(() => choice([])).toThrow('at least one value')
    expect(() => choice(['a'], [0])).toThrow('weights')
    expect(() => tag([])).toThrow('at least one value')
    expect(() => hexId(0)).toThrow('1 to 128')
    expect(() => sometimesNull(2, hexId())).toThrow('from 0 to 1')
  })

  const values = (options: Parameters<typeof measure>[0], to = '2026-11-25T00:00:00Z') => {
    const log = defineLog({ ...base, devices: 1, every: '1 minute', fields: { metric: measure(options) } })
    return [...generate(log, { from: '2026-11-24T00:00:00Z', to })].map(({ metric }) => metric)
  }

  it('waves over the day: least in the evening, greatest in the morning, zero at midnight', () => {
    const day = values({ base: 10, season: { amplitude: 5 } })
    expect(day).toHaveLength(1440)
    expect(day[0]).toBeCloseTo(10, 1)
    expect(Math.max(...day)).toBe(15)
    expect(Math.min(...day)).toBe(5)
    expect(day.indexOf(15)).toBeGreaterThan(330)
    expect(day.indexOf(15)).toBeLessThan(390)
    // Within 0.2 % of the sine.
    day.forEach((value, i) => void expect(Math.abs(value - 10 - 5 * Math.sin((i / 720) * Math.PI))).toBeLessThan(0.04))
  })

  it('drifts slowly and stays within its amplitude', () => {
    const day = values({ base: 0, scale: 3, drift: { amplitude: 2, period: '4 hours' } })
    expect(Math.max(...day.map(Math.abs))).toBeLessThanOrEqual(2)
    expect(Math.max(...day) - Math.min(...day)).toBeGreaterThan(1)
    const steps = day.slice(1).map((value, i) => Math.abs(value - (day[i] as number)))
    expect(Math.max(...steps)).toBeLessThan(0.1)
  })

  it('scatters within the noise, small differences more often than large ones', () => {
    const day = values({ base: 0, noise: 1 }, '2026-12-04T00:00:00Z')
    expect(Math.max(...day)).toBeGreaterThan(0.9)
    expect(Math.max(...day.map(Math.abs))).toBeLessThanOrEqual(1)
    const near = day.filter((value) => Math.abs(value) < 0.5).length / day.length
    expect(near).toBeGreaterThan(0.72)
    expect(near).toBeLessThan(0.78)
    expect(Math.abs(day.reduce((sum, value) => sum + value, 0) / day.length)).toBeLessThan(0.02)
  })

  it('keeps within min and max', () => {
    const day = values({ base: 0, noise: 10, min: -1, max: 2.5 })
    expect([Math.min(...day), Math.max(...day)]).toEqual([-1, 2.5])
  })
})
