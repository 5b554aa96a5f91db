// One conversion in a process of its own: convert.mjs ours|hyparquet|floor FILES OUTPUT THREADS MEMORY_MB. Prints what it measured as JSON.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { convertFiles } from '@pipe/compactor'
import { table } from './table'

const [kind, folder, output, threads, memory] = process.argv.slice(2) as [string, string, string, string, string]

const files = readdirSync(folder)
  .sort()
  .map((name) => join(folder, name))

// Loading DuckDB is no part of a conversion: both have paid for it before the clock starts.
const open = () => DuckDBInstance.create(':memory:', { threads, memory_limit: `${memory}MiB` })
;(await open()).closeSync()

const before = process.cpuUsage()
const started = performance.now()
const rows = kind === 'floor' ? await convertBare() : await convertOurs()
const ms = performance.now() - started
const cpu = process.cpuUsage(before)
console.log(
  JSON.stringify({ ms, cpuMs: (cpu.user + cpu.system) / 1000, peakRssMb: process.resourceUsage().maxRSS / 1024, digest: rows }),
)

async function convertOurs(): Promise<string> {
  const limits = { threads: Number(threads), memoryLimitMb: Number(memory) }
  const writer = kind === 'hyparquet' ? 'hyparquet' : 'duckdb'
  const result = await convertFiles({ table, files, output, writer, ...limits })
  return `${result.rows} rows, ${result.unreadableRows} unreadable`
}

async function convertBare(): Promise<string> {
  const instance = await open()
  const connection = await instance.connect()
  const list = files.map((file) => `'${file}'`).join(', ')
  const columns = "{timestamp: 'TIMESTAMP', device_name: 'VARCHAR', metric: 'DOUBLE'}"
  const { rowsChanged } = await connection.run(
    `COPY (SELECT * FROM read_ndjson([${list}], columns = ${columns})) TO '${output}' (FORMAT parquet, COMPRESSION snappy)`,
  )
  connection.closeSync()
  instance.closeSync()
  return `${rowsChanged} rows, 0 unreadable`
}
