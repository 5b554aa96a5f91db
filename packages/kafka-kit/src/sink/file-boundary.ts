import { type Duration, windowOf } from '@pipe/core'

/** Where files end, as numbers. */
export interface Roll {
  readonly records: number
  /** Bytes of the rows as NDJSON, before compression. */
  readonly bytes: number
  /** Length of a roll window of record time. */
  readonly eventTime: Duration
  /** Milliseconds after which a file is closed though nothing followed; `undefined`: never. */
  readonly maxWaitMs: number | undefined
}

const lastInstantMs = Date.UTC(9999, 11, 31, 23, 59)
const dayMs = 86_400_000

/** Start of the roll window that holds a record. Times that no key can name (before 1970, after 9999) count as the first and last that one can. */
export function windowOfRecord(every: Duration, timestampMs: number): Date {
  return windowOf(every, Math.min(Math.max(timestampMs, 0), lastInstantMs)).start
}

/**
 * The roll window that names a file, from its first record and the file before it.
 *
 * The windows of a partition do not go back for a record that is a little late: its window may be compacted already. A step back of more
 * than a day is no lateness but a clock that was wrong, or old data on purpose: the file is named by the record again.
 */
export function windowOfFile(every: Duration, firstTimestampMs: number, before: Date | undefined): Date {
  const own = windowOfRecord(every, firstTimestampMs)
  if (before === undefined) return own
  const back = before.getTime() - own.getTime()
  return back > 0 && back <= dayMs ? before : own
}

/** Whether a file ends before a record: the record's window lies behind the file's. Late records stay in the file that is open. */
export function endsBefore(roll: Roll, window: Date, timestampMs: number): boolean {
  return windowOfRecord(roll.eventTime, timestampMs) > window
}

/** Whether a file is full after its last record. */
export function isFull(roll: Roll, file: { readonly records: number; readonly bytes: number }): boolean {
  return file.records >= roll.records || file.bytes >= roll.bytes
}
