import { AwsError } from '../service'
import type { ObjectRecord, Restore } from './object-record'

const dayMs = 86_400_000

/** Classes whose objects can be read only when they are restored. */
export function isArchived(storageClass: string): boolean {
  return storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE'
}

/** What the clock makes of a restore: `undefined` when there is none, or it is over. */
export function restoreState({ restore }: ObjectRecord, now: number): 'in-progress' | { readonly until: number } | undefined {
  if (restore === undefined || now >= restore.until) return undefined
  return now < restore.readyAt ? 'in-progress' : { until: restore.until }
}

/** Whether the bytes can be read now. */
function isReadable(record: ObjectRecord, now: number): boolean {
  return !isArchived(record.storageClass) || typeof restoreState(record, now) === 'object'
}

/** @throws {@link AwsError} InvalidObjectState 403 */
export function checkReadable(record: ObjectRecord, now: number, what: 'object' | 'source object'): void {
  if (isReadable(record, now)) return
  const text =
    what === 'object'
      ? "The operation is not valid for the object's storage class"
      : "Operation is not valid for the source object's storage class"
  throw new AwsError('InvalidObjectState', text, 403, { StorageClass: record.storageClass })
}

/** The header that tells of a restore. */
export function restoreHeader(record: ObjectRecord, now: number): { readonly 'x-amz-restore'?: string } {
  const state = restoreState(record, now)
  if (state === undefined) return {}
  const text =
    state === 'in-progress'
      ? 'ongoing-request="true"'
      : `ongoing-request="false", expiry-date="${new Date(state.until).toUTCString()}"`
  return { 'x-amz-restore': text }
}

const hourMs = 3_600_000

/** The longest that S3 says a restore takes (user guide, "Archive retrieval options"). DEEP_ARCHIVE has no expedited one. */
const durations: Readonly<Record<string, Readonly<Partial<Record<Restore['tier'], number>>>>> = {
  GLACIER: { Expedited: hourMs / 12, Standard: 5 * hourMs, Bulk: 12 * hourMs },
  DEEP_ARCHIVE: { Standard: 12 * hourMs, Bulk: 48 * hourMs },
}

/**
 * The restore that a request at `now` begins: the copy goes at the midnight UTC behind so many days (asked for on 2012-10-15 10:30 for 3 days: 10-19 00:00).
 *
 * @throws {@link AwsError} InvalidArgument for a tier that the class does not have
 */
export function beginRestore({ storageClass }: ObjectRecord, tier: Restore['tier'], days: number, now: number): Restore {
  const duration = durations[storageClass]?.[tier]
  if (duration === undefined) throw new AwsError('InvalidArgument', 'Retrieval option is not supported by this storage class')
  return { tier, readyAt: now + duration, until: (Math.floor(now / dayMs) + days + 1) * dayMs }
}
