import { defineLog, type Log, measure } from '@pipe/log-gen'
import { deviceLogs } from './table'

/** A hundred sensors, a reading every ten seconds, for the simulated day (`--day`). */
export const dayLog: Log<typeof deviceLogs.columns> = defineLog({
  table: deviceLogs,
  seed: 7,
  devices: 100,
  every: '10 seconds',
  fields: {
    metric: measure({ base: [18, 24], season: { amplitude: 4 }, drift: { amplitude: 1.5, period: '2 hours' }, noise: 0.25 }),
  },
  faults: { late: 0.03, duplicate: 0.01, malformed: 0.005 },
})

/** Files that each call of the generator writes: that of a missed tick comes with the next one. */
export const dayCatchUp = 3
