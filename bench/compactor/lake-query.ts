// A reader in a process of its own: lake-query.mjs AWS RAW TARGET. Publishes the compacted window, then answers "raw" and "compacted" with the same query over the
// raw and over the compacted table: how long it took, its rows, and how many objects it read.
import { AthenaClient } from '@aws-sdk/client-athena'
import { S3Client } from '@aws-sdk/client-s3'
import { createAthena, identifier, sql } from '@pipe/athena-query'
import { compactionDdl, createCompactor, defineCompaction, inProcessEngine } from '@pipe/compactor'
import { column, tableDdl } from '@pipe/core'
import { at, table } from './table'

const [aws, raw, target] = process.argv.slice(2) as [string, string, string]
const config = JSON.parse(aws)
const s3 = new S3Client(config)
const athena = createAthena({
  client: new AthenaClient(config),
  database: 'bench',
  output: 's3://lake/results/',
  poll: ['2 ms', '10 ms'],
})
const compaction = defineCompaction({ table, source: `s3://lake/${raw}`, target: `s3://lake/${target}`, window: '5 minutes' })
await athena.execute('CREATE DATABASE bench')
await athena.execute(tableDdl(table, { location: compaction.source, format: 'json' }))
await athena.execute(`ALTER TABLE ${table.name} ADD PARTITION (dt = '2026-11-24', hour = '15')`)
for (const statement of compactionDdl(compaction)) await athena.execute(statement)
const { published } = await createCompactor({ compaction, engine: inProcessEngine(), athena, client: s3 }).run({ at })
if (!published) throw new Error('The window is not published.')

const names: Readonly<Record<string, string>> = { raw: table.name, compacted: compaction.compacted.name }
process.on('disconnect', () => process.exit(0))
process.on('message', (kind: string) => void ask(kind))
process.send!('ready')

async function ask(kind: string): Promise<void> {
  const from = identifier(names[kind]!)
  const started = performance.now()
  const rows = await athena
    .query(
      sql`SELECT device_name, count(*) AS n, sum(CASE WHEN metric >= 50 THEN 1 ELSE 0 END) AS high FROM ${from} GROUP BY 1 ORDER BY 1`,
      {
        returns: { device_name: column.string(), n: column.bigint(), high: column.bigint() },
      },
    )
    .rows()
  const ms = performance.now() - started
  const [{ objects }] = (await athena
    .query(sql`SELECT count(DISTINCT "$path") AS objects FROM ${from}`, { returns: { objects: column.bigint() } })
    .rows()) as [{ objects: bigint }]
  const text = rows.map(({ device_name, n, high }) => `${device_name} ${n} ${high}`).join('\n')
  process.send!({ ms, text, objects: Number(objects) })
}
