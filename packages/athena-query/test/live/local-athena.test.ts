import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { addPartitionsDdl, column, defineTable, PipeError, tableDdl } from '@pipe/core'
import { type Local, startLocal } from '@pipe/local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Athena, createAthena, date, decimal, eventTimeBetween, identifier, list, sql } from '../../src/index'

const logs = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double().nullable() },
  eventTime: 'timestamp',
  allowedLateness: '10 minutes',
})

const hostile = [
  "it's",
  '"; DROP TABLE device_logs; --',
  "'; DROP TABLE device_logs; --",
  'a\nb\r\nc\td',
  "\\n \\' \\u0041 \\\\",
  '😀 ẞ \u2028 \ufeff',
  '/* no comment */ -- none',
  '$' + '{x} `y` {{z}} %s ? :p',
  '',
  ' ',
  'null',
  'device_name',
  '\u0001\u001f\u007f',
  'x'.repeat(100_000),
]

const rows = [
  ...hostile.map((device_name, i) => ({
    timestamp: `2026-11-24 15:${String(i).padStart(2, '0')}:00.000`,
    device_name,
    metric: i + 0.5,
  })),
  { timestamp: '2026-11-24 14:59:30.000', device_name: 'late', metric: null },
  { timestamp: '2026-11-24 16:00:00.000', device_name: 'after', metric: 1 },
]

let local: Local
let athena: Athena
let client: AthenaClient
beforeAll(async () => {
  local = await startLocal()
  const s3 = new S3Client(local.aws)
  client = new AthenaClient(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'raw/dt=2026-11-24/hour=15/a.ndjson', Body: body }))
  s3.destroy()
  athena = createAthena({ client, database: 'logs', output: 's3://lake/results/', poll: ['5 ms', '50 ms'] })
  await athena.execute('CREATE DATABASE logs')
  await athena.execute(tableDdl(logs, { location: 's3://lake/raw/', format: 'json' }))
  await athena.execute(
    addPartitionsDdl(logs, [{ values: { dt: '2026-11-24', hour: '15' }, location: 's3://lake/raw/dt=2026-11-24/hour=15/' }]),
  )
})
afterAll(async () => {
  await athena?.close()
  client?.destroy()
  await local?.close()
})

