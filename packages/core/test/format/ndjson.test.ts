import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { column } from '../../src/column-type'
import { readNdjson, rowEncoder, writeNdjson } from '../../src/format/ndjson'
import { defineTable, type RowOf } from '../../src/table'
import { bytesOf, collect } from '../read-all'

const logs = defineTable('device_logs', {
  columns: {
    timestamp: column.timestamp(),
    device_name: column.string(),
    metric: column.double(),
    count: column.bigint().nullable(),
  },
  eventTime: 'timestamp',
})

const good = '{"timestamp":"2026-11-24 15:31:00.000","device_name":"d1","metric":1.5,"count":7}'

async function read(content: string | Uint8Array, options: { file?: string; expectedRows?: number } = {}) {
  return collect(readNdjson(bytesOf(content), { table: logs, file: 'a.ndjson', ...options }))
}

describe('readNdjson', () => {
  test('gives typed rows', async () => {
    const { rows, unreadable } = await read(`${good}\n`)
    expect(unreadable).toEqual([])
    expect(rows).toEqual([{ timestamp: new Date('2026-11-24T15:31:00Z'), device_name: 'd1', metric: 1.5, count: 7n }])
  })

  test('keeps every digit of a 64-bit integer', async () => {
    const { rows } = await read(good.replace('7}', '9007199254740993}'))
    expect(rows[0]?.count).toBe(9_007_199_254_740_993n)
  })

  test('a missing nullable column is null', async () => {
    const { rows } = await read(good.replace(',"count":7', ''))
    expect(rows[0]?.count).toBeNull()
  })

  test.each([
    ['"n/a" in a double', good.replace('1.5', '"n/a"'), '"metric" is "n/a", not a double'],
    ['a number in a string', good.replace('"d1"', '5'), '"device_name" is 5, not a string'],
    ['null where it may not be', good.replace('1.5', 'null'), '"metric" is null, but the column is not nullable'],
    ['a missing key', good.replace('"metric":1.5,', ''), '"metric" is missing'],
    ['an unknown key', good.replace('"count"', '"counter"'), '"counter" is not a column of device_logs'],
    ['__proto__ as a key', good.replace('"count"', '"__proto__"'), '"__proto__" is not a column of device_logs'],
    ['a key twice', good.replace('"count":7', '"metric":2'), '"metric" stands twice'],
    ['a key twice with blanks', good.replace('"count":7', '"metric" :2'), '"metric" stands twice'],
    ['a key twice, spelled by an escape', good.replace('"count":7', '"m\\u0065tric":2'), '"metric" stands twice'],
    ['8.5 in an integer', good.replace(':7', ':8.5'), '"count" is 8.5, not an integer of 64 bits'],
    ['an impossible date', good.replace('11-24', '02-30'), '"timestamp" is "2026-02-30 15:31:00.000", not a timestamp'],
    ['a blank line', ' ', 'the line is blank'],
    ['an empty line', '', 'the line is blank'],
    ['an array', '[1]', 'the line is [1], not a JSON object'],
    ['two objects', `${good}${good}`, 'the line is not JSON'],
    ['no JSON', '{"a":', 'the line is not JSON'],
  ])('%s is unreadable, with its place', async (_, line, reason) => {
    const { rows, unreadable } = await read(`${good}\n${line}\n${good}\n`)
    expect(rows).toHaveLength(2)
    expect(unreadable).toHaveLength(1)
    expect(unreadable[0]).toMatchObject({ file: 'a.ndjson', line: 2, offset: good.length + 1, raw: line, rows: 1 })
    expect(unreadable[0]?.reason).toContain(reason)
  })

  test('hostile nesting is unreadable, not a stack overflow', async () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000)
    const nested = defineTable('t', { columns: { a: column.map(column.string(), column.string()) } })
    const line = `{"a":{"k":${deep}}}\n`
    const { rows, unreadable } = await collect(readNdjson(bytesOf(line), { table: nested, file: 'x' }))
    expect(rows).toEqual([])
    expect(unreadable).toHaveLength(1)
  })

  test('an empty file gives nothing', async () => {
    expect(await read('')).toEqual({ rows: [], unreadable: [] })
  })

  test('gzip named plain is unreadable as a whole', async () => {
    const bytes = gzipSync(`${good}\n${good}\n`)
    expect(await read(bytes, { file: 'a.json', expectedRows: 2 })).toEqual({
      rows: [],
      unreadable: [{ file: 'a.json', reason: 'the bytes are gzip, but the name of the file does not end in .gz', rows: 2 }],
    })
  })

  test('a cut gzip gives the rows before the cut, the cut line, and the rest by the stamp', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => good.replace('1.5', String(i * Math.PI)))
    const bytes = gzipSync(`${lines.join('\n')}\n`)
    const { rows, unreadable } = await read(bytes.subarray(0, bytes.length >> 1), { file: 'a.gz', expectedRows: 500 })
    expect(rows.length).toBeGreaterThan(100)
    expect(rows.length + unreadable.reduce((sum, entry) => sum + entry.rows, 0)).toBe(500)
    expect(unreadable.at(-1)?.line).toBeUndefined()
    expect(unreadable.at(-1)?.reason).toContain('cut off')
  })

  test('rows written are read back', async () => {
    const row = fc.record({
      timestamp: fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      device_name: fc.string({ unit: 'binary' }),
      metric: fc.double(),
      count: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row), async (rows) => {
        const { rows: found, unreadable } = await collect(
          readNdjson(writeNdjson(rows as RowOf<typeof logs>[], { table: logs }), { table: logs, file: 'a' }),
        )
        expect(unreadable).toEqual([])
        expect(found).toEqual(rows)
      }),
    )
  })

  test('random damage never throws and never loses a line', async () => {
    const encode = rowEncoder(logs)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 4 }), fc.nat({ max: 5 })), { maxLength: 20 }),
        fc.nat({ max: 30 }),
        fc.integer({ min: 1, max: 100 }),
        async (damage, count, chunkBytes) => {
          const text = Array.from({ length: count }, (_, i) =>
            encode({ timestamp: new Date(i), device_name: `d"${i}`, metric: i / 7, count: BigInt(i) }),
          ).join('')
          let bytes = Buffer.from(text)
          for (const [at, inserted, removed] of damage) {
            const start = at % (bytes.length + 1)
            bytes = Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(start + removed)])
          }
          const body = bytes.length === 0 ? bytes : bytes
          let lines = body.filter((byte) => byte === 10).length
          if (body.length > 0 && body.at(-1) !== 10) lines++
          // A byte order mark alone is no line.
          if (body.equals(Buffer.from([0xef, 0xbb, 0xbf]))) lines = 0
          const source = bytesOf(body, chunkBytes)
          const { rows, unreadable } = await collect(readNdjson(source, { table: logs, file: 'a.ndjson' }))
          const whole = unreadable.some(({ line }) => line === undefined)
          if (!whole) expect(rows.length + unreadable.reduce((sum, entry) => sum + entry.rows, 0)).toBe(lines)
        },
      ),
    )
  })
})
