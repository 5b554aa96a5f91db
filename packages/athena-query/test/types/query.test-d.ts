import { column, defineTable, type RowOf } from '@pipe/core'
import { expectTypeOf } from 'vitest'
import { createAthena, type Query, type SqlValue, sql } from '../../src/index'

const athena = createAthena()
const query = athena.query(sql`SELECT 1`, {
  returns: { device_name: column.string(), n: column.bigint(), mean: column.double().nullable() },
})

expectTypeOf(query).toEqualTypeOf<Query<{ device_name: string; n: bigint; mean: number | null }>>()
expectTypeOf(query.first()).resolves.toEqualTypeOf<{ device_name: string; n: bigint; mean: number | null } | undefined>()

export async function rows(): Promise<void> {
  for await (const row of query) {
    expectTypeOf(row.n).toEqualTypeOf<bigint>()
    // @ts-expect-error a column that was not declared
    row.device
    // @ts-expect-error a mean may be NULL
    row.mean.toFixed(2)
    // @ts-expect-error a bigint is no number
    const n: number = row.n
    void n
  }
}

// A table contract names the columns of a whole table.
const logs = defineTable('logs', { columns: { at: column.timestamp(), metric: column.double() } })
const all = athena.query(sql`SELECT * FROM ${logs}`, { returns: logs.columns })
expectTypeOf(all).toEqualTypeOf<Query<RowOf<typeof logs>>>()

// @ts-expect-error returns is required
athena.query(sql`SELECT 1`, {})
// @ts-expect-error a column is made by `column`
athena.query(sql`SELECT 1`, { returns: { n: 'bigint' } })
// @ts-expect-error a query takes a fragment, never text
athena.query('SELECT 1', { returns: { n: column.bigint() } })
// @ts-expect-error a duration is text with a unit
athena.execute('SELECT 1', { timeout: 1000 })
// @ts-expect-error undefined has no literal
sql`SELECT ${undefined}`
// @ts-expect-error a plain object has no literal
sql`SELECT ${{ a: 1 }}`
expectTypeOf<Date>().toMatchTypeOf<SqlValue>()
