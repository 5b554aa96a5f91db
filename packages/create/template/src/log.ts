import { defineLog, measure } from '@pipe/log-gen'
import { deviceLogs } from './table'

/** Ten sensors, one reading a second, some of them late, twice or damaged. The same seed writes the same bytes. */
export const deviceLog = defineLog({
  table: deviceLogs,
  seed: 1,
  devices: 10,
  every: '1 second',
  fields: { metric: measure({ base: [18, 24], season: { amplitude: 4 }, noise: 0.25 }) },
  faults: { late: 0.01, duplicate: 0.005, malformed: 0.005 },
})
