import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { column } from '../../src/column-type'
import { readCsv, readTsv, writeCsv, writeTsv } from '../../src/format/delimited'
import { defineTable, type Table } from '../../src/table'
import { nullable, scalars, text } from '../arbitrary'
import { bytesOf, collect } from '../read-all'

const table = defineTable('t', {
  columns: { name: column.string(), metric: column.double(), note: column.string().nullable() },
})

function csv(content: string, options: { header?: boolean; maxLineBytes?: number } = {}) {
  return collect(readCsv(bytesOf(content, 5), { table, file: 'a.csv', ...options }))
}

describe('CSV', () => {
  test('quotes, line ends in quotes, nothing and empty text', async () => {
    const { rows, unreadable } = await csv('a,1,\r\n"b ""x"", y",2.5,""\n"line\r\nbreak",-1,x"y\n')
    expect(unreadable).toEqual([])
    expect(rows).toEqual([
      { name: 'a', metric: 1, note: null },
      { name: 'b "x", y', metric: 2.5, note: '' },
      { name: 'line\r\nbreak', metric: -1, note: 'x"y' },
    ])
  })

  test('a header names the columns in any order, in upper case too', async () => {
    const { rows, unreadable } = await csv('\uFEFFMetric,name\n1,a\nmetric,NAME\n2,b', { header: true })
    expect(rows).toEqual([
      { name: 'a', metric: 1, note: null },
      { name: 'b', metric: 2, note: null },
    ])
    expect(unreadable).toMatchObject([{ line: 3, reason: 'the header is repeated' }])
  })

  test.each([
    ['metric,name,colour', 'the header names "colour", which is not a column of t'],
    ['metric,name,name', 'the header names "name" twice'],
    ['name,note', 'the header does not name "metric", which is not nullable'],
  ])('the header %s makes every row unreadable', async (header, reason) => {
    const { rows, unreadable } = await csv(`${header}\n1,a,b\n2,b,c\n`, { header: true })
    expect(rows).toEqual([])
    expect(unreadable.map((entry) => [entry.line, entry.reason])).toEqual([
      [2, reason],
      [3, reason],
    ])
  })

  test.each([
    ['a,1', 'the row has 2 cells, not 3'],
    ['a,1,b,c', 'the row has 4 cells, not 3'],
    ['a,n/a,b', '"metric" is "n/a", not a double'],
    ['a,,b', '"metric" is empty, but the column is not nullable'],
    ['', 'the line is blank'],
    ['"a"b,1,c', 'text stands behind the closing quote of cell 1'],
    ['name,metric,note', 'a header stands where rows without a header are expected'],
    ['a,1,"b', 'a quote is opened and not closed as it should be'],
  ])('%j is unreadable', async (line, reason) => {
    const { rows, unreadable } = await csv(`x,0,\n${line}\ny,0,\n`)
    expect(rows.map(({ name }) => name)).toEqual(['x', 'y'])
    expect(unreadable).toMatchObject([{ line: 2, offset: 5, reason, raw: line, rows: 1 }])
  })

  test('a record that is cut with the gzip is one unreadable row, not rows of what stood in its quotes', async () => {
    const bytes = gzipSync(`a,1,\n"x\nb,2,\nc,3,\n${'y'.repeat(1000)}",4,\n`, { level: 0 })
    const source = bytesOf(bytes.subarray(0, bytes.length - 500))
    const { rows, unreadable } = await collect(readCsv(source, { table, file: 'a.csv.gz', expectedRows: 9 }))
    expect(rows).toHaveLength(1)
    expect(unreadable).toMatchObject([{ line: 2, rows: 1 }, { rows: 7 }])
  })

  test('many stray quotes cost no rows and little time', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => (i % 50 ? `r${i},1,` : `"r${i},1,`))
    const { rows, unreadable } = await csv(`${lines.join('\n')}\n`)
    expect(rows.length + unreadable.length).toBe(3000)
    expect(unreadable.length).toBeGreaterThanOrEqual(60)
  })

  test('nested types are refused', () => {
    const bad = defineTable('bad', { columns: { tags: column.array(column.string()) } })
    expect(() => readCsv(bytesOf(''), { table: bad, file: 'a' })).toThrow('cannot hold the column "tags"')
  })

  test('random damage never throws', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('"', ',', '\n', '\r\n', 'a', '1', '""', '\u00ff')),
        fc.boolean(),
        async (parts, header) => {
          const { rows, unreadable } = await csv(parts.join(''), { header })
          expect(unreadable.every((entry) => entry.rows === 1)).toBe(true)
          expect(rows.length + unreadable.length).toBeLessThanOrEqual(parts.filter((part) => part.includes('\n')).length + 1)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('TSV', () => {
  test('escapes and no value', async () => {
    const { rows, unreadable } = await collect(
      readTsv(bytesOf('a\\tb\\\\c\\n\t1\t\\N\n"q"\t2\t\nx\\y\t3\t\n'), { table, file: 'a.tsv' }),
    )
    expect(rows).toEqual([
      { name: 'a\tb\\c\n', metric: 1, note: null },
      { name: '"q"', metric: 2, note: '' },
    ])
    expect(unreadable).toMatchObject([{ line: 3, reason: 'cell 1 holds a backslash that begins no escape' }])
  })
})

describe.each([
  ['CSV', readCsv, writeCsv],
  ['TSV', readTsv, writeTsv],
] as const)('%s round trip', (_, read, write) => {
  test.each(
    [...scalars, ...scalars.map(nullable)].map(
      (kind) => [`${kind.column.isNullable} ${JSON.stringify(kind.column.type)}`, kind] as const,
    ),
  )('keeps every value: nullable %s', async (_name, { column: type, value }) => {
    const any = defineTable('t', { columns: { value: type, other: column.string() } })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ value, other: text })), fc.boolean(), async (rows, header) => {
        const written = write(rows as never[], { table: any as Table, header })
        const found = await collect(read(written, { table: any as Table, file: 'a', header }))
        expect(found).toEqual({ rows, unreadable: [] })
      }),
      { numRuns: 30 },
    )
  })
})
