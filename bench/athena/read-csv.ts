// One way of reading a result CSV, in a process of its own: read-csv.mjs WAY FILE. Prints what it measured as JSON.
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { type Returns, readResultCsv } from '@pipe/athena-query'
import { column, type RowOfColumns } from '@pipe/core'
import papaparse from 'papaparse'
import { inferSchema, initParser } from 'udsv'
import { names } from './result-csv'

const [way, file] = process.argv.slice(2) as [string, string]

const strings = Object.fromEntries(
  names.map((name) => [name, name === 'value' ? column.string().nullable() : column.string()]),
) as Returns
const typed = {
  id: column.bigint(),
  at: column.timestamp(),
  device_name: column.string(),
  metric: column.string(),
  value: column.double().nullable(),
  count: column.integer(),
  ok: column.boolean(),
  day: column.date(),
  amount: column.decimal(10, 2),
  msg: column.string(),
}
type Row = Record<string, unknown>
/** Tells the number of rows, and each row to `onRow`. */
type Read = (onRow?: (row: Row) => void) => Promise<number>

async function* blocksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  // As they come from S3.
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

async function ours(source: AsyncIterable<Uint8Array>, returns: Returns, onRow?: (row: Row) => void) {
  let rows = 0
  for await (const batch of readResultCsv(source, { returns, file })) {
    rows += batch.length
    if (onRow) for (const row of batch) onRow(row)
  }
  return rows
}

const bytes = way.startsWith('stream') ? Buffer.alloc(0) : readFileSync(file)
const ways: Readonly<Record<string, Read>> = {
  'byte-loop': async () => {
    let rows = 0
    let quotes = 0
    for (let at = 0; at < bytes.length; at += 65_536) {
      const block = bytes.subarray(at, at + 65_536)
      for (let i = 0; i < block.length; i++) {
        const byte = block[i]!
        if (byte === 34) quotes++
        else if (byte === 10 && (quotes & 1) === 0) rows++
      }
    }
    return rows - 1
  },
  ours: (onRow) => ours(blocksOf(bytes), strings, onRow),
  typed: (onRow) => ours(blocksOf(bytes), typed, onRow),
  udsv: async (onRow) => {
    const text = bytes.toString()
    const parser = initParser(inferSchema(text, { col: ',', encl: '"' }))
    const rows = parser.stringObjs(text) as Row[]
    if (onRow) for (const row of rows) onRow(row)
    return rows.length
  },
  papaparse: async (onRow) => {
    let rows = 0
    papaparse.parse<Row>(bytes.toString(), {
      header: true,
      skipEmptyLines: true,
      step: ({ data }) => {
        rows++
        onRow?.(data)
      },
    })
    return rows
  },
  // From a file, with one text of four hundred rows kept: what a reader holds, whatever the size.
  stream: () => {
    let seen = 0
    return ours(createReadStream(file), typed, (row) => {
      if (seen++ % 400 === 0) kept.push((row as RowOfColumns<typeof typed>).msg)
    })
  },
}
const kept: string[] = []
const read = ways[way]!

// The first pass warms up, and is where the digest comes from: what the rows hold, in one spelling for texts and typed values, with NULL and ''
// apart and together.
const exact = createHash('sha256')
const merged = createHash('sha256')
if (way === 'byte-loop') await read()
else if (way !== 'stream') {
  await read((row) => {
    const cells = names.map((name) => spelled(name, row[name]))
    exact.update(JSON.stringify(cells))
    merged.update(JSON.stringify(cells.map((value) => value ?? '')))
  })
}
gc!()
const baseRss = process.memoryUsage().rss
const baseHeap = process.memoryUsage().heapUsed
let peakRss = baseRss
const watch = setInterval(() => {
  peakRss = Math.max(peakRss, process.memoryUsage().rss)
}, 20)
const before = process.cpuUsage()
const started = performance.now()
const rows = await read()
const ms = performance.now() - started
const cpu = process.cpuUsage(before)
clearInterval(watch)
peakRss = Math.max(peakRss, process.memoryUsage().rss)
gc!()
const keptMb = kept.length === 0 ? 0 : (process.memoryUsage().heapUsed - baseHeap) / 2 ** 20

console.log(
  JSON.stringify({
    ms,
    cpuMs: (cpu.user + cpu.system) / 1000,
    peakRssMb: peakRss / 2 ** 20,
    extraMb: (peakRss - baseRss) / 2 ** 20,
    keptMb,
    digest: `${rows} ${exact.digest('hex').slice(0, 16)}`,
    merged: merged.digest('hex').slice(0, 16),
  }),
)

function spelled(name: string, value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString().replace('T', ' ').slice(0, 23)
  // Numbers in one spelling: "12.50" and 12.5 are one double.
  return name === 'value' && value !== '' ? String(Number(value)) : String(value)
}
