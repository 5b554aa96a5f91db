import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { column, typeName } from '../src/column-type'
import { tableDdl } from '../src/ddl'
import { durationMs, formatDuration } from '../src/duration'
import { readEnv } from '../src/env'
import { ConfigError, PipeError } from '../src/error'
import { quoteIdentifier, quoteName } from '../src/identifier'
import { daily, hourly, rawKey, timeOfKey } from '../src/layout'
import { parseLocation } from '../src/location'
import { checkOptions } from '../src/options'
import { stampMetadata, stampOf } from '../src/producer-stamp'
import { encodeUnreadableRows, parseUnreadableRows, unreadableRow } from '../src/quarantine'
import { defineTable } from '../src/table'
import { windowOf, windowsBetween } from '../src/window'

const instant = fc.date({ min: new Date('1970-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })

describe('windows', () => {
  test('every instant lies in exactly one window, half open', () => {
    fc.assert(
      fc.property(instant, fc.constantFrom('1 minute', '5 minutes', '1 hour', '1 day', '90 minutes'), (at, every) => {
        const { start, end } = windowOf(every, at)
        expect(start <= at && at < end).toBe(true)
        expect(windowOf(every, end).start).toEqual(end)
        expect(windowOf(every, new Date(end.getTime() - 1)).start).toEqual(start)
        expect(windowOf(every, start).id).toBe(`${start.toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}Z`)
      }),
    )
  })
  test('cover a span without gap', () => {
    const windows = [...windowsBetween('5 minutes', new Date('2026-11-24T00:00Z'), new Date('2026-11-24T01:00Z'))]
    expect(windows).toHaveLength(12)
    expect(windows.every((window, i) => i === 0 || windows[i - 1]!.end.getTime() === window.start.getTime())).toBe(true)
  })
  test.each(['7 minutes', '30 seconds', '2 days', '90 ms'] as const)('%s is no window', (every) => {
    expect(() => windowOf(every, 0)).toThrow('PIPE_WINDOW')
  })
})

test('a key names its minute, whatever stands around it', () => {
  fc.assert(
    fc.property(
      instant,
      fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/),
      fc.constantFrom(hourly(), daily()),
      (time, stream, partitions) => {
        const at = new Date(Math.floor(time.getTime() / 60_000) * 60_000)
        const key = rawKey({ prefix: 'raw/', partitions, stream, at, configHash: '1a2b3c4d', extension: 'ndjson.gz' })
        expect(timeOfKey(key)).toEqual(at)
        expect(key.startsWith(`raw/dt=${at.toISOString().slice(0, 10)}/`)).toBe(true)
      },
    ),
  )
  expect(timeOfKey('raw/a-20260231T0000Z-x.gz')).toBeUndefined()
  expect(() =>
    rawKey({ prefix: '', partitions: daily(), stream: 'a/b', at: new Date(0), configHash: '', extension: '' }),
  ).toThrow(ConfigError)
})

test('durations', () => {
  fc.assert(fc.property(fc.nat(), (ms) => void expect(durationMs(formatDuration(ms))).toBe(ms)))
  expect(durationMs('1.5 hours')).toBe(5_400_000)
  for (const text of ['5', '5 minute s', '-1 second', '5minutes', ''])
    expect(() => durationMs(text as never)).toThrow('is not a duration')
})

test('identifiers are quoted per dialect, and refused with the reason', () => {
  expect(quoteIdentifier('my-db', 'trino')).toBe('"my-db"')
  expect(quoteIdentifier('a"b', 'trino')).toBe('"a""b"')
  expect(quoteName(['lake', 'logs'], 'hive')).toBe('`lake`.`logs`')
  expect(() => quoteIdentifier('my-db', 'hive', 'database')).toThrow('a hyphen in a database name fails in Athena DDL. Use my_db')
  for (const name of ['', 'x'.repeat(256), 'a\nb']) expect(() => quoteIdentifier(name, 'trino')).toThrow('PIPE_ATHENA_NAME')
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }), (name) => {
      fc.pre(!/[\u0000-\u001f\u007f]/.test(name))
      const quoted = quoteIdentifier(name, 'trino')
      expect(quoted.slice(1, -1).replaceAll('""', '')).not.toContain('"')
    }),
  )
})

