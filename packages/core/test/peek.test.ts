import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column } from '../src/column-type'
import { writeParquet } from '../src/format/parquet'
import { peek } from '../src/peek'
import { createObjectStore } from '../src/s3-object-store'
import { defineTable } from '../src/table'
import { type LocalS3, startLocalS3 } from './local-s3'
import { allBytes } from './read-all'

const table = defineTable('t', {
  columns: {
    device_name: column.string(),
    metric: column.double(),
    at: column.timestamp(),
    price: column.decimal(38, 2),
    tags: column.map(column.string(), column.bigint()),
  },
})
const rows = Array.from({ length: 20_000 }, (_, i) => ({
  device_name: `d${i % 7}`,
  metric: Math.sin(i) * 1e6,
  at: new Date(i * 1000),
  price: `${i}.50`,
  tags: new Map([['a', BigInt(i)]]),
}))
const ndjson = '{"device_name":"d1","metric":1}\nnot json\n{"device_name":"d2","metric":2}\n{"device_name":"d1","metric":3}\n'

let dir: string
let s3: LocalS3
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pipe-peek-'))
  s3 = await startLocalS3()
})
afterAll(async () => {
  await s3.close()
  rmSync(dir, { recursive: true, force: true })
})

function file(name: string, content: string | Uint8Array): string {
  const path = join(dir, name)
  writeFileSync(path, content)
  return path
}

describe('peek', () => {
  test.each([
    ['a.ndjson', ndjson],
    ['a.json', gzipSync(ndjson)],
    ['no-ending', gzipSync(ndjson)],
  ])('NDJSON, told by the bytes: %s', async (name, content) => {
    const found = await peek(file(name, content), { where: { device_name: 'd1' }, rows: 5 })
    expect(found).toMatchObject({ format: 'ndjson', isGzip: typeof content !== 'string' })
    expect(found.rows).toEqual([
      { device_name: 'd1', metric: 1 },
      { device_name: 'd1', metric: 3 },
    ])
    expect(found.unreadable).toMatchObject([{ line: 2 }])
  })

  test('CSV and TSV, named by their first row, and columns', async () => {
    const csv = await peek(file('a.csv', 'a,b\n1,"x\ny"\n2,\n'), { columns: ['b'] })
    expect(csv).toMatchObject({ format: 'csv', rows: [{ b: 'x\ny' }, { b: null }] })
    const tsv = await peek(file('b', 'a\tb\n1\tx,y\n'), { where: { a: 1 } })
    expect(tsv).toMatchObject({ format: 'tsv', rows: [{ a: '1', b: 'x,y' }] })
  })

  test('typed rows by a table, with or without a header', async () => {
    const small = defineTable('t', { columns: { name: column.string(), metric: column.double() } })
    for (const start of ['', 'name,metric\n']) {
      const found = await peek(file('t.csv', `${start}a,1.5\n`), { table: small })
      expect(found.rows).toEqual([{ name: 'a', metric: 1.5 }])
    }
  })

  test('Parquet on S3 is read by ranges', async () => {
    const store = createObjectStore({ location: 's3://lake/', client: s3.client })
    const bytes = await allBytes(writeParquet(rows, { table, rowGroupRows: 1000 }))
    await store.put('a.parquet', bytes)
    let read = 0
    s3.client.middlewareStack.add(
      (next, context) => async (args) => {
        const reply = await next(args)
        if (context.commandName === GetObjectCommand.name) read += (reply.output as { ContentLength: number }).ContentLength
        return reply
      },
      { step: 'initialize', name: 'count' },
    )
    const found = await peek('s3://lake/a.parquet', { where: { device_name: 'd3' }, rows: 2, client: s3.client })
    s3.client.middlewareStack.remove('count')
    expect(found).toMatchObject({ format: 'parquet', totalRows: 20_000, sizeBytes: bytes.length })
    expect(found.rows).toEqual([
      { ...rows[3], tags: { a: 3n } },
      { ...rows[10], tags: { a: 10n } },
    ])
    const typed = await peek('s3://lake/a.parquet', { rows: 1, columns: ['tags', 'at'], table, client: s3.client })
    expect(typed.rows).toEqual([{ tags: rows[0]!.tags, at: rows[0]!.at }])
    await expect(peek('s3://lake/a.parquet', { where: { nope: 1 }, client: s3.client })).rejects.toThrow('no column "nope"')
    await expect(peek('s3://lake/none', { client: s3.client })).rejects.toMatchObject({ code: 'PIPE_OBJECT_ABSENT' })
    await store.put('empty', '')
    expect((await peek('s3://lake/empty', { client: s3.client })).rows).toEqual([])
    expect(read).toBeLessThan(bytes.length * 0.6)
  })

  test('what cannot be read is refused by name', async () => {
    await expect(peek(file('a.orc', 'ORC\u0008 and more'))).rejects.toMatchObject({ code: 'PIPE_FORMAT_UNSUPPORTED' })
    await expect(peek(file('a.parquet', `PAR1${'x'.repeat(100)}`))).rejects.toMatchObject({ code: 'PIPE_FORMAT_FILE' })
    await expect(peek(join(dir, 'none'))).rejects.toMatchObject({ code: 'PIPE_OBJECT_ABSENT' })
    await expect(peek('s3://lake')).rejects.toMatchObject({ code: 'PIPE_LOCATION' })
    await expect(peek('a', { row: 1 } as never)).rejects.toThrow('Did you mean "rows"?')
    await expect(peek('a', { rows: 0 })).rejects.toThrow('whole number of rows')
  })
})

test('the command prints a table, JSON, and one sentence for an error', () => {
  const built = join(import.meta.dirname, '../node_modules/.cache/cli-test.mjs')
  buildSync({
    entryPoints: [join(import.meta.dirname, '../src/cli.ts')],
    outfile: built,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  const run = (...args: string[]) => execFileSync('node', [built, 'peek', ...args], { encoding: 'utf8', stdio: 'pipe' })
  const path = file('hostile.ndjson', '{"name":"a\\u001b[31m","n":10}\n{"name":"b","n":2}\n')
  expect(run(path, '--rows', '5')).toBe('name        n\na\\x1b[31m  10\nb           2\n')
  expect(run(path, '--json', '--where', 'name=b', '--where=n=2')).toBe('{"name":"b","n":2}\n')
  expect(() => run(join(dir, 'none'))).toThrow(/PIPE_OBJECT_ABSENT There is no file .*none/)
  expect(() => run(path, '--row', '3')).toThrow(/peek has no option "--row". Options: --rows, --where, --json./)
  expect(() => run(path, path)).toThrow(/peek shows one file, but .* is a second one/)
  expect(() => run(path, '--rows')).toThrow(/--rows needs a value/)
  expect(() => run(path, '--rows', 'few')).toThrow(/--rows few is not a whole number/)
  expect(() => run(dir)).toThrow(/is a folder. peek shows one file/)
  rmSync(built)
})

test('a filter that nothing fits keeps the first unreadable rows and counts all', async () => {
  const path = file('damaged.ndjson', `{"n":1}\n${'not json\n'.repeat(5000)}`)
  const found = await peek(path, { where: { n: 2 } })
  expect(found.rows).toEqual([])
  expect(found.unreadable).toHaveLength(100)
  expect(found.unreadable[99]).toMatchObject({ line: 101 })
  expect(found.unreadableRows).toBe(5000)
})
