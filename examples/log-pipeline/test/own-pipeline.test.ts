import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena, sql } from '@pipe/athena-query'
import { compactionDdl, createCompactor, defineCompaction, inProcessEngine } from '@pipe/compactor'
import { column, defineTable } from '@pipe/core'
import { startLocal } from '@pipe/local'
import { compareRows, defineLog, generateWindows, groundTruth, measure, readableRows, toS3 } from '@pipe/log-gen'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => vi.unstubAllEnvs())

// #region own-pipeline
const deviceLogs = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
  allowedLateness: '10 minutes',
})
const log = defineLog({
  table: deviceLogs,
  seed: 7,
  devices: 5,
  every: '2 seconds',
  fields: { metric: measure({ base: [18, 24], noise: 0.5 }) },
  faults: { late: 0.02, malformed: 0.02 },
})
const span = { from: new Date('2026-11-24T15:00:00Z'), to: new Date('2026-11-24T15:10:00Z') }

it('gives back every row once, and puts exactly the spoilt ones aside', async () => {
  await using local = await startLocal()
  // From here on every AWS client of this process talks to the runtime.
  for (const [name, value] of Object.entries(local.env)) vi.stubEnv(name, value)
  await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: 'lake' }))
  await using athena = createAthena({ database: 'lake', output: 's3://lake/results/' })
  const compaction = defineCompaction({
    table: deviceLogs,
    source: 's3://lake/raw/',
    target: 's3://lake/compacted/',
    window: '5 minutes',
  })
  await athena.execute('CREATE DATABASE lake')
  for (const statement of compactionDdl(compaction)) await athena.execute(statement)

  await generateWindows({ log, sink: toS3('s3://lake/raw/'), ...span })
  await using compactor = createCompactor({ compaction, engine: inProcessEngine(), athena })
  const { results } = await compactor.backfill(span)

  const rows = athena.query(sql`SELECT "timestamp", device_name, metric FROM device_logs_compacted`, {
    returns: deviceLogs.columns,
  })
  expect(await compareRows(deviceLogs, readableRows(log, span), rows)).toMatchObject({ lost: 0, duplicated: 0, unknown: 0 })
  const truth = groundTruth(log, span)
  expect(truth.malformedRows).toBeGreaterThan(0)
  expect(results.reduce((sum, { quarantinedRows }) => sum + quarantinedRows, 0)).toBe(truth.malformedRows)
})
// #endregion own-pipeline
