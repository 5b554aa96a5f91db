import { compactionDdl, defineCompaction } from '@pipe/compactor'
import type { Duration, S3Location } from '@pipe/core'
import { places } from './places'
import { tableFor } from './table'

/** The statements that make the tables; the raw-line table also serves the question over raw data at the end, so both engines get it. */
export function tableStatements({ window, grace }: { readonly window: Duration; readonly grace: Duration }): readonly string[] {
  const place = (prefix: string): S3Location => `s3://${places.bucket}/${prefix}`
  const compaction = defineCompaction({
    table: tableFor(window),
    source: place(places.raw),
    target: place(places.compacted),
    compactedTable: places.compactedTable,
    window,
    grace,
  })
  return compactionDdl(compaction, { database: places.database })
}
