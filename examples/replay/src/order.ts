import { column } from '@pipe/core'
import { defineTopic } from '@pipe/kafka-kit'

export const orders = defineTopic('orders', {
  key: column.string(),
  value: { id: column.integer(), total: column.double() },
  partitions: 3,
  replicationFactor: 3,
  minInSyncReplicas: 2,
  retention: '7 days',
})

/** Orders with one second of record time between them. */
export function ordersFrom(start: Date, count: number) {
  return Array.from({ length: count }, (_, id) => ({
    key: `customer-${id % 50}`,
    value: { id, total: (id % 97) + 0.5 },
    timestamp: new Date(start.getTime() + id * 1000),
  }))
}
