// A query over many small files on the local Athena against bare DuckDB: many-files.mjs DIR. Prints what it measured as JSON.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { AthenaClient, GetQueryExecutionCommand } from '@aws-sdk/client-athena'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { createAthena, sql } from '@pipe/athena-query'
import { column, defineTable, tableDdl } from '@pipe/core'
import { startLocal } from '@pipe/local'
import { median, type Round } from '../result'

const [dir] = process.argv.slice(2) as [string]
const files = 1000
const linesOfFile = 100
const rounds = 3

const table = defineTable('readings', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
})
const local = await startLocal({ dir: join(dir, 'local') })
const s3 = new S3Client(local.aws)
const client = new AthenaClient(local.aws)
await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
mkdirSync(join(dir, 'files'))
const paths: string[] = []
for (let file = 0; file < files; file++) {
  const lines = Array.from({ length: linesOfFile }, (_, i) => {
    const n = file * linesOfFile + i
    return JSON.stringify({
      timestamp: new Date(Date.UTC(2026, 10, 24, 15) + n * 7).toISOString().replace('T', ' ').replace('Z', ''),
      device_name: `device-${n % 100}`,
      metric: (n % 1000) / 4,
    })
  })
  const body = gzipSync(`${lines.join('\n')}\n`)
  const path = join(dir, 'files', `${file}.ndjson.gz`)
  paths.push(path)
  writeFileSync(path, body)
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: `raw/dt=2026-11-24/hour=15/${file}.ndjson.gz`, Body: body }))
}
const athena = createAthena({ client, database: 'bench', output: 's3://lake/results/', poll: ['2 ms', '10 ms'] })
await athena.execute('CREATE DATABASE bench')
await athena.execute(tableDdl(table, { location: 's3://lake/raw/', format: 'json' }))
await athena.execute("ALTER TABLE readings ADD PARTITION (dt = '2026-11-24', hour = '15')")
const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
const connection = await instance.connect()

async function ours(): Promise<Round> {
  const query = athena.query(sql`SELECT device_name, count(*) AS n, sum(metric) AS total FROM ${table} GROUP BY 1 ORDER BY 1`, {
    returns: { device_name: column.string(), n: column.bigint(), total: column.double() },
  })
  const rows = await query.rows()
  const { id } = await query.report()
  const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))
  const ms = QueryExecution?.Statistics?.EngineExecutionTimeInMillis ?? Number.NaN
  return round(
    ms,
    rows.map(({ device_name, n, total }) => `${device_name} ${n} ${total}`),
  )
}

async function duckdb(): Promise<Round> {
  const started = performance.now()
  const list = paths.map((path) => `'${path}'`).join(', ')
  const result = await connection.runAndReadAll(
    `SELECT device_name, count(*) AS n, sum(metric) AS total FROM read_json([${list}], format = 'newline_delimited',
     columns = {"timestamp": 'TIMESTAMP', device_name: 'VARCHAR', metric: 'DOUBLE'}) GROUP BY 1 ORDER BY 1`,
  )
  const ms = performance.now() - started
  return round(
    ms,
    result.getRows().map(([name, n, total]) => `${String(name)} ${String(n)} ${String(total)}`),
  )
}

function round(ms: number, lines: readonly string[]): Round {
  return { ms, cpuMs: 0, peakRssMb: process.memoryUsage().rss / 2 ** 20, digest: lines.join('\n') }
}

const measured = { first: [] as Round[], ours: [] as Round[], peer: [] as Round[] }
measured.first.push(await ours())
await duckdb()
for (let i = 0; i < rounds; i++) {
  measured.ours.push(await ours())
  measured.peer.push(await duckdb())
}
const ratio = median(measured.ours.map(({ ms }, i) => ms / measured.peer[i]!.ms))
console.log(JSON.stringify({ ...measured, ratio }))
await athena.close()
client.destroy()
s3.destroy()
connection.closeSync()
instance.closeSync()
await local.close()
