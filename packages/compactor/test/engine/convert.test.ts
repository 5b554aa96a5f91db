import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { column, defineTable, type Table, type UnreadableRow } from '@pipe/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertFiles } from '../../src/engine/convert'
import { parquetRows, readByCore } from './exact-rows'
import { flatTable, hostileLines } from './hostile-lines'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-convert-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

let count = 0
async function convertBytes(bytes: Buffer, table: Table, ending = '.ndjson') {
  const file = join(dir, `in-${count}${ending}`)
  const output = join(dir, `out-${count++}.parquet`)
  await writeFile(file, bytes)
  const unreadable: UnreadableRow[] = []
  const result = await convertFiles({ table, files: [file], output, onUnreadable: (row) => unreadable.push(row) })
  const rows = existsSync(output) ? await parquetRows(output, table) : []
  return { file, result, rows, unreadable }
}

async function compare(bytes: Buffer, table: Table, ending?: string): Promise<void> {
  const ours = await convertBytes(bytes, table, ending)
  const truth = await readByCore(bytes, ours.file, table)
  expect(ours.unreadable).toEqual(truth.unreadable)
  expect(ours.rows).toEqual(truth.rows)
  expect(ours.result.rows).toBe(truth.rows.length)
}

describe('convertFiles', () => {
  it('reads hostile lines exactly as the reader of @pipe/core does', async () => {
    await fc.assert(
      fc.asyncProperty(hostileLines(flatTable), fc.constantFrom('\n', '\r\n'), fc.boolean(), async (lines, eol, isEnded) => {
        await compare(Buffer.from(lines.join(eol) + (isEnded ? eol : '')), flatTable)
      }),
      { numRuns: 150 },
    )
  }, 120_000)

  it('reads damaged, joined and marked gzip exactly as the reader of @pipe/core does', async () => {
    const damage = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }).map((part) => (gz: Buffer) => gz.subarray(0, Math.floor(gz.length * part))),
      fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, bits]) => (gz: Buffer) => {
        const copy = Buffer.from(gz)
        copy[at % copy.length]! ^= bits
        return copy
      }),
      fc.constant((gz: Buffer) => Buffer.concat([gz, gz])),
      fc.constant((gz: Buffer) => Buffer.concat([gz, Buffer.from('garbage')])),
      fc.constant((gz: Buffer) => Buffer.concat([gz, Buffer.alloc(7)])),
      fc.constant((gz: Buffer) => gz),
    )
    await fc.assert(
      fc.asyncProperty(hostileLines(flatTable), damage, fc.boolean(), async (lines, spoil, isMarked) => {
        const text = (isMarked ? '\ufeff' : '') + lines.map((line) => `${line}\n`).join('')
        await compare(spoil(gzipSync(text)), flatTable, '.ndjson.gz')
      }),
      { numRuns: 150 },
    )
  }, 120_000)

  it('takes the name as it comes: a gzip without .gz, a .gz without gzip, no bytes at all', async () => {
    const text = Buffer.from('{"a":"x"}\n')
    const table = defineTable('t', { columns: { a: column.string() } })
    await compare(gzipSync(text), table, '.json')
    await compare(text, table, '.json.gz')
    await compare(Buffer.alloc(0), table, '.json.gz')
    await compare(gzipSync(''), table, '.json.gz')
    await compare(Buffer.from('PAR1xxxx'), table, '.json')
  })

  it('reads nested types, decimals of many digits and binary', async () => {
    const table = defineTable('nested', {
      columns: {
        id: column.decimal(38, 10),
        tags: column.array(column.string().nullable()),
        at: column.struct({ lat: column.double(), on: column.date().nullable() }),
        counts: column.map(column.string(), column.bigint()),
        micros: column.timestampMicros().nullable(),
        raw: column.binary().nullable(),
      },
    })
    const lines = [
      '{"id":1234567890123456789012345678.0123456789,"tags":["a",null,"\\n"],"at":{"lat":-0.5,"on":"2024-02-29"},"counts":{"x":9223372036854775807},"micros":"2026-11-24 15:31:00.123456","raw":"AP8="}',
      '{"tags":[],"id":"0.1","counts":{},"at":{"lat":1e3},"raw":null}',
      '{"id":1,"tags":[1],"at":{"lat":1},"counts":{}}',
    ]
    const { rows, unreadable } = await convertBytes(Buffer.from(lines.join('\n')), table)
    expect(rows).toEqual([
      [
        '1234567890123456789012345678.0123456789',
        "[a, NULL, '\n']",
        "{'lat': -0.5, 'on': 2024-02-29}",
        '{x=9223372036854775807}',
        '2026-11-24 15:31:00.123',
        '\\x00\\xFF',
      ],
      ['0.1000000000', '[]', "{'lat': 1000.0, 'on': NULL}", '{}', null, null],
    ])
    expect(unreadable).toMatchObject([{ line: 3, reason: expect.stringContaining('tags') }])
    const inner = defineTable('inner', { columns: { x: column.array(column.binary()) } })
    await expect(convertBytes(Buffer.from('{"x":[]}'), inner)).rejects.toMatchObject({ code: 'PIPE_COMPACT_COLUMN' })
  })

  it('keeps a text of a megabyte and refuses half a surrogate pair', async () => {
    const table = defineTable('t', { columns: { a: column.string() } })
    const long = `'; DROP TABLE t; --\n"😀\u0000${'é'.repeat(500_000)}`
    const lines = [JSON.stringify({ a: long }), '{"a":"\\ud83d"}', '{"a":"\\ud83d\\ude00"}']
    const { rows, unreadable } = await convertBytes(Buffer.from(lines.join('\n')), table)
    expect(rows).toEqual([[long], ['😀']])
    expect(unreadable).toMatchObject([{ line: 2, reason: '"a" is "\\ud83d", not a string' }])
  })

  it('streams a file that is too large to hold, and says where it is cut', async () => {
    const table = defineTable('t', { columns: { a: column.string() } })
    const lines = Array.from({ length: 40_000 }, (_, i) => `{"a":"${i}-${randomBytes(500).toString('base64')}"}\n`)
    const noise = `{"a":"${'x'.repeat(33 * 1024 * 1024)}"}\n`
    const packed = gzipSync([...lines.slice(0, 10), noise, ...lines.slice(10)].join(''), { level: 1 })
    expect(packed.length).toBeGreaterThan(16 * 1024 * 1024)
    const file = join(dir, 'large.ndjson.gz')
    await writeFile(file, packed.subarray(0, -100))
    const unreadable: UnreadableRow[] = []
    const output = join(dir, 'large.parquet')
    const result = await convertFiles({ table, files: [file], output, onUnreadable: (row) => unreadable.push(row) })
    expect(unreadable[0]).toMatchObject({ line: 11, reason: 'the line is longer than 33554432 bytes' })
    expect(unreadable.at(-1)!.reason).toMatch(/cut/)
    expect(result.unreadableRows).toBe(2)
    const rows = await parquetRows(output, table)
    expect(result.rows).toBe(rows.length)
    expect(rows.map(([a]) => `{"a":"${a}"}\n`)).toEqual(lines.slice(0, rows.length))
    expect(rows.length).toBeGreaterThan(39_000)
  })

  it('reads lines with other key orders and missing nullable keys in one pass once it has seen them', async () => {
    const table = defineTable('t', { columns: { a: column.integer(), b: column.string().nullable() } })
    const lines = Array.from({ length: 1000 }, (_, i) =>
      i % 3 === 0 ? `{"b":"x","a":${i}}` : i % 3 === 1 ? `{"a":${i}}` : `{"a": ${i}, "b": null}`,
    )
    await compare(Buffer.from(lines.join('\n')), table)
  })

  it('refuses options that make no sense', async () => {
    const table = defineTable('t', { columns: { a: column.string() } })
    const options = { table, files: [], output: join(dir, 'none') }
    await expect(convertFiles({ ...options, threads: 0 })).rejects.toThrow(/threads/)
    await expect(convertFiles({ ...options, memoryLimitMb: 1 })).rejects.toThrow(/memoryLimitMb/)
    await expect(convertFiles({ ...options, thread: 1 } as never)).rejects.toThrow(/Did you mean "threads"/)
    expect(await convertFiles(options)).toEqual({ rows: 0, unreadableRows: 0 })
  })
})
