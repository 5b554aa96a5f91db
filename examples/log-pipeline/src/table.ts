import { column, type Duration, daily, defineTable, hourly, type RowOf, windowLengthMs } from '@pipe/core'

const contract = {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
  allowedLateness: '10 minutes',
  allowedSkew: '1 minute',
} as const

/** What devices write: one contract, read by the generator, the compactor, the DDL and the queries. */
export const deviceLogs = defineTable('device_logs', { ...contract, partitions: hourly() })

/** The same contract for windows longer than an hour: a window never crosses a partition. */
export const dailyDeviceLogs = defineTable('device_logs', { ...contract, partitions: daily() })

/** The contract whose partitions hold whole windows of this length. */
export function tableFor(window: Duration): typeof deviceLogs {
  return windowLengthMs(window) > deviceLogs.partitions.lengthMs ? dailyDeviceLogs : deviceLogs
}

export type DeviceLog = RowOf<typeof deviceLogs>
