import { column, PipeError } from '@pipe/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAthena, sql } from '../src/index'
import { type FakeAthena, startFakeAthena } from './fake-athena'

let fake: FakeAthena
beforeEach(async () => {
  fake = await startFakeAthena()
})
afterEach(() => fake.close())

const open = () => createAthena({ client: fake.client, database: 'logs', poll: ['1 ms', '5 ms'] })
const numbers = (count: number, offset = 0) => Array.from({ length: count }, (_, i) => [String(i + offset)])
const n = [{ name: 'n', type: 'bigint' }]

describe('rows', () => {
  it('come page by page without the header', async () => {
    fake.when(/SELECT/, { columns: n, rows: [['n'], ...numbers(2_500)] })
    const rows: bigint[] = []
    for await (const row of open().query(sql`SELECT n FROM t`, { returns: { n: column.bigint() } })) rows.push(row.n)
    expect(rows).toEqual(Array.from({ length: 2_500 }, (_, i) => BigInt(i)))
    expect(fake.count('GetQueryResults')).toBe(3)
    expect(fake.count('StartQueryExecution')).toBe(1)
  })

  it('keep a row that equals the header, and NULL apart from the empty string', async () => {
    fake.when(/SELECT/, { columns: [{ name: 's', type: 'varchar' }], rows: [['s'], ['s'], [null], ['']] })
    const query = open().query(sql`SELECT s FROM t`, { returns: { s: column.string().nullable() } })
    expect(await query.rows()).toEqual([{ s: 's' }, { s: null }, { s: '' }])
  })

  it('lose no first row where the statement has no header', async () => {
    fake.when(/SHOW/, { statementType: 'DDL', columns: [{ name: 'tab_name', type: 'string' }], rows: [['a'], ['b']] })
    const query = open().query(sql`SHOW TABLES`, { returns: { tab_name: column.string() } })
    expect(await query.rows()).toEqual([{ tab_name: 'a' }, { tab_name: 'b' }])
  })

  it('can be read again without running again', async () => {
    fake.when(/SELECT/, { columns: n, rows: [['n'], ...numbers(3)], scannedBytes: 12 })
    const query = open().query(sql`SELECT n`, { returns: { n: column.bigint() } })
    expect(await query.first()).toEqual({ n: 0n })
    expect(await query.rows()).toHaveLength(3)
    expect((await query.report()).scannedBytes).toBe(12)
    expect(fake.count('StartQueryExecution')).toBe(1)
    expect(fake.calls.filter(({ action }) => action === 'GetQueryResults').map(({ input }) => input['MaxResults'])).toEqual([
      2, 1000,
    ])
  })

  it('are not fetched further than one page ahead', async () => {
    fake.when(/SELECT/, { columns: n, rows: [['n'], ...numbers(10_000)] })
    const query = open().query(sql`SELECT n`, { returns: { n: column.bigint() } })
    for await (const row of query) if (row.n === 5n) break
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(fake.count('GetQueryResults')).toBeLessThanOrEqual(2)
  })

  it('end at the row at which the signal aborts', async () => {
    fake.when(/SELECT/, { columns: n, rows: [['n'], ...numbers(10)] })
    const controller = new AbortController()
    const seen: bigint[] = []
    const read = async () => {
      for await (const row of open().query(sql`SELECT n`, { returns: { n: column.bigint() }, signal: controller.signal })) {
        seen.push(row.n)
        if (row.n === 3n) controller.abort(new Error('enough'))
      }
    }
    await expect(read()).rejects.toThrow('enough')
    expect(seen).toEqual([0n, 1n, 2n, 3n])
  })

  it('are not there when nobody asks: nothing is sent', async () => {
    const athena = open()
    await athena.query(sql`SELECT 1`, { returns: { n: column.bigint() } }).cancel()
    await athena.close()
    expect(fake.calls).toEqual([])
  })

  it('are refused by name where a NULL or a text does not fit', async () => {
    fake.when(/SELECT/, { columns: [{ name: 'x', type: 'double' }], rows: [['x'], ['1.5'], [null]] })
    const error = await open()
      .query(sql`SELECT x`, { returns: { x: column.double() } })
      .rows()
      .catch((one: unknown) => one)
    expect(PipeError.isInstance(error) && error.code).toBe('PIPE_ATHENA_NULL')
    expect((error as Error).message).toContain('Row 2 holds NULL in "x"')
  })
})
