import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { ObjectHead, ObjectStore } from '@pipe/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parquetRowCount, rowCountOfFooter } from '../src/parquet-footer'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-footer-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

async function parquet(query: string, options = ''): Promise<Buffer> {
  const path = join(dir, 'file.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet${options})`)
  connection.closeSync()
  instance.closeSync()
  return readFile(path)
}

/** A store of one object that counts its reads. */
function storeOf(bytes: Buffer): { store: ObjectStore; head: ObjectHead; reads: number[] } {
  const head: ObjectHead = { key: 'file.parquet', size: bytes.length, etag: '"e"', lastModified: new Date(0), metadata: {} }
  const reads: number[] = []
  const store = {
    uri: (key: string) => `s3://lake/${key}`,
    get: async (_: string, { range }: { range: { start: number } }) => {
      reads.push(bytes.length - range.start)
      return { bytes: async () => bytes.subarray(range.start) }
    },
  } as unknown as ObjectStore
  return { store, head, reads }
}

it('gives the rows of files with many columns, nested types and row groups', async () => {
  const wide = Array.from({ length: 900 }, (_, i) => `i AS column_with_a_long_name_${i}`).join(', ')
  for (const [query, rows, reads, options] of [
    ['SELECT 1 AS a WHERE false', 0, 1, ''],
    ["SELECT i, 'x' || i AS t, {'a': i, 'b': [i]} AS s, MAP {'k': i} AS m FROM range(1234) r(i)", 1234, 1, ''],
    ['SELECT i FROM range(300000) r(i)', 300_000, 1, ', ROW_GROUP_SIZE 2048'],
    [`SELECT ${wide} FROM range(5000) r(i)`, 5000, 2, ', ROW_GROUP_SIZE 2048'],
  ] as const) {
    const file = storeOf(await parquet(query, options))
    expect(await parquetRowCount(file.store, file.head, undefined)).toBe(rows)
    expect(file.reads).toHaveLength(reads)
  }
})

it('refuses what is no complete Parquet file', async () => {
  const bytes = await parquet('SELECT 1 AS a')
  for (const broken of [
    bytes.subarray(0, -1),
    Buffer.from('PAR1'),
    Buffer.alloc(0),
    Buffer.concat([bytes.subarray(0, -8), Buffer.from([255, 255, 255, 127]), Buffer.from('PAR1')]),
  ]) {
    const { store, head } = storeOf(broken)
    await expect(parquetRowCount(store, head, undefined)).rejects.toMatchObject({ code: 'PIPE_COMPACT_OUTPUT' })
  }
  const { store, head } = storeOf(Buffer.concat([Buffer.alloc(20), Buffer.from([4, 0, 0, 0]), Buffer.from('PAR1')]))
  await expect(parquetRowCount(store, head, undefined)).rejects.toThrow(/footer that cannot be read/)
  expect(() => rowCountOfFooter(Buffer.from([0x15, 0x02, 0x00]))).toThrow(/no num_rows/)
})
