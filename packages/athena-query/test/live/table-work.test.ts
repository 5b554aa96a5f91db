import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { column, defineTable, PipeError, tableDdl } from '@pipe/core'
import { type Local, startLocal } from '@pipe/local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Athena,
  createAthena,
  createViewSql,
  deallocateSql,
  executeSql,
  formatTime,
  identifier,
  parseTime,
  prepareSql,
  projectionSql,
  sql,
  tableCode,
} from '../../src/index'

const logs = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double().nullable() },
  eventTime: 'timestamp',
})
const at = new Date('2026-11-24T15:31:00.007Z')
const rows = [
  { timestamp: at, device_name: "it's \\ \n", metric: 0.1 },
  { timestamp: at, device_name: '', metric: null },
]

let local: Local
let athena: Athena
let client: AthenaClient
let s3: S3Client
beforeAll(async () => {
  local = await startLocal()
  s3 = new S3Client(local.aws)
  client = new AthenaClient(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  athena = createAthena({ client, s3, database: 'logs', output: 's3://lake/results/', poll: ['5 ms', '50 ms'] })
  await athena.execute('CREATE DATABASE logs')
  await athena.execute(tableDdl(logs, { location: 's3://lake/table/', format: 'parquet' }))
  await athena.insert({ table: logs, rows, at })
})
afterAll(async () => {
  await athena?.close()
  client?.destroy()
  s3?.destroy()
  await local?.close()
})

const keysBelow = async (Prefix: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix }))).Contents ?? []).map(({ Key }) => Key)
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing',
    (error: unknown) => (PipeError.isInstance(error) ? error.code : String(error)),
  )

