import type { Duration } from '@pipe/core'
import { type Replay, replayCsv } from '@pipe/log-gen'
import { type deviceLogs, tableFor } from './table'

export type RecordedSeries = Replay<typeof deviceLogs.columns>

/** Recorded series of a folder as a source: one device a file, named like the file without `.csv`; one raw object a tick. */
export function recordedSeries(
  dir: string,
  { tick, window }: { readonly tick: Duration; readonly window: Duration },
): RecordedSeries {
  return replayCsv({ table: tableFor(window), dir, timeColumn: 'timestamp', columns: { metric: 'value' }, file: tick })
}
