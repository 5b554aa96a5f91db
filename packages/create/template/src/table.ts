import { column, defineTable, hourly } from '@pipe/core'

/** What devices write: one contract, read by the generator, the compactor, the DDL and the queries. */
export const deviceLogs = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
  partitions: hourly(),
  allowedLateness: '10 minutes',
  allowedSkew: '1 minute',
})
