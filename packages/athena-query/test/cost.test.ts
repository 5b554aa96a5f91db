import { column, defineTable } from '@pipe/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AthenaOptions, athenaPrices, createAthena, estimateDollars, identifier, sql } from '../src/index'
import { type FakeAthena, startFakeAthena } from './fake-athena'

let fake: FakeAthena
beforeEach(async () => {
  fake = await startFakeAthena()
})
afterEach(() => fake.close())
const open = (options: AthenaOptions = {}) => createAthena({ client: fake.client, poll: ['1 ms', '5 ms'], ...options })
const terabyte = 2 ** 40

describe('an estimate', () => {
  it('is by the terabyte, at least 10 MB, rounded up to a megabyte', () => {
    expect(estimateDollars({ scannedBytes: 3 * terabyte })).toBe(15)
    expect(estimateDollars({ scannedBytes: 0 })).toBe(estimateDollars({ scannedBytes: 10 * 2 ** 20 }))
    expect(estimateDollars({ scannedBytes: 10 * 2 ** 20 + 1 })).toBe(estimateDollars({ scannedBytes: 11 * 2 ** 20 }))
    expect(estimateDollars({ scannedBytes: terabyte }, { ...athenaPrices, dollarsPerTerabyte: 7 })).toBe(7)
  })

  it('is nothing for DDL and for a reused result', () => {
    expect(estimateDollars({ scannedBytes: 5, statementType: 'DDL' })).toBe(0)
    expect(estimateDollars({ scannedBytes: terabyte, reusedResult: true })).toBe(0)
  })

  it('is on each report and adds up', async () => {
    fake.when(/SELECT/, { scannedBytes: terabyte })
    const athena = open()
    expect((await athena.execute('SELECT 1')).estimatedDollars).toBe(5)
    await athena.execute('SELECT 2')
    expect(athena.spending()).toEqual({ executions: 2, scannedBytes: 2 * terabyte, estimatedDollars: 10 })
  })
})

describe('a limit', () => {
  it('maxScannedBytes stops an execution that has scanned more', async () => {
    fake.when(/SELECT/, { states: ['RUNNING'], scannedBytes: 1001 })
    const athena = open()
    await expect(athena.execute('SELECT 1', { maxScannedBytes: 1000 })).rejects.toMatchObject({
      code: 'PIPE_ATHENA_SCAN_LIMIT',
      details: { scannedBytes: 1001, maxScannedBytes: 1000 },
    })
    expect(fake.executions[0]!.stopped).toBe(true)
    fake.when(/SELECT/, { scannedBytes: 1001 })
    await athena.execute('SELECT 1', { maxScannedBytes: 1001 })
  })

  it('the budget stops what passes it, and nothing more is sent', async () => {
    fake.when(/SELECT/, { states: ['RUNNING'], scannedBytes: terabyte })
    const athena = open({ budgetDollars: 4 })
    await expect(athena.execute('SELECT 1')).rejects.toMatchObject({ code: 'PIPE_ATHENA_BUDGET' })
    expect(fake.executions[0]!.stopped).toBe(true)
    await expect(athena.execute('SELECT 2')).rejects.toThrow('was not sent')
    expect(fake.executions).toHaveLength(1)
  })

  it('that makes no sense is refused', () => {
    expect(() => open({ budgetDollars: -1 })).toThrow('budgetDollars')
    expect(() => open({ concurrency: 0 })).toThrow('concurrency')
    expect(() => open({ expectedBucketOwner: '12' })).toThrow('12 digits')
  })
})

describe('the filter on partitions', () => {
  const logs = defineTable('logs', { columns: { at: column.timestamp(), name: column.string() }, eventTime: 'at' })
  const warningsOf = async (statement: ReturnType<typeof sql>) => (await open().execute(statement)).warnings

  it('is missed in a query that names no partition column in a condition', async () => {
    expect(await warningsOf(sql`SELECT count(*) FROM ${logs}`)).toEqual([
      'logs has partitions (dt, hour), and the statement filters by none of them: it reads the whole table.',
    ])
    expect(await warningsOf(sql`SELECT dt FROM ${logs} WHERE name = 'dt' /* dt */`)).toHaveLength(1)
    expect(await warningsOf(sql`SELECT * FROM x JOIN ${logs} ON x.a = ${logs}.name GROUP BY dt`)).toHaveLength(1)
  })

  it.each([
    ['named', sql`SELECT * FROM ${logs} WHERE dt = '2026-11-24'`],
    ['quoted', sql`SELECT * FROM ${logs} WHERE "hour" = '10'`],
    ['by identifier()', sql`SELECT * FROM ${logs} l WHERE ${identifier('l', 'dt')} = ${'2026-11-24'}`],
    ['in a join', sql`SELECT * FROM days d JOIN ${logs} l ON d.dt = l.dt`],
    ['not needed: nothing is read', sql`DROP TABLE ${logs}`],
    ['not needed: it is the target', sql`INSERT INTO ${logs} SELECT * FROM other`],
  ])('is %s', async (_how, statement) => {
    expect(await warningsOf(statement)).toEqual([])
  })

  it('is required or not looked at, by option', async () => {
    await expect(open({ partitionFilter: 'require' }).execute(sql`SELECT 1 FROM ${logs}`)).rejects.toMatchObject({
      code: 'PIPE_ATHENA_PARTITION_FILTER',
      details: { tables: ['logs'] },
    })
    expect(fake.executions).toHaveLength(0)
    expect((await open({ partitionFilter: 'off' }).execute(sql`SELECT 1 FROM ${logs}`)).warnings).toEqual([])
  })
})
