import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { column } from '../../src/column-type'
import { fileRanges } from '../../src/format/byte-ranges'
import { readParquet, writeParquet } from '../../src/format/parquet'
import { defineTable, type Table } from '../../src/table'
import { nested, nullable, scalars } from '../arbitrary'
import { allBytes, bytesOf, collect } from '../read-all'

async function roundTrip(table: Table, rows: Record<string, unknown>[], rowGroupRows = 7) {
  const bytes = await allBytes(writeParquet(rows as never[], { table, rowGroupRows }))
  return collect(readParquet(bytesOf(bytes, 1000), { table, file: 'a.parquet' }))
}

describe('parquet', () => {
  const kinds = [...scalars, ...scalars.map(nullable), ...nested, ...nested.map(nullable)]
  test.each(
    kinds.map(
      (kind, i) =>
        [`${i}: ${kind.column.isNullable ? 'nullable ' : ''}${JSON.stringify(kind.column.type)}`.slice(0, 90), kind] as const,
    ),
  )('keeps every value of %s', async (_, { column: type, value }) => {
    const table = defineTable('t', { columns: { id: column.integer(), value: type } })
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 20 }), async (values) => {
        const rows = values.map((item, id) => ({ id, value: item }))
        expect(await roundTrip(table, rows)).toEqual({ rows, unreadable: [] })
      }),
      { numRuns: 30 },
    )
  })

  const table = defineTable('t', { columns: { id: column.bigint(), name: column.string(), at: column.timestamp().nullable() } })
  const rows = Array.from({ length: 50 }, (_, i) => ({ id: BigInt(i), name: `n${i % 3}`, at: i % 4 ? new Date(i * 1000) : null }))

  test('a file on disk is read in ranges', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-parquet-'))
    try {
      writeFileSync(join(dir, 'a.parquet'), await allBytes(writeParquet(rows, { table, compression: 'none' })))
      const found = await collect(readParquet(await fileRanges(join(dir, 'a.parquet')), { table, file: 'a.parquet' }))
      expect(found).toEqual({ rows, unreadable: [] })
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  test('a value that is not of the type is refused by the writer', async () => {
    await expect(allBytes(writeParquet([{ id: 1, name: 'x', at: null } as never], { table }))).rejects.toMatchObject({
      code: 'PIPE_FORMAT_VALUE',
    })
  })

  test.each([
    ['more columns', { id: column.bigint() }, '"name" is not a column of other'],
    ['fewer columns', { ...table.columns, more: column.string() }, '"more" is missing'],
  ])('%s than the table: unreadable as a whole, with its rows', async (_, columns, reason) => {
    const other = defineTable('other', { columns })
    const bytes = await allBytes(writeParquet(rows, { table }))
    const found = await collect(readParquet(bytesOf(bytes), { table: other as Table, file: 'a.parquet' }))
    expect(found).toEqual({ rows: [], unreadable: [{ file: 'a.parquet', reason, rows: 50 }] })
  })

  test('a wrong type is unreadable row by row, a null where it may not be too', async () => {
    const other = defineTable('other', { columns: { id: column.integer(), name: column.string(), at: column.timestamp() } })
    const bytes = await allBytes(writeParquet([...rows, { id: 2n ** 40n, name: '', at: new Date(0) }], { table }))
    const found = await collect(readParquet(bytesOf(bytes), { table: other, file: 'a.parquet' }))
    expect(found.rows).toHaveLength(37)
    expect(found.unreadable).toHaveLength(14)
    expect(found.unreadable.at(-1)).toEqual({
      file: 'a.parquet',
      line: 51,
      reason: '"id" is "1099511627776", not an integer of 32 bits',
      rows: 1,
    })
    expect(found.unreadable[0]).toMatchObject({ line: 1, reason: '"at" is null, but the column is not nullable' })
  })

  test('an empty file gives nothing, text is no Parquet', async () => {
    expect(await collect(readParquet(bytesOf(''), { table, file: 'a' }))).toEqual({ rows: [], unreadable: [] })
    const { unreadable } = await collect(readParquet(bytesOf('hello'.repeat(9)), { table, file: 'a', expectedRows: 7 }))
    expect(unreadable).toMatchObject([{ rows: 7, reason: expect.stringContaining('no readable Parquet') }])
  })

  test('an aborted read and an error of the source are thrown', async () => {
    const reason = new Error('mine')
    await expect(collect(readParquet(bytesOf('x'), { table, file: 'a', signal: AbortSignal.abort(reason) }))).rejects.toBe(reason)
    const broken = { byteLength: 1000, read: () => Promise.reject(reason), close: async () => {} }
    await expect(collect(readParquet(broken, { table, file: 'a' }))).rejects.toBe(reason)
  })

  // Not random damage inside of pages: a damaged run length can keep hyparquet busy for minutes (see the limits in the README).
  test('a file that is cut anywhere is unreadable as a whole', async () => {
    const bytes = await allBytes(writeParquet(rows, { table, rowGroupRows: 20 }))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: bytes.length - 1 }), async (cut) => {
        const found = await collect(readParquet(bytesOf(bytes.subarray(0, cut)), { table, file: 'a', expectedRows: 50 }))
        expect(found).toMatchObject({ rows: [], unreadable: [{ rows: 50 }] })
      }),
      { numRuns: 100 },
    )
  })

  test('a row group whose pages are damaged is one entry; the others are read', async () => {
    const bytes = Buffer.from(await allBytes(writeParquet(rows, { table, rowGroupRows: 20 })))
    // The first page header, behind the magic number.
    bytes.fill(0xff, 4, 12)
    const found = await collect(readParquet(bytesOf(bytes), { table, file: 'a', expectedRows: 50 }))
    expect(found.rows).toEqual(rows.slice(20))
    expect(found.unreadable).toMatchObject([{ rows: 20, reason: expect.stringContaining('the rows 1 to 20 cannot be decoded') }])
  })
})
