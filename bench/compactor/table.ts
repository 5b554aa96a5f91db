import { column, defineTable } from '@pipe/core'

/** The table of the suite. */
export const table = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
})

/** The window of the suite's files, and where they lie below the prefix of a source. */
export const windowStart: number = Date.UTC(2026, 10, 24, 15, 30)
export const at: Date = new Date(windowStart + 5 * 60_000)
export const hourFolder = 'dt=2026-11-24/hour=15/'