describe('against @pipe/local', () => {
  it('hostile strings in the data come back equal', async () => {
    const query = athena.query(sql`SELECT device_name, metric FROM ${logs} ORDER BY "timestamp"`, {
      returns: { device_name: logs.columns.device_name, metric: logs.columns.metric },
    })
    expect(await query.rows()).toEqual(
      [...rows].sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1)).map(({ device_name, metric }) => ({ device_name, metric })),
    )
    expect((await query.report()).scannedBytes).toBeGreaterThan(100_000)
  })

  it.each(hostile.map((text) => [text.slice(0, 40), text]))(
    'the literal %j is the value, and finds its row',
    async (_name, text) => {
      const row = await athena
        .query(sql`SELECT ${text} AS text, count(*) AS n, max(device_name) AS found FROM ${logs} WHERE device_name = ${text}`, {
          returns: { text: column.string(), n: column.bigint(), found: column.string() },
        })
        .first()
      expect(row).toEqual({ text, n: 1n, found: text })
    },
  )

  it('the literal with NUL comes back', async () => {
    const row = await athena.query(sql`SELECT ${'a\0b'} AS text`, { returns: { text: column.string() } }).first()
    expect(row).toEqual({ text: 'a\0b' })
  })

  it('literals of every type come back as the same values', async () => {
    const at = new Date('2026-11-24T15:31:00.007Z')
    const query = athena.query(
      sql`SELECT ${true} AS t, ${-7} AS i, ${2n ** 40n} AS b, ${0.1} AS d, ${at} AS at, ${Uint8Array.of(0, 255)} AS bytes,
                 ${date('2026-11-24')} AS day, ${decimal('-12.50')} AS money, CAST(${null} AS varchar) AS nothing`,
      {
        returns: {
          t: column.boolean(),
          i: column.integer(),
          b: column.bigint(),
          d: column.double(),
          at: column.timestamp(),
          bytes: column.binary(),
          day: column.date(),
          money: column.decimal(4, 2),
          nothing: column.string().nullable(),
        },
      },
    )
    expect(await query.first()).toEqual({
      t: true,
      i: -7,
      b: 2n ** 40n,
      d: 0.1,
      at,
      bytes: Uint8Array.of(0, 255),
      day: '2026-11-24',
      money: '-12.50',
      nothing: null,
    })
  })

  it.each([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY],
    [-0],
    [5e-324],
    [Number.MAX_VALUE],
    [1e21],
    [-1e-7],
  ])('the double %d comes back', async (value) => {
    const row = await athena.query(sql`SELECT ${value} AS x`, { returns: { x: column.double() } }).first()
    expect(row?.x).toBe(value)
  })

  it.each([[2n ** 63n - 1n], [-(2n ** 63n)]])('the bigint %d comes back', async (value) => {
    const row = await athena.query(sql`SELECT ${value} AS x`, { returns: { x: column.bigint() } }).first()
    expect(row?.x).toBe(value)
  })

  it('eventTimeBetween finds the rows of the range, and list() those of the list', async () => {
    const [from, to] = [new Date('2026-11-24T14:50:00Z'), new Date('2026-11-24T15:02:00Z')]
    const query = athena.query(
      sql`SELECT device_name FROM ${logs} WHERE ${eventTimeBetween(logs, from, to)} ORDER BY "timestamp"`,
      {
        returns: { device_name: column.string() },
      },
    )
    expect((await query.rows()).map((row) => row.device_name)).toEqual(['late', hostile[0], hostile[1]])
    const few = athena.query(
      sql`SELECT count(*) AS n FROM ${logs} WHERE device_name IN ${list([hostile[0]!, hostile[2]!, 'none'])}`,
      {
        returns: { n: column.bigint() },
      },
    )
    expect(await few.rows()).toEqual([{ n: 2n }])
  })

  it('eventTimeBetween skips partitions', async () => {
    const query = athena.query(
      sql`SELECT count(*) AS n FROM ${logs} WHERE ${eventTimeBetween(logs, new Date('2026-11-23T00:00:00Z'), new Date('2026-11-23T01:00:00Z'))}`,
      { returns: { n: column.bigint() } },
    )
    expect(await query.rows()).toEqual([{ n: 0n }])
    expect((await query.report()).scannedBytes).toBe(0)
  })

  it('ctas writes one file and tells its rows', async () => {
    const report = await athena.ctas({
      table: 'copy',
      as: sql`SELECT device_name, metric FROM ${logs}`,
      location: 's3://lake/copy/',
      buckets: { by: ['device_name'], count: 1 },
    })
    expect(report.updatedRows).toBe(rows.length)
    const paths = athena.query(sql`SELECT DISTINCT "$path" AS path FROM ${identifier('logs', 'copy')}`, {
      returns: { path: column.string() },
    })
    expect(await paths.rows()).toHaveLength(1)
    const again = athena.ctas({ table: 'copy_2', as: sql`SELECT 1 AS x`, location: 's3://lake/copy/' })
    await expect(again).rejects.toMatchObject({ hint: expect.stringContaining('folder of its own') })
  })

  it('many pages come in order, and the first row without the rest', async () => {
    const query = athena.query(sql`SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n`, {
      returns: { n: column.bigint() },
    })
    expect(await query.first()).toEqual({ n: 1n })
    const seen: bigint[] = []
    for await (const row of query) seen.push(row.n)
    expect(seen).toEqual(Array.from({ length: 2500 }, (_, i) => BigInt(i + 1)))
  })

  it('a statement with the same key runs once', async () => {
    const run = () => athena.execute(sql`SELECT ${1} AS x`, { idempotencyKey: 'window-1' })
    expect((await run()).id).toBe((await run()).id)
  })

  it('wrong statements and columns are told apart', async () => {
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'nothing',
        (error: unknown) => (PipeError.isInstance(error) ? error.code : String(error)),
      )
    const returns = { n: column.bigint() }
    expect(await codeOf(athena.query(sql`SELEC 1`, { returns }).rows())).toBe('PIPE_ATHENA_SYNTAX')
    expect(await codeOf(athena.query(sql`SELECT n FROM nowhere`, { returns }).rows())).toBe('PIPE_ATHENA_NOT_FOUND')
    expect(await codeOf(athena.query(sql`SELECT nothing AS n FROM ${logs}`, { returns }).rows())).toBe('PIPE_ATHENA_NOT_FOUND')
    expect(await codeOf(athena.query(sql`SELECT 'a' AS n`, { returns }).rows())).toBe('PIPE_ATHENA_COLUMN')
    expect(await codeOf(athena.query(sql`SELECT metric AS n FROM ${logs}`, { returns: { n: column.double() } }).rows())).toBe(
      'PIPE_ATHENA_NULL',
    )
  })

  it('SHOW loses no first row', async () => {
    const tables = athena.query(sql`SHOW TABLES`, { returns: { tab_name: column.string() } })
    expect((await tables.rows()).map((row) => row.tab_name)).toContain('device_logs')
  })
})
