import { expect, test } from 'vitest'
import { column } from '../../src/column-type'
import { readParquet, writeParquet } from '../../src/format/parquet'
import { pageFault } from '../../src/format/parquet-pages'
import { defineTable } from '../../src/table'
import { allBytes, bytesOf, collect } from '../read-all'

const table = defineTable('t', {
  columns: { place: column.struct({ lat: column.double() }).nullable(), tags: column.array(column.string()).nullable() },
})
const rows = [
  { place: { lat: 1.5 }, tags: ['a', 'b'] },
  { place: null, tags: null },
]

// The decoder never came back from levels without a length: it read the first byte again and again.
test('a file with any one byte zeroed is read to its end, each row told', async () => {
  const file = await allBytes(writeParquet(rows, { table }))
  let unreadable = 0
  for (let at = 4; at < file.length - 8; at++) {
    const damaged = Buffer.from(file)
    damaged[at] = 0
    const found = await collect(readParquet(bytesOf(damaged, 4096), { table, file: 'a.parquet' }))
    unreadable += found.unreadable.length
    expect(found.rows.length + found.unreadable.reduce((sum, entry) => sum + entry.rows, 0)).toBeGreaterThan(0)
  }
  expect(unreadable).toBeGreaterThan(50)
})

/** type, unpacked, packed, then the header of data (v2): values, nulls, rows, encoding, bytes of both levels. */
const page = (values: number, levels: readonly number[] = [0x15, 0, 0x15, 0]) =>
  Uint8Array.from([
    0x15,
    6,
    0x15,
    8,
    0x15,
    8,
    0x5c,
    0x15,
    values * 2,
    0x15,
    0,
    0x15,
    values * 2,
    0x15,
    0,
    ...levels,
    0,
    0,
    1,
    2,
    3,
    4,
  ])
const footer = { values: 3, unpackedBytes: 100 }

test.each([
  ['nothing', page(3), undefined],
  ['more values than the footer says', page(4), 'a page of 4 values in a column chunk of 3'],
  ['fewer', page(2), '2 values in the pages of a column chunk of 3'],
  ['levels without a length', page(3, [0x15, 0]), 'a page whose levels have no length'],
  ['levels longer than the page', page(3, [0x15, 40, 0x15, 0]), 'a page whose levels have no length'],
  ['a page beyond the chunk', page(3).subarray(0, 24), 'a page of 4 bytes in 3'],
  ['a negative size', Uint8Array.from([0x15, 6, 0x15, 8, 0x15, 7, 0]), 'a page of -4 bytes in 0'],
  ['a header that is cut off', page(3).subarray(0, 5), 'a page header that cannot be read (it is cut off)'],
])('is told: %s', (_, chunk, fault) => {
  expect(pageFault(chunk, footer)).toBe(fault)
})
