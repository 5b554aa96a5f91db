import { defineLog, type Log, measure } from '@pipe/log-gen'
import { deviceLogs } from '../fleet'

/** A small fleet with faults and awkward names, for the function and for the test that checks it. */
export const hostileLog: Log<typeof deviceLogs.columns> = defineLog({
  table: deviceLogs,
  seed: 7,
  devices: ["'; DROP TABLE device_logs; --", '"quo\nted"', '🔥', 'x'.repeat(4096), 'plain'],
  every: '1 second',
  fields: { metric: measure({ base: [0, 100], noise: 5 }) },
  faults: { late: 0.05, duplicate: 0.05, malformed: 0.05, cutGzip: { rate: 0.5 } },
})
