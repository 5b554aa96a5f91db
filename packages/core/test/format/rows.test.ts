import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { column } from '../../src/column-type'
import { writeCsv } from '../../src/format/delimited'
import { writeNdjson } from '../../src/format/ndjson'
import { writeParquet } from '../../src/format/parquet'
import { readRows } from '../../src/format/rows'
import { defineTable } from '../../src/table'
import { allBytes, bytesOf, collect } from '../read-all'

const table = defineTable('t', { columns: { id: column.integer(), name: column.string() } })
const rows = Array.from({ length: 100 }, (_, id) => ({ id, name: `n${id}` }))

test('the format is told by the name, without one by the bytes', async () => {
  const files: [string, Uint8Array][] = [
    ['a.ndjson', await allBytes(writeNdjson(rows, { table }))],
    ['a.json.gz', gzipSync(await allBytes(writeNdjson(rows, { table })))],
    ['A.CSV', await allBytes(writeCsv(rows, { table }))],
    ['a.csv.gz', gzipSync(await allBytes(writeCsv(rows, { table })))],
    ['no-ending', await allBytes(writeParquet(rows, { table }))],
    ['a.parquet', await allBytes(writeParquet(rows, { table }))],
    // Plain text named .gz can be read without a guess.
    ['plain.ndjson.gz', await allBytes(writeNdjson(rows, { table }))],
  ]
  for (const [file, bytes] of files) {
    expect(await collect(readRows({ table, file, source: bytesOf(bytes) }))).toEqual({ rows, unreadable: [] })
  }
})

test.each([
  ['a.ndjson', 'PAR1xxxxxxxxxxxxxx', 'the bytes are Parquet'],
  ['a.ndjson.gz', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]), 'the bytes are zstd'],
  ['a.csv', 'ORC\u0003xxxxxxxxx', 'the bytes are ORC'],
  ['a.csv', gzipSync('1,a\n'), 'the bytes are gzip'],
])('%s that is something else is one entry with all its rows', async (file, bytes, reason) => {
  const found = await collect(readRows({ table, file, source: bytesOf(bytes), expectedRows: 42 }))
  expect(found).toEqual({ rows: [], unreadable: [{ file, reason: expect.stringContaining(reason), rows: 42 }] })
})

test('unknown options are refused, an abort is thrown as it is', async () => {
  expect(() => readRows({ table, file: 'a', source: bytesOf(''), fromat: 'csv' } as never)).toThrow('Did you mean "format"?')
  const reason = new Error('mine')
  const source = bytesOf('x')
  await expect(collect(readRows({ table, file: 'a', source, signal: AbortSignal.abort(reason) }))).rejects.toBe(reason)
})

test('damaged gzip: rows and unreadable rows are as many as the producer wrote', async () => {
  const bytes = gzipSync(await allBytes(writeNdjson(rows, { table })))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
      fc.nat(),
      fc.integer({ min: 1, max: 300 }),
      async (damage, cut, size) => {
        const damaged = Buffer.from(bytes.subarray(0, (cut % bytes.length) + 1))
        // The magic number stays: without it the file is text, in which the bytes are lines.
        for (const [at, value] of damage) if (at % damaged.length > 3) damaged[at % damaged.length] = value
        if (damaged.length < 3) return
        const found = await collect(readRows({ table, file: 'a.ndjson.gz', source: bytesOf(damaged, size), expectedRows: 100 }))
        const counted = found.rows.length + found.unreadable.reduce((sum, entry) => sum + entry.rows, 0)
        // Damage may make more line ends, never fewer rows.
        expect(counted).toBeGreaterThanOrEqual(100)
        for (const row of found.rows.slice(0, 3)) expect(Object.keys(row)).toEqual(['id', 'name'])
      },
    ),
    { numRuns: 200 },
  )
})
