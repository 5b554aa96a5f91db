// Parquet to row objects against hyparquet, in a process of its own: read-parquet.mjs FILE. Prints what it measured as JSON.
import { createHash } from 'node:crypto'
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { column, defineTable, readParquet, writeParquet } from '@pipe/core'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { pairedRounds } from './paired'

const [file] = process.argv.slice(2) as [string]
const rowCount = 50_000
const table = defineTable('readings', {
  columns: {
    id: column.bigint(),
    at: column.timestamp(),
    device_name: column.string(),
    metric: column.string(),
    value: column.double().nullable(),
    n: column.integer(),
    ok: column.boolean(),
    day: column.date(),
    site: column.string(),
    msg: column.string(),
  },
})
function* rows() {
  for (let i = 0; i < rowCount; i++) {
    yield {
      id: BigInt(i),
      at: new Date(Date.UTC(2026, 10, 24, 15) + i * 37),
      device_name: `device-${i % 1000}`,
      metric: ['temperature', 'humidity', 'pressure'][i % 3]!,
      value: i % 5 === 0 ? null : i / 7,
      n: i % 997,
      ok: i % 2 === 0,
      day: `2026-11-${String(1 + (i % 28)).padStart(2, '0')}`,
      site: `site-${i % 4}`,
      msg: `request ${i} handled by worker ${i % 16}`,
    }
  }
}
if (!existsSync(file)) {
  const handle = openSync(file, 'w')
  for await (const chunk of writeParquet(rows(), { table, rowGroupRows: 25_000 })) writeSync(handle, chunk)
}
const bytes = readFileSync(file)
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer

async function ours(): Promise<string> {
  let count = 0
  const hash = createHash('sha256')
  const source = {
    byteLength: bytes.length,
    read: async (start: number, end: number) => bytes.subarray(start, end),
    close: async () => {},
  }
  for await (const batch of readParquet(source, { table, file })) {
    if (batch.unreadable.length > 0) throw new Error(batch.unreadable[0]!.reason)
    for (const row of batch.rows) if (count++ % 1000 === 0) hash.update(spelled(row))
  }
  return `${count} ${hash.digest('hex').slice(0, 16)}`
}

async function peer(): Promise<string> {
  let count = 0
  const hash = createHash('sha256')
  const found = await parquetReadObjects({ file: buffer, compressors })
  for (const row of found) if (count++ % 1000 === 0) hash.update(spelled(row))
  return `${count} ${hash.digest('hex').slice(0, 16)}`
}

function spelled(row: Record<string, unknown>): string {
  return JSON.stringify(
    Object.keys(table.columns).map((name) => {
      const value = row[name]
      if (value instanceof Date) return value.toISOString().slice(0, name === 'day' ? 10 : 23)
      return typeof value === 'bigint' ? String(value) : (value ?? null)
    }),
  )
}

console.log(JSON.stringify(await pairedRounds(ours, peer, 5)))
