import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { column, defineTable, tableDdl } from '@pipe/core'
import { type Local, startLocal } from '@pipe/local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkArguments } from '../../src/cli/arguments'
import { describeArgs, describeCommand } from '../../src/cli/describe-command'
import { queryArgs, queryCommand } from '../../src/cli/query-command'
import { type Athena, createAthena } from '../../src/index'

let local: Local
let athena: Athena
let client: AthenaClient
beforeAll(async () => {
  local = await startLocal()
  client = new AthenaClient(local.aws)
  const s3 = new S3Client(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  s3.destroy()
  athena = createAthena({ client, database: 'logs', output: 's3://lake/results/', poll: ['5 ms', '50 ms'] })
  await athena.execute('CREATE DATABASE logs')
  const table = defineTable('device_logs', { columns: { n: column.bigint(), name: column.string() } })
  await athena.execute(tableDdl(table, { location: 's3://lake/raw/', format: 'json' }))
})
afterAll(async () => {
  await athena?.close()
  client?.destroy()
  await local?.close()
})

const signal = new AbortController().signal
function record() {
  const lines = { out: [] as string[], note: [] as string[], progress: [] as string[] }
  const output = {
    out: (text: string) => void lines.out.push(text),
    note: (text: string) => void lines.note.push(text),
    progress: (text: string) => void lines.progress.push(text),
  }
  return { lines, output }
}

describe('query', () => {
  it('shows a table, with progress and what it cost', async () => {
    const { lines, output } = record()
    const sql = `SELECT n, IF(n = 2, NULL, concat('a', chr(27))) AS text FROM (VALUES 1, 2, 30) AS t(n) ORDER BY n`
    expect(await queryCommand(athena, { sql, rows: '2' }, output, signal)).toBe(0)
    expect(lines.out).toEqual([' n  text\n 1  a\\x1b\n 2  NULL'.replace(/^ n/, 'n').replaceAll('\n ', '\n')])
    expect(lines.note[0]).toMatch(
      /^2 rows, there are more \(--rows\); 0\.00 MB scanned, [\d.]+ s, by pages, execution [0-9a-f-]{36}$/,
    )
    expect(lines.progress.length).toBeGreaterThan(0)
  })

  it('writes JSON that loses nothing, and arrays when names are there twice', async () => {
    const { lines, output } = record()
    const sql = `SELECT 9007199254740993 AS big, DECIMAL '1.50' AS money, nan() AS nothing, true AS ok, '' AS empty, NULL AS missing`
    await queryCommand(athena, { sql, rows: '10', json: true }, output, signal)
    await queryCommand(athena, { sql: 'SELECT 1 AS n, 2 AS n', rows: '10', json: true }, output, signal)
    expect(lines.out).toEqual([
      '{"big":9007199254740993,"money":"1.50","nothing":"NaN","ok":true,"empty":"","missing":null}',
      '[1,2]',
    ])
  })

  it('shows what SHOW and DESCRIBE say', async () => {
    const { lines, output } = record()
    await queryCommand(athena, { sql: 'SHOW TABLES', rows: '10' }, output, signal)
    expect(lines.out[0]).toContain('device_logs')
    await queryCommand(athena, { sql: 'DESCRIBE device_logs', rows: '10' }, output, signal)
    expect(lines.out[1]).toContain('name')
  })
})

describe('describe', () => {
  it('shows columns and partition keys, as JSON and as code too', async () => {
    const { lines, output } = record()
    await describeCommand(athena, { table: 'device_logs' }, output, signal)
    expect(lines.out[0]!.split('\n').map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'column type',
      'n bigint',
      'name string',
      'dt string partition key',
      'hour string partition key',
    ])
    await describeCommand(athena, { table: 'logs.device_logs', json: true }, output, signal)
    expect(JSON.parse(lines.out[1]!)).toMatchObject({
      name: 'device_logs',
      columns: [{ name: 'n', type: 'bigint' }, { name: 'name' }],
    })
    await describeCommand(athena, { table: 'logs.device_logs', code: true }, output, signal)
    expect(lines.out[2]).toContain('defineTable(')
  })
})

it.each([
  ['query', queryArgs, ['SELECT', '1'], 'takes one argument'],
  ['query', queryArgs, ['SELECT 1', '--row', '3'], 'has no option "--row"'],
  ['query', queryArgs, ['SELECT 1', '--rows'], '--rows needs a value'],
  ['query', queryArgs, ['--json'], 'needs an argument'],
  ['describe', describeArgs, ['t', '--code=1'], '--code takes no value'],
])('%s refuses %j %j', (name, args, rawArgs, text) => {
  expect(() => checkArguments(name, args, rawArgs)).toThrow(text)
})
