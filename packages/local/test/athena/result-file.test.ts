import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cell, createResultWriter, readResultRows } from '../../src/athena/result-file'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-result-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function written(names: readonly string[], batches: readonly (readonly (readonly Cell[])[])[]) {
  const file = join(dir, `${Math.random()}.csv`)
  const writer = await createResultWriter(file, names)
  for (const batch of batches) await writer.write(batch)
  return { file, index: await writer.close() }
}

test('the dialect of Athena', async () => {
  const { file } = await written(
    ['a', 'b "quoted"'],
    [
      [
        ['1', null],
        ['', 'x"y'],
        ['new\nline', 'é,😀'],
      ],
      [[null, null]],
    ],
  )
  expect(await readFile(file, 'utf8')).toBe('"a","b ""quoted"""\n"1",\n"","x""y"\n"new\nline","é,😀"\n,\n')
})

test('an all-NULL row of one column is an empty line, and is read back', async () => {
  const { file, index } = await written(['a'], [[[null], ['x'], [null]]])
  expect(await readFile(file, 'utf8')).toBe('"a"\n\n"x"\n\n')
  expect(await readResultRows(file, index, 0, 10)).toEqual([[null], ['x'], [null]])
})

test('any rows come back from any position', async () => {
  const cell = fc.option(fc.oneof(fc.constantFrom('', '"', ',', '\n', '"",\n"', 'é'), fc.string({ unit: 'grapheme' })))
  const table = fc
    .integer({ min: 1, max: 3 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 20 }))
  await fc.assert(
    fc.asyncProperty(table, fc.nat(20), fc.nat(20), async (rows, from, count) => {
      const { file, index } = await written(['h'], [rows.slice(0, 3), rows.slice(3)])
      expect(index.rows).toBe(rows.length)
      expect(await readResultRows(file, index, from, count)).toEqual(rows.slice(from, from + count))
    }),
    { numRuns: 100 },
  )
})

test('pages from the middle of a large result', async () => {
  const rows = Array.from({ length: 25_000 }, (_, i) => [`${i}`, i % 7 === 0 ? null : 'x'.repeat(i % 300)])
  const { file, index } = await written(['n', 'x'], [rows.slice(0, 1_500), rows.slice(1_500, 2_000), rows.slice(2_000)])
  expect(index.marks).toHaveLength(25)
  for (const from of [0, 1, 999, 1000, 1001, 12_345, 24_990]) {
    expect(await readResultRows(file, index, from, 1000)).toEqual(rows.slice(from, from + 1000))
  }
  expect(await readResultRows(file, index, 25_000, 10)).toEqual([])
})
