// One way of making records in a process of its own: write.mjs WAY OUTPUT. Prints what it measured as JSON.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { faker } from '@faker-js/faker'
import { column, defineTable } from '@pipe/core'
import { defineLog, encodeLog, generate, type LogFormat, measure, sequence, tag } from '@pipe/log-gen'
import type { Columns } from './columns'
import { writeWithDuckDb } from './duckdb'

const [way, output] = process.argv.slice(2) as [string, string]

const devices = 1000
const minutes = 5
const warmUp = 10
const start = Date.UTC(2026, 10, 24, 15)
const sites = ['berlin-1', 'berlin-2', 'dublin-1', 'oslo-1']
const metrics = ['temperature', 'humidity', 'pressure']

const table = defineTable('readings', {
  columns: {
    timestamp: column.timestamp(),
    device_name: column.string(),
    metric: column.string(),
    value: column.double(),
    site: column.string(),
    seq: column.bigint(),
  },
  eventTime: 'timestamp',
})

function logOf(format: LogFormat) {
  return defineLog({
    table,
    seed: 42,
    devices,
    every: '1 second',
    format,
    fields: {
      metric: tag(metrics),
      value: measure({ base: [18, 24], season: { amplitude: 4 }, drift: { amplitude: 1.5, period: '2 hours' }, noise: 0.25 }),
      site: tag(sites),
      seq: sequence(),
    },
  })
}

const minute = (n: number) => ({ from: start + n * 60_000, to: start + (n + 1) * 60_000 })

/** The values of a minute, made beforehand: peers do not pay for them. */
function columnsOf(n: number): Columns {
  const columns: Columns = { timestamp: [], device_name: [], metric: [], value: [], site: [], seq: [] }
  for (const row of generate(logOf('ndjson'), minute(n))) {
    columns.timestamp.push(row.timestamp.getTime())
    columns.device_name.push(row.device_name)
    columns.metric.push(row.metric)
    columns.value.push(row.value)
    columns.site.push(row.site)
    columns.seq.push(Number(row.seq))
  }
  return columns
}

function stringified(columns: Columns): Buffer {
  let text = ''
  for (let i = 0; i < columns.timestamp.length; i++) {
    const record = {
      timestamp: new Date(columns.timestamp[i]!).toISOString(),
      device_name: columns.device_name[i],
      metric: columns.metric[i],
      value: columns.value[i],
      site: columns.site[i],
      seq: columns.seq[i],
    }
    text += `${JSON.stringify(record)}\n`
  }
  return Buffer.from(text)
}

function faked(n: number): Buffer {
  let text = ''
  const { from } = minute(n)
  for (let i = 0; i < devices * 60; i++) {
    const record = {
      timestamp: new Date(from + i).toISOString(),
      device_name: `device-${faker.number.int(devices)}`,
      metric: faker.helpers.arrayElement(metrics),
      value: faker.number.float({ min: 18, max: 24, fractionDigits: 2 }),
      site: faker.helpers.arrayElement(sites),
      seq: i,
    }
    text += `${JSON.stringify(record)}\n`
  }
  return Buffer.from(text)
}

type Make = (n: number) => Promise<readonly Uint8Array[]> | readonly Uint8Array[]

/** What a way is given beside the clock: a peer the values, a floor the lines that it compresses. */
let current: Columns
let lines: readonly Buffer[]

const encoded = (n: number) => [...encodeLog(log, minute(n))]
const zipped = (parts: readonly Uint8Array[], level: number) => parts.map((bytes) => gzipSync(bytes, { level }))

const ways: Readonly<Record<string, { readonly given: 'nothing' | 'values' | 'lines'; readonly make: Make }>> = {
  ours: { given: 'nothing', make: encoded },
  stringify: { given: 'values', make: () => [stringified(current)] },
  faker: { given: 'nothing', make: (n) => [faked(n)] },
  'ours-gzip-1': { given: 'nothing', make: (n) => zipped(encoded(n), 1) },
  'ours-gzip-6': { given: 'nothing', make: (n) => zipped(encoded(n), 6) },
  'gzip-1': { given: 'lines', make: () => zipped(lines, 1) },
  'gzip-6': { given: 'lines', make: () => zipped(lines, 6) },
  'stringify-gzip-1': { given: 'values', make: () => zipped([stringified(current)], 1) },
  'stringify-gzip-6': { given: 'values', make: () => zipped([stringified(current)], 6) },
  'ours-parquet': { given: 'nothing', make: encoded },
  'duckdb-parquet': { given: 'values', make: async () => [await writeWithDuckDb(current, output)] },
}

const chosen = ways[way]!
const log = logOf(way === 'ours-parquet' ? 'parquet' : 'ndjson')
const hash = createHash('sha256')
let ms = 0
let cpuMs = 0
// The first minutes warm up, until the machine code is as good as it gets. Values, digests and what they leave behind are made beside the
// clock: freeing memory goes on in other threads for a moment.
for (let n = -warmUp; n < minutes; n++) {
  if (chosen.given === 'values') current = columnsOf(n)
  // Copies: the encoder may use its memory again.
  if (chosen.given === 'lines') lines = encoded(n).map((bytes) => Buffer.from(bytes))
  gc!()
  await sleep(20)
  const before = process.cpuUsage()
  const started = performance.now()
  const made = await chosen.make(n)
  const elapsed = performance.now() - started
  const cpu = process.cpuUsage(before)
  if (n < 0) continue
  ms += elapsed
  cpuMs += (cpu.user + cpu.system) / 1000
  for (const bytes of made) hash.update(digested(bytes))
}
console.log(
  JSON.stringify({ ms, cpuMs, peakRssMb: process.resourceUsage().maxRSS / 1024, digest: hash.digest('hex').slice(0, 16) }),
)

/** What is comparable of the output: text as this log writes it; of Parquet nothing, as the writers lay it out differently. */
function digested(bytes: Uint8Array): Uint8Array {
  if (way.endsWith('parquet')) return Buffer.from('parquet')
  const text = bytes[0] === 0x1f ? gunzipSync(bytes) : Buffer.from(bytes)
  return Buffer.from(text.toString('latin1').replaceAll(/("timestamp":"[^"]{10})T([^"]*)Z"/g, '$1 $2"'), 'latin1')
}
