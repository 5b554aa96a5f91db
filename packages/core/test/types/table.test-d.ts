import { expectTypeOf, test } from 'vitest'
import { column, defineTable, type RowOf, readNdjson } from '../../src/index'

const table = defineTable('logs', {
  columns: {
    at: column.timestamp(),
    name: column.string().nullable(),
    id: column.bigint(),
    price: column.decimal(10, 2),
    tags: column.map(column.string(), column.array(column.double())),
    place: column.struct({ lat: column.double(), zip: column.integer().nullable() }),
  },
  eventTime: 'at',
})

test('rows have the types of their columns', () => {
  expectTypeOf<RowOf<typeof table>>().toEqualTypeOf<{
    at: Date
    name: string | null
    id: bigint
    price: string
    tags: Map<string, number[]>
    place: { lat: number; zip: number | null }
  }>()
})

test('readers give the rows of the table', async () => {
  for await (const { rows } of readNdjson((async function* () {})(), { table, file: 'a' })) {
    expectTypeOf(rows).toEqualTypeOf<RowOf<typeof table>[]>()
  }
})

test('what cannot work does not compile', () => {
  // @ts-expect-error the event time must be a timestamp column
  defineTable('t', { columns: { a: column.string() }, eventTime: 'a' })
  // @ts-expect-error a Date holds milliseconds only
  column.timestamp(6)
  // @ts-expect-error a duration has a unit
  defineTable('t', { columns: { a: column.string() }, allowedLateness: '10' })
})
