// Writes a window of about 1 GB of lines: large-window.mjs FOLDER. Prints rows and bytes before compression as JSON.
import { defineLog, generateWindows, measure, toFile } from '@pipe/log-gen'
import { table, windowStart } from './table'

const log = defineLog({
  table,
  seed: 1,
  devices: 40_000,
  every: '1 second',
  compression: 1,
  fields: { metric: measure({ base: [0, 100], noise: 20 }) },
})
const { rows, rawBytes, files } = await generateWindows({
  log,
  sink: toFile(process.argv[2]!),
  from: windowStart,
  to: windowStart + 5 * 60_000,
  shards: 16,
})
console.log(JSON.stringify({ rows, rawBytes, files }))