test('unknown options are refused by name', () => {
  expect(() => checkOptions('f', { ro: 1 }, { optional: ['rows'] })).toThrow('f has no option "ro". Did you mean "rows"?')
  expect(() => checkOptions('f', {}, { required: ['rows'] })).toThrow('f needs the option "rows"')
})

test('a table contract', () => {
  const columns = { timestamp: column.timestamp(), n: column.array(column.bigint()).nullable() }
  const table = defineTable('logs', { columns, eventTime: 'timestamp', allowedLateness: '10 minutes' })
  expect(table['~standard'].validate({ timestamp: new Date(0), n: [1n] })).toEqual({ value: { timestamp: new Date(0), n: [1n] } })
  expect(table['~standard'].validate({ timestamp: new Date(0), n: [1], x: 1 })).toMatchObject({
    issues: [
      { message: '"x" is not a column', path: ['x'] },
      { message: '1 is not of type bigint', path: ['n', 0] },
    ],
  })
  expect(() => defineTable('t', { columns: { Upper: column.string() } })).toThrow('Use upper')
  expect(() => defineTable('t', { columns: { dt: column.string() } })).toThrow('is a partition column')
  expect(() => defineTable('t', { columns: { a: column.string() }, eventTime: 'a' as never })).toThrow('not a timestamp column')
  expect(tableDdl(table, { location: 's3://lake/raw/', format: 'parquet', database: 'db' })).toBe(
    'CREATE EXTERNAL TABLE IF NOT EXISTS `db`.`logs` (\n  `timestamp` timestamp,\n  `n` array<bigint>\n)\n' +
      "PARTITIONED BY (`dt` string, `hour` string)\nSTORED AS PARQUET\nLOCATION 's3://lake/raw/'",
  )
  expect(() => typeName(column.timestampWithZone().type, 'hive')).toThrow('no timestamp with time zone')
  expect(typeName(column.struct({ a: column.map(column.string(), column.double()) }).type, 'trino')).toBe(
    'row("a" map(varchar, double))',
  )
})

test('places, variables, stamps and errors', () => {
  expect(parseLocation('s3://lake/a/')).toEqual({ bucket: 'lake', prefix: 'a/' })
  for (const place of ['s3://lake', 's3://lake/a', '/x/', 's3://L/']) expect(() => parseLocation(place)).toThrow('PIPE_LOCATION')
  expect(() => readEnv(['A', 'B', 'C'], { B: 'x' })).toThrow('The environment variables A, C must be set.')
  const stamp = { rows: 3, rawBytes: 10, sha256: 'ab' }
  expect(stampOf(stampMetadata(stamp))).toEqual(stamp)
  expect(stampOf({ 'pipe-rows': 'x', 'pipe-raw-bytes': '1', 'pipe-sha256': 'a' })).toBeUndefined()
  const other = Object.assign(new Error('x'), { [Symbol.for('@pipe/error')]: true })
  expect(PipeError.isInstance(other)).toBe(true)
  expect(PipeError.isInstance(new Error('x'))).toBe(false)
})

test('quarantine entries come back, hostile text included', () => {
  const entry = fc.record({
    file: fc.string({ unit: 'binary' }),
    line: fc.option(fc.nat(), { nil: undefined }),
    offset: fc.option(fc.nat(), { nil: undefined }),
    reason: fc.string({ unit: 'binary' }),
    raw: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    rows: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const rows = entries.map(unreadableRow)
      expect(parseUnreadableRows(encodeUnreadableRows(rows))).toEqual(rows)
    }),
  )
  expect(unreadableRow({ file: 'a', reason: 'b', raw: 'x'.repeat(5000) }).raw).toHaveLength(1024)
  for (const text of ['x\n', '{}\n', '\n', '{"file":"a","reason":"b","rows":-1}\n']) {
    expect(() => parseUnreadableRows(text)).toThrow('PIPE_FORMAT_QUARANTINE Line 1')
  }
})
