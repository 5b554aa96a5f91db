import { column, defineTable } from '@pipe/core'
import { jsonText } from '@pipe/core/internal'
import { compareRows, createDigest, digestOf, rowText } from '@pipe/log-gen'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deviceLogs } from './fleet'

const at = new Date('2026-11-24T15:31:00.007Z')
const row = { timestamp: at, device_name: 'a,"b"', metric: 1.5 }

describe('rowText', () => {
  it('is the JSON of the columns in their order, whatever else the row has', () => {
    expect(rowText(deviceLogs, { hour: '15', metric: 1.5, device_name: 'a,"b"', timestamp: at })).toBe(
      '["2026-11-24 15:31:00.007","a,\\"b\\"",1.5]',
    )
  })

  it('equals the exact text of each value', () => {
    const { timestamp, device_name, metric } = deviceLogs.columns
    const double = fc.oneof(fc.double(), fc.constantFrom(-0, 0, 5e-324, 1e21, Number.NaN, Number.POSITIVE_INFINITY))
    const instant = fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
    fc.assert(
      fc.property(instant, fc.string({ unit: 'binary' }), double, (t, d, m) => {
        const expected = `[${jsonText(timestamp, t)},${jsonText(device_name, d)},${jsonText(metric, m)}]`
        expect(rowText(deviceLogs, { timestamp: t, device_name: d, metric: m })).toBe(expected)
      }),
    )
  })

  it('takes a float as its 32 bits, and null where the column may hold it', () => {
    const table = defineTable('t', { columns: { f: column.float().nullable() } })
    expect(rowText(table, { f: 0.1 })).toBe(rowText(table, { f: Math.fround(0.1) }))
    expect(rowText(table, { f: null })).toBe('[null]')
  })

  it('refuses a row that is not of the table', () => {
    expect(() => rowText(deviceLogs, { ...row, metric: '1.5' })).toThrow('PIPE_FORMAT_VALUE')
    expect(() => rowText(deviceLogs, { ...row, metric: null })).toThrow('PIPE_FORMAT_VALUE')
    expect(() => rowText(deviceLogs, { ...row, timestamp: new Date(Number.NaN) })).toThrow('PIPE_FORMAT_VALUE')
    expect(() => rowText(deviceLogs, { timestamp: at, metric: 1 })).toThrow('PIPE_FORMAT_VALUE')
  })
})

describe('createDigest', () => {
  const rows = fc.array(fc.record({ device_name: fc.constantFrom('a', 'b'), metric: fc.integer({ min: 0, max: 3 }) }), {
    maxLength: 12,
  })
  const digestText = (list: readonly object[]) => {
    const digest = createDigest(deviceLogs)
    for (const item of list) digest.add({ timestamp: at, ...item })
    return digest.value()
  }

  it('is the same for the same multiset and differs for every other one', () => {
    const canonical = (list: readonly object[]) =>
      list
        .map((item) => JSON.stringify(item))
        .sort()
        .join()
    fc.assert(
      fc.property(rows, rows, (one, two) => {
        expect(digestText(one.toReversed())).toBe(digestText(one))
        expect(digestText(one) === digestText(two)).toBe(canonical(one) === canonical(two))
      }),
    )
  })

  it('is the sum of the digests of the rows modulo 2^256', () => {
    const list = Array.from({ length: 1000 }, (_, metric) => ({ timestamp: at, device_name: 'a', metric }))
    const sum = list.reduce((total, item) => total + BigInt(`0x${digestOf(deviceLogs, item)}`), 0n) % 2n ** 256n
    expect(digestText(list)).toBe(`1000:${sum.toString(16).padStart(64, '0')}`)
  })
})

describe('compareRows', () => {
  it('counts each copy that is missing, too many or foreign, for any multisets', async () => {
    const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(letters, letters, async (expected, actual) => {
        const rowsOf = (names: string[]) => names.map((device_name) => ({ ...row, device_name }))
        const count = (names: string[], name: string) => names.filter((other) => other === name).length
        const difference = { lost: 0, duplicated: 0, unknown: 0 }
        for (const name of 'abcd') {
          const surplus = count(actual, name) - count(expected, name)
          if (surplus < 0) difference.lost -= surplus
          else if (count(expected, name) > 0) difference.duplicated += surplus
          else difference.unknown += surplus
        }
        expect(await compareRows(deviceLogs, rowsOf(expected), rowsOf(actual))).toMatchObject({
          ...difference,
          expectedRows: expected.length,
          actualRows: actual.length,
        })
      }),
    )
  })
})
