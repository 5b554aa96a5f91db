import { createHash } from 'node:crypto'
import { column, defineTable } from '@pipe/core'
import { rowEncoder } from '@pipe/core/internal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  choice,
  decimalMeasure,
  defineLog,
  emitTime,
  encodeLog,
  generate,
  groundTruth,
  hexId,
  measure,
  sequence,
  sometimesNull,
  tag,
} from '../src/index'
import { allFaults, deviceLogs, fleet, hour } from './fleet'

const bytesOf = (chunks: Iterable<Uint8Array>) => Buffer.concat([...chunks])
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const minute = (n: number) => new Date(Date.UTC(2026, 10, 24, 15, n))

const wide = defineTable('wide', {
  columns: {
    at: column.timestamp(),
    sent: column.timestamp(1),
    device_name: column.string(),
    site: column.string(),
    status: column.integer(),
    amount: column.decimal(12, 4),
    reading: column.float(),
    level: column.double().nullable(),
    total: column.bigint(),
    seq: column.bigint(),
    trace: column.string(),
    ok: column.boolean(),
    tags: column.map(column.string(), column.bigint()),
    place: column.struct({ floor: column.integer(), 'room "a"': column.string() }).nullable(),
  },
  eventTime: 'at',
  allowedLateness: '5 minutes',
})

const wideLog = defineLog({
  table: wide,
  seed: -7,
  devices: ['a', 'b "quoted"\n'],
  every: '700 ms',
  fields: {
    sent: emitTime(),
    site: tag(['north', 'süd', "'; DROP TABLE t; --"]),
    status: choice([200, 404, 500], [90, 9, 1]),
    amount: decimalMeasure({ base: [-5, 5], scale: 2, noise: 3 }),
    reading: measure({ base: 0, scale: 3, noise: 0.05 }),
    level: sometimesNull(0.2, measure({ base: [-1000, 1000], scale: 6, drift: { amplitude: 12.5 }, min: -990 })),
    total: measure({ base: 1_000_000, scale: 0, season: { amplitude: 500_000, period: '1 hour' } }),
    seq: sequence(),
    trace: hexId(20),
    ok: choice([true, false]),
    tags: choice([new Map([['k', 9_007_199_254_740_993n]]), new Map()]),
    place: sometimesNull(0.5, choice([{ floor: 3, 'room "a"': 'x' }])),
  },
  faults: { late: 0.02, duplicate: 0.02 },
})

