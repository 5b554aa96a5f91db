import { defineCompaction } from '@pipe/compactor'
import { places } from './places'
import { deviceLogs } from './table'

/** Five minutes of small files become one Parquet file, a minute after they are over. */
export const compaction = defineCompaction({
  table: deviceLogs,
  source: places.raw,
  target: places.compacted,
  compactedTable: places.compactedTable,
  window: '5 minutes',
  grace: '1 minute',
})
