import type { SettingValues } from '../settings'
import type { PartitionLog } from './partition-log'

/** What deletes from a log: `cleanup.policy` and the settings behind it. */
export interface RetentionSettings {
  readonly deletes: boolean
  readonly compacts: boolean
  /** −1 = for ever. */
  readonly retentionMs: number
  /** −1 = any size. */
  readonly retentionBytes: number
}

/** Reads them. */
export function retentionSettings(settings: SettingValues): RetentionSettings {
  const policy = settings.text('cleanup.policy')
  return {
    deletes: policy.includes('delete'),
    compacts: policy.includes('compact'),
    retentionMs: settings.number('retention.ms'),
    retentionBytes: settings.number('retention.bytes'),
  }
}

/**
 * Where a log should begin now: whole segments go, oldest first, when their latest record is too old, or when the log is too large without them. Only what is
 * committed goes. The segment that is written to goes only by age.
 */
export function retainedStart(log: PartitionLog, settings: RetentionSettings, highWatermark: number, now: number): number {
  const { retentionMs, retentionBytes } = settings
  let start = log.startOffset
  let size = log.sizeBytes
  for (const [index, segment] of log.segments.entries()) {
    const end = log.segments[index + 1]?.baseOffset ?? log.endOffset
    if (segment.batches.length === 0 || end > highWatermark) break
    const isOld = retentionMs >= 0 && segment.maxTimestamp >= 0 && segment.maxTimestamp < now - retentionMs
    const isTooMuch = retentionBytes >= 0 && size - segment.sizeBytes >= retentionBytes && index < log.segments.length - 1
    if (!isOld && !isTooMuch) break
    start = end
    size -= segment.sizeBytes
  }
  return start
}

/** When the oldest segment is too old, in milliseconds since the epoch; `undefined` when nothing ever is. */
export function dueAt(log: PartitionLog, { retentionMs, deletes }: RetentionSettings): number | undefined {
  const oldest = log.segments[0]
  if (!deletes || retentionMs < 0 || !oldest || oldest.batches.length === 0 || oldest.maxTimestamp < 0) return undefined
  return oldest.maxTimestamp + retentionMs + 1
}