describe('encodeLog', () => {
  it('equals, byte by byte, what the plain writer makes of generate', () => {
    const range = { from: minute(0), to: minute(20) }
    const encode = rowEncoder(wide)
    const plain = [...generate(wideLog, range)].map((row) => encode(row)).join('')
    expect(plain.length).toBeGreaterThan(100_000)
    expect(bytesOf(encodeLog(wideLog, range)).toString()).toBe(plain)
  })

  it('is frozen: this hash is algorithm 1 on every machine', () => {
    expect(sha256(bytesOf(encodeLog(fleet(), hour)))).toMatchInlineSnapshot(
      `"ac52e99408dddd5ebd202e4adf0ec94ac1abfe5168a31d2610aec216814a9446"`,
    )
    expect(sha256(bytesOf(encodeLog(wideLog, hour)))).toMatchInlineSnapshot(
      `"38079003b086499b02c3f3d699b1fc91a45195c5d802c40b1e631193ac4ff15a"`,
    )
    expect([fleet().configHash, wideLog.configHash]).toMatchInlineSnapshot(`
      [
        "841165ff",
        "cbcbf4a0",
      ]
    `)
  })

  it('gives window(a, c) as window(a, b) and window(b, c), in whatever order they are made', () => {
    const log = fleet({ devices: 4, faults: { ...allFaults, late: 0.1, duplicate: 0.1, malformed: 0.1 } })
    const whole = (from: number, to: number) => bytesOf(encodeLog(log, { from: minute(from), to: minute(to) }))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 3, maxLength: 3 }), (ends) => {
        const [a, b, c] = ends.sort((x, y) => x - y) as [number, number, number]
        const second = whole(b, c)
        const first = whole(a, b)
        expect(Buffer.concat([first, second]).equals(whole(a, c))).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it('keeps the records of a device when the fleet around it changes', () => {
    const rowsOf = (names: string[]) => {
      const rows = generate(fleet({ devices: names, faults: { late: 0.05 } }), { from: minute(0), to: minute(3) })
      return [...rows].filter(({ device_name }) => device_name === 'b')
    }
    expect(rowsOf(['a', 'b', 'c'])).toEqual(rowsOf(['b', 'x']))
  })

  it('changes all values with the seed, and the key with the configuration', () => {
    const range = { from: minute(0), to: minute(5) }
    const one = [...generate(fleet({ seed: 1, faults: {} }), range)]
    const two = [...generate(fleet({ seed: 2, faults: {} }), range)]
    const bySeries = new Map(one.map(({ device_name, timestamp, metric }) => [`${device_name}${+timestamp}`, metric]))
    expect(
      two.filter(({ device_name, timestamp, metric }) => bySeries.get(`${device_name}${+timestamp}`) === metric).length,
    ).toBeLessThan(30)
    const hashes = [fleet(), fleet({ seed: 1 }), fleet({ devices: 49 }), fleet({ faults: {} }), fleet({ every: '5 seconds' })]
    expect(new Set(hashes.map(({ configHash }) => configHash)).size).toBe(5)
    expect(fleet().configHash).toBe(fleet().configHash)
  })

  it('refuses ends that are no boundary of files', () => {
    expect(() => [...encodeLog(fleet(), { from: '2026-11-24T15:00:30Z', to: hour.to })]).toThrow(
      '"from" is 2026-11-24T15:00:30.000Z, which is not the start of a file of "1 minute". Use 2026-11-24T15:00:00.000Z or',
    )
    expect(() => [...generate(fleet(), { from: hour.from, to: 'tomorrow' })]).toThrow('PIPE_WINDOW')
    expect(() => [...encodeLog(fleet(), { ...hour, format: 'xml' as never })]).toThrow('The format "xml" is not known')
  })
})

describe('event and arrival times', () => {
  it('let each device happen once in each interval', () => {
    const rows = [...generate(fleet({ devices: 7, faults: {} }), { from: minute(0), to: minute(2) })]
    expect(rows).toHaveLength(7 * 120)
    expect(rows.every((row, i) => i === 0 || (rows[i - 1] as typeof row).timestamp <= row.timestamp)).toBe(true)
    const seconds = new Set(rows.map(({ device_name, timestamp }) => `${device_name} ${Math.floor(+timestamp / 1000)}`))
    expect(seconds.size).toBe(7 * 120)
  })

  it('lose no record to lateness: over a long span each stands in exactly one file', () => {
    const log = fleet({ devices: 3, every: '5 seconds', faults: { late: 0.3 } })
    const from = minute(0)
    const to = minute(60)
    const rows = [...generate(log, { from, to: minute(70) })].filter(({ timestamp }) => timestamp >= from && timestamp < to)
    expect(rows).toHaveLength(3 * 12 * 60)
    expect(new Set(rows.map(({ device_name, timestamp }) => `${device_name} ${+timestamp}`)).size).toBe(rows.length)
  })

  it('keep to start and end', () => {
    const log = defineLog({
      table: deviceLogs,
      seed: 3,
      devices: 3,
      every: '5 seconds',
      start: minute(10),
      end: '2026-11-24T15:20:00Z',
      fields: { metric: measure({ base: 1 }) },
      faults: { late: 0.3 },
    })
    const rows = [...generate(log, { from: minute(-10), to: minute(60) })]
    expect(rows).toHaveLength(3 * 12 * 10)
    const truth = groundTruth(log, { from: minute(-10), to: minute(60) })
    expect(truth.files[0]?.minute).toEqual(minute(10))
    // The last record is sent at most ten minutes after the end.
    expect(truth.files.at(-1)?.minute.getTime()).toBeGreaterThan(minute(20).getTime())
    expect(truth.files.at(-1)?.minute.getTime()).toBeLessThanOrEqual(minute(30).getTime())
  })
})

describe('hostile device names', () => {
  const names = [
    `"quoted" 'single' \\back\\`,
    'line\nbreak\r\nand\ttab',
    "'; DROP TABLE device_logs; --",
    '🔥 emoji \u{1f469}\u200d\u{1f680} \u202e rtl',
    '__proto__',
    'constructor',
    '42',
    '\u0000\u0007\u001b[31m',
    '{{x}} %s $1 $(id)',
    '   ',
    'x'.repeat(1_048_576),
  ]

  it('come out as JSON and arrive unchanged', () => {
    const log = fleet({ devices: names, every: '5 seconds', faults: { late: 0.1, duplicate: 0.1 } })
    const range = { from: minute(0), to: minute(1) }
    const lines = bytesOf(encodeLog(log, range)).toString().trimEnd().split('\n')
    const seen = new Map<string, number>()
    for (const line of lines) {
      const { device_name } = JSON.parse(line) as { device_name: string }
      seen.set(device_name, (seen.get(device_name) ?? 0) + 1)
    }
    expect(new Set(seen.keys())).toEqual(new Set(names))
    const { devices } = groundTruth(log, range)
    expect(Object.keys(devices).length).toBe(names.length)
    for (const [name, count] of seen) expect(devices[name]?.rows).toBe(count)
  })

  it('are refused when they have no UTF-8 form, are empty or stand twice', () => {
    expect(() => fleet({ devices: ['\ud83d'] })).toThrow('cannot name a device')
    expect(() => fleet({ devices: [''] })).toThrow('cannot name a device')
    expect(() => fleet({ devices: ['a', 'a'] })).toThrow('two devices have the same name')
    expect(() => fleet({ devices: [] })).toThrow('"devices" is empty')
    expect(() => fleet({ devices: 0 })).toThrow('"devices" must be a whole number')
  })
})