describe('work on tables', () => {
  it('rows that were inserted come back, by peekTable too, and lie in the partition of their arrival', async () => {
    const query = athena.query(sql`SELECT * FROM ${logs} ORDER BY device_name DESC`, {
      returns: { ...logs.columns, dt: column.string(), hour: column.string() },
    })
    expect(await query.rows()).toEqual(rows.map((row) => ({ ...row, dt: '2026-11-24', hour: '15' })))
    expect(await athena.peekTable(logs, { where: sql`dt = ${'2026-11-24'} AND device_name = ${''}` })).toEqual([rows[1]])
    const more = await athena.insert({
      table: logs,
      rows: [rows[0]!, rows[0]!],
      at: new Date('2026-11-25T00:00:00Z'),
      maxRows: 1,
    })
    expect(more).toMatchObject({ insertedRows: 2, statements: [{ updatedRows: 1 }, { updatedRows: 1 }] })
    expect(await athena.peekTable(logs, { rows: 1 })).toHaveLength(1)
  })

  it('an insert with a key inserts nothing twice', async () => {
    const arrived = new Date('2026-11-26T00:00:00Z')
    const once = { table: logs, rows: [rows[0]!, rows[0]!], at: arrived, maxRows: 1, idempotencyKey: 'batch-1' }
    await athena.insert(once)
    await athena.insert(once)
    const count = athena.query(sql`SELECT count(*) AS n FROM ${logs} WHERE dt = '2026-11-26'`, {
      returns: { n: column.bigint() },
    })
    expect(await count.rows()).toEqual([{ n: 2n }])
  })

  it('CTAS makes one file, refuses a folder that is not empty, and each attempt may have its own', async () => {
    const options = {
      table: 'one',
      as: sql`SELECT * FROM ${logs} WHERE dt = '2026-11-24'`,
      location: 's3://lake/one/',
      buckets: { by: ['device_name'], count: 1 },
    } as const
    const report = await athena.ctas(options)
    expect(report).toMatchObject({ updatedRows: 2, location: 's3://lake/one/' })
    expect(await keysBelow('one/')).toHaveLength(1)
    expect(await codeOf(athena.ctas({ ...options, table: 'two' }))).toBe('PIPE_ATHENA_TARGET')
    const second = await athena.ctas({ ...options, table: 'two', folderPerAttempt: true })
    expect(second.location).toMatch(/^s3:\/\/lake\/one\/[0-9a-f-]{36}\/$/)
    expect(await keysBelow('one/')).toHaveLength(2)
    expect(await codeOf(athena.ctas({ ...options, table: 'two', folderPerAttempt: true }))).not.toBe('nothing')
    expect(await keysBelow('one/')).toHaveLength(2)
  })

  it('UNLOAD writes files without a table', async () => {
    const report = await athena.unload({
      query: sql`SELECT device_name, metric FROM ${logs}`,
      to: 's3://lake/out/',
      folderPerAttempt: true,
    })
    expect(await keysBelow(report.location.slice('s3://lake/'.length))).not.toEqual([])
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'full/x', Body: 'x' }))
    expect(await codeOf(athena.unload({ query: sql`SELECT 1 AS x`, to: 's3://lake/full/' }))).toBe('PIPE_ATHENA_TARGET')
  })

  it('views and prepared statements', async () => {
    await athena.execute(
      createViewSql('named', sql`SELECT device_name FROM ${logs} WHERE device_name <> ${''} AND dt = '2026-11-24'`),
    )
    const view = athena.query(sql`SELECT * FROM ${identifier('named')}`, { returns: { device_name: column.string() } })
    expect(await view.rows()).toEqual([{ device_name: rows[0]!.device_name }])
    await athena.execute(prepareSql('of_device', sql`SELECT metric FROM ${logs} WHERE device_name = ? AND dt = '2026-11-24'`))
    const prepared = athena.query(executeSql('of_device', [rows[0]!.device_name]), { returns: { metric: column.double() } })
    expect(await prepared.rows()).toEqual([{ metric: 0.1 }])
    await athena.execute(deallocateSql('of_device'))
  })

  it('formats of time are read and written', async () => {
    const query = athena.query(
      sql`SELECT ${parseTime(sql`'2026-11-24T16:31:00.007+01:00'`, 'iso8601')} AS iso,
        ${parseTime(sql`1795534260007`, 'epoch milliseconds')} AS millis, ${parseTime(sql`1795534260`, 'epoch seconds')} AS seconds,
        ${parseTime(sql`'24.11.2026 15:31:00'`, { pattern: '%d.%m.%Y %H:%i:%s' })} AS pattern,
        ${formatTime(sql`${at}`, 'iso8601')} AS text, ${formatTime(sql`${at}`, 'epoch milliseconds')} AS ms,
        ${formatTime(sql`${at}`, 'epoch seconds')} AS s, ${formatTime(sql`${at}`, { pattern: '%d.%m.%Y' })} AS day`,
      {
        returns: {
          iso: column.timestamp(),
          millis: column.timestamp(),
          seconds: column.timestamp(),
          pattern: column.timestamp(),
          text: column.string(),
          ms: column.bigint(),
          s: column.bigint(),
          day: column.string(),
        },
      },
    )
    const second = new Date('2026-11-24T15:31:00Z')
    expect(await query.first()).toEqual({
      iso: at,
      millis: at,
      seconds: second,
      pattern: second,
      text: '2026-11-24T15:31:00Z',
      ms: BigInt(at.getTime()),
      s: BigInt(second.getTime() / 1000),
      day: '24.11.2026',
    })
  })

  it('projection replaces the partitions of the catalogue', async () => {
    await athena.execute(tableDdl(logs, { location: 's3://lake/table/', format: 'parquet', name: 'projected' }))
    await athena.execute(projectionSql(logs, { location: 's3://lake/table/', from: '2026-11-24', name: 'projected' }))
    const query = athena.query(
      sql`SELECT count(*) AS n FROM ${identifier('projected')} WHERE dt = '2026-11-24' AND hour = '15'`,
      {
        returns: { n: column.bigint() },
      },
    )
    expect(await query.rows()).toEqual([{ n: 2n }])
  })

  it('a table of the catalogue is described with its partition keys, and its contract written', async () => {
    const described = await athena.describe('device_logs')
    expect(described).toMatchObject({ database: 'logs', name: 'device_logs', location: 's3://lake/table/' })
    expect(described.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'timestamp timestamp',
      'device_name string',
      'metric double',
    ])
    expect(described.partitions.map(({ name }) => name)).toEqual(['dt', 'hour'])
    expect(tableCode(described)).toContain("export const deviceLogs = defineTable('device_logs', {")
  })
})
