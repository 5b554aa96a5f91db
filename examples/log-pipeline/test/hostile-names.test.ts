import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena, identifier, sql } from '@pipe/athena-query'
import { athenaEngine, compactionDdl, createCompactor, defineCompaction, inProcessEngine } from '@pipe/compactor'
import { startLocal, virtualClock } from '@pipe/local'
import { compareRows, defineLog, generateWindow, measure, readableRows, toS3 } from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { deviceLogs } from '../src/table'

const hostile = [
  `quotes ' " \` ''`,
  'new\nline\r\nand\ttab',
  "'; DROP TABLE device_logs; --",
  '😀 emoji, zażółć, 日本',
  '$.metric {"a":1} \\u0041 \\',
  '__proto__',
  '\u0000\u0001\u007f\u2028',
  '\ufeffbyte order mark',
  ' leading and trailing ',
  'x'.repeat(1_048_576),
]

describe.each(['athena', 'in-process'] as const)('hostile device names with the %s engine', (engine) => {
  it('arrive unchanged', { timeout: 240_000 }, async () => {
    await using local = await startLocal({ clock: virtualClock('2026-11-24T15:00:00Z') })
    const s3 = new S3Client(local.aws)
    const client = new AthenaClient(local.aws)
    await using athena = createAthena({ database: 'lake', output: 's3://lake/results/', client, poll: ['5 ms', '100 ms'] })
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    const compaction = defineCompaction({
      table: deviceLogs,
      source: 's3://lake/raw/',
      target: 's3://lake/compacted/',
      window: '5 minutes',
    })
    await athena.execute('CREATE DATABASE lake')
    for (const statement of compactionDdl(compaction)) await athena.execute(statement)

    const log = defineLog({
      table: deviceLogs,
      seed: 7,
      devices: hostile,
      every: '1 minute',
      fields: { metric: measure({ base: 20 }) },
      faults: { malformed: { rate: 0.1, kinds: ['wrong-type', 'unknown-column'] } },
    })
    const span = { from: new Date('2026-11-24T15:00:00Z'), to: new Date('2026-11-24T15:05:00Z') }
    const sink = toS3('s3://lake/raw/', { client: s3 })
    for (let minute = 1; minute <= 5; minute++) {
      await generateWindow({ log, sink, at: new Date(span.from.getTime() + minute * 60_000) })
    }

    const made = engine === 'athena' ? athenaEngine({ athena }) : inProcessEngine()
    const compactor = createCompactor({ compaction, engine: made, athena, client: s3 })
    const result = await compactor.run({ at: span.to })
    expect(result.outcome).toBe('committed')

    const rows = athena.query(sql`SELECT "timestamp", device_name, metric FROM ${identifier('device_logs_compacted')}`, {
      returns: deviceLogs.columns,
    })
    const comparison = await compareRows(deviceLogs, readableRows(log, span), rows)
    expect(comparison).toMatchObject({ lost: 0, duplicated: 0, unknown: 0 })
    expect(comparison.actualRows).toBeGreaterThan(40)
    client.destroy()
    s3.destroy()
  })
})
