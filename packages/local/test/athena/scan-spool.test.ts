import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBBlobValue, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createScanSpool } from '../../src/athena/scan-spool'

let dir: string
let duckdb: DuckDBInstance
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-spool-'))
  duckdb = await DuckDBInstance.create(':memory:')
})
afterAll(async () => {
  duckdb.closeSync()
  await rm(dir, { recursive: true, force: true })
})

type Row = readonly [object: number, values: readonly (string | null)[]]

async function through(rows: readonly Row[], columns: number, asBuffer = false): Promise<Row[]> {
  const spool = await createScanSpool(join(dir, `${Math.random()}.parquet`), columns)
  for (const [object, values] of rows) {
    const pending = spool.add(object, asBuffer ? values.map((value) => (value === null ? null : Buffer.from(value))) : values)
    if (pending) await pending
  }
  expect(await spool.close()).toBe(rows.length)
  const connection = await duckdb.connect()
  // As bytes: the binding drops a byte order mark at the start of a text that it decodes.
  const names = Array.from({ length: columns }, (_, i) => `encode(c${i})`)
  const read = await connection.runAndReadAll(`SELECT ${['object', ...names].join(', ')} FROM read_parquet('${spool.file}')`)
  connection.closeSync()
  const textOf = (value: unknown) => (value === null ? null : Buffer.from((value as DuckDBBlobValue).bytes).toString())
  return read.getRows().map(([object, ...values]) => [Number(object), values.map(textOf)])
}

test('DuckDB reads back exactly what was added', async () => {
  const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed?.() ?? Buffer.from(value).toString())
  const rows = fc.array(fc.tuple(fc.nat(1_000_000), fc.tuple(fc.option(text), fc.option(text))), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(rows, fc.boolean(), async (given, asBuffer) => {
      expect(await through(given, 2, asBuffer)).toEqual(given)
    }),
    {
      numRuns: 60,
      examples: [
        [[[0, ['\ufeffmark', '\ufeff']]], false],
        [[[0, ['\ufeffmark', '\ufeff']]], true],
      ],
    },
  )
})

test('zero bytes, quotes, newlines and a megabyte', async () => {
  const rows: Row[] = [
    [0, ['\0']],
    [0, ['"\',;\n\r\n\\N']],
    [1, ['']],
    [1, [null]],
    [2, ['x'.repeat(1 << 20)]],
  ]
  expect(await through(rows, 1)).toEqual(rows)
})

test('several row groups', async () => {
  const rows: Row[] = Array.from({ length: 30_000 }, (_, i) => [i % 7, [i % 3 === 0 ? null : `${i}`.padEnd(1000, 'é'), `${i}`]])
  const read = await through(rows, 2)
  expect(read).toHaveLength(rows.length)
  expect(read[29_999]).toEqual(rows[29_999])
  expect(read.every(([object], i) => object === i % 7)).toBe(true)
})

test('no rows', async () => {
  expect(await through([], 3)).toEqual([])
})
