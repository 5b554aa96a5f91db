// What somebody writes who has only the packages: compiled as ESM, as CommonJS and for a bundler, then run (matrix.mjs).
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { identifier, renderSql, sql } from '@pipe/athena-query'
import { compactionDdl, defineCompaction } from '@pipe/compactor'
import { doctor } from '@pipe/compactor/maintenance'
import { simulateCrashes } from '@pipe/compactor/testing'
import { column, defineTable, PipeError, type RowOf, windowOf } from '@pipe/core'
import { defineSchedule, matchesPattern, nextFireTimes } from '@pipe/events'
import { defineTopic } from '@pipe/kafka-kit'
import { startLocal } from '@pipe/local'
import { defineLog, generate, measure } from '@pipe/log-gen'
import { defineLifecycle, keyPrefix, lifecycleRule } from '@pipe/s3-lifecycle'

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`This does not hold: ${what}`)
}

const deviceLogs = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
})
const row: RowOf<typeof deviceLogs> = { timestamp: new Date(0), device_name: 'd1', metric: 1.5 }
must(row.metric.toFixed(1) === '1.5', 'the types of a row')
must(windowOf('5 minutes', '2026-11-24T15:33:10Z').id === '20261124T1530Z', 'the window of an instant')

const log = defineLog({
  table: deviceLogs,
  seed: 1,
  devices: 2,
  every: '1 second',
  fields: { metric: measure({ base: [1, 2] }) },
})
const span = { from: '2026-11-24T15:00:00Z', to: '2026-11-24T15:01:00Z' }

const compaction = defineCompaction({
  table: deviceLogs,
  source: 's3://lake/raw/',
  target: 's3://lake/compacted/',
  window: '5 minutes',
})
must(compactionDdl(compaction).length > 0, 'the statements of a compaction')
must(typeof doctor === 'function' && typeof simulateCrashes === 'function', 'subpaths of the compactor')

must(
  renderSql(sql`SELECT * FROM ${identifier('lake', 'device_logs')} WHERE device_name = ${"d'1"}`).includes("'d''1'"),
  'a literal',
)
must(matchesPattern({ source: ['a'] }, { source: 'a' }), 'a pattern that matches')
must(nextFireTimes(defineSchedule('tick', 'rate(5 minutes)'), new Date(0)) !== undefined, 'the times of a schedule')
const topic = defineTopic('orders', { key: column.string(), value: column.string(), partitions: 1, replicationFactor: 1 })
must(topic.name === 'orders', 'a topic')
const rules = defineLifecycle([lifecycleRule('age', { scope: keyPrefix('log-'), expireAfterDays: 30 })])
must(rules !== undefined, 'lifecycle rules')

async function main(): Promise<void> {
  let rows = 0
  for await (const _ of generate(log, span)) rows++
  must(rows > 0, 'the generator writes')

  const local = await startLocal()
  try {
    const s3 = new S3Client(local.aws)
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'a', Body: 'written' }))
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'a' }))
    must((await Body?.transformToString()) === 'written', 'what was written is read')
    await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'b' })).then(
      () => must(false, 'a missing object is an error'),
      (error: unknown) => must(!PipeError.isInstance(error), 'an error of the SDK is not one of ours'),
    )
    s3.destroy()
  } finally {
    await local.close()
  }
  console.log(`consumer: ok, ${rows} rows on Node ${process.versions.node}`)
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
