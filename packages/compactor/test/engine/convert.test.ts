import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { readNdjson, type Table, toText, type UnreadableRow } from '@pipe/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertFiles } from '../../src/engine/convert'
import { flatTable, hostileLines } from './hostile-lines'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-convert-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** Rows of a Parquet file as text, exactly: doubles by their shortest digits, NULL as null. */
async function parquetRows(path: string, table: Table): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const names = Object.entries(table.columns).map(([name, { type }]) => {
    if (type.kind === 'timestamp') return `strftime("${name}", '%Y-%m-%d %H:%M:%S.%g') AS "${name}"`
    // As hexadecimal digits: the client drops a byte order mark at the start of a text.
    if (type.kind === 'string') return `hex("${name}") AS "${name}"`
    if (type.kind === 'double' || type.kind === 'float') return `"${name}"`
    return `CAST("${name}" AS VARCHAR) AS "${name}"`
  })
  const reader = await connection.runAndReadAll(`SELECT ${names.join(', ')} FROM read_parquet('${path}')`)
  const kinds = Object.values(table.columns).map(({ type }) => type.kind)
  const rows = (reader.getRows() as unknown[][]).map((row) =>
    row.map((value, i) => (kinds[i] === 'string' && typeof value === 'string' ? Buffer.from(value, 'hex').toString() : value)),
  )
  connection.closeSync()
  instance.closeSync()
  return rows
}

function textOf(table: Table, row: Record<string, unknown>): unknown[] {
  return Object.entries(table.columns).map(([name, { type }]) => {
    const value = row[name] ?? null
    if (value === null || type.kind === 'double' || type.kind === 'float') return value
    return toText(type, value)
  })
}

/** What core's reader makes of a file: the truth that the engine has to meet. */
async function readByCore(bytes: Buffer, file: string, table: Table, expectedRows?: number) {
  const rows: unknown[][] = []
  const unreadable: UnreadableRow[] = []
  async function* source() {
    yield bytes
  }
  for await (const batch of readNdjson(source(), { table, file, expectedRows })) {
    rows.push(...batch.rows.map((row) => textOf(table, row as Record<string, unknown>)))
    unreadable.push(...batch.unreadable)
  }
  return { rows, unreadable }
}

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
      { numRuns: Number(process.env.RUNS ?? 150) },
    )
  }, 120_000)
})
