import { column, defineTable, hourly } from '@pipe/core'
import { defineTopic } from '@pipe/kafka-kit'

/** An order, on the topic and in the table: one contract. */
export const orderTable = defineTable('orders', {
  columns: { id: column.integer(), placed_at: column.timestamp(), total: column.double() },
  eventTime: 'placed_at',
  partitions: hourly(),
})

export const orders = defineTopic('orders', {
  key: column.string(),
  value: orderTable,
  partitions: 3,
  replicationFactor: 3,
  minInSyncReplicas: 2,
})

/** Half an hour of orders, one a second. Totals are multiples of a quarter, so that their sum is exact. */
export function makeOrders(start: Date, count: number) {
  return Array.from({ length: count }, (_, id) => {
    const timestamp = new Date(start.getTime() + Math.floor((id * 1_800_000) / count))
    return { key: `customer-${id % 40}`, value: { id, placed_at: timestamp, total: (id % 400) / 4 }, timestamp }
  })
}
