import { column, defineTable, type Table } from '@pipe/core'
import { defineLog, type FaultOptions, type Log, measure } from '@pipe/log-gen'

const columns = { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() }

/** The table of the example pipeline. */
export const deviceLogs: Table<typeof columns> = defineTable('device_logs', {
  columns,
  eventTime: 'timestamp',
  allowedLateness: '10 minutes',
  allowedSkew: '1 minute',
})

/** The faults of `npm start`. */
export const allFaults: FaultOptions = { late: 0.01, duplicate: 0.005, malformed: 0.005, cutGzip: { every: '1 hour' } }

/** A fleet over {@link deviceLogs}. */
export function fleet(
  options: { devices?: number | string[]; seed?: number; faults?: FaultOptions; every?: '1 second' | '5 seconds' } = {},
): Log<typeof columns> {
  return defineLog({
    table: deviceLogs,
    seed: options.seed ?? 42,
    devices: options.devices ?? 50,
    every: options.every ?? '1 second',
    fields: {
      metric: measure({ base: [18, 24], season: { amplitude: 4 }, drift: { amplitude: 1.5, period: '2 hours' }, noise: 0.25 }),
    },
    faults: options.faults ?? allFaults,
  })
}

export const hour = { from: '2026-11-24T15:00:00Z', to: '2026-11-24T16:00:00Z' }
