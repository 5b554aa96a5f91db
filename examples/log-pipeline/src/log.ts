import { defineLog, type Log, measure } from '@pipe/log-gen'
import { deviceLogs } from './table'

/** Twenty-five sensors, one reading a second, with the faults that real fleets have. One file a minute. */
export const deviceLog: Log<typeof deviceLogs.columns> = defineLog({
  table: deviceLogs,
  seed: 42,
  devices: 25,
  every: '1 second',
  fields: {
    metric: measure({ base: [18, 24], season: { amplitude: 4 }, drift: { amplitude: 1.5, period: '2 hours' }, noise: 0.25 }),
  },
  faults: { late: 0.01, duplicate: 0.005, malformed: 0.005, cutGzip: { every: '1 hour' } },
})
