import type { BucketIndex } from '../bucket-index'
import { isMarker, type VersionRecord } from '../object-record'
import type { Store } from '../store'
import { amendObject, removeObject, removeVersion } from '../write-version'
import { dayMs, dueDay } from './calendar'
import { actionOf, type DueAction, dueActions, lifecyclePolicy } from './due-actions'

/** What a day's run did to one version. */
export interface LifecycleActionTaken {
  readonly version: VersionRecord
  readonly action: DueAction
}

/** What {@link runDay} tells. */
export interface DayRun {
  /** Number of the next day at whose beginning anything is due as things stand; Infinity: nothing ever. */
  readonly nextDay: number
}

/**
 * Lets the lifecycle of a bucket act at the beginning of a day (number of the day of UTC). All decisions over a key are taken on its versions as they were before,
 * and each version takes part in one action a day.
 */
export function runDay(
  store: Store,
  index: BucketIndex,
  day: number,
  onAction: (taken: LifecycleActionTaken) => void = () => {},
): DayRun {
  const policy = lifecyclePolicy(index.configuration)
  if (policy === undefined) return { nextDay: Number.POSITIVE_INFINITY }
  let nextDay = abortUploads(index, day)
  const keys: string[] = []
  for (const cursor = index.seekAll(''); ; cursor.next()) {
    const ordered = cursor.key()
    if (ordered === undefined) break
    const versions = index.versionsAt(ordered)
    const first = Math.min(...versions.flatMap((_, place) => dueActions(policy, versions, place).map((due) => due.day)))
    // A cursor does not outlive a change, so what is due is done behind it.
    if (first <= day) keys.push(versions[0]!.key)
    else nextDay = Math.min(nextDay, first)
  }
  for (const key of keys) {
    const before = index.versions(key)
    const chosen = before.map((_, place) => actionOf(day, dueActions(policy, before, place)))
    chosen.forEach((action, place) => {
      const version = before[place]!
      // A delete marker may have taken the place of the version null.
      if (action && index.versions(key).includes(version)) onAction({ version, action: act(store, index, day, version, action) })
    })
    nextDay = Math.min(nextDay, day + 1)
  }
  return { nextDay }
}

function act(store: Store, index: BucketIndex, day: number, version: VersionRecord, action: DueAction): DueAction {
  const { key } = version
  if (action.kind === 'transition' && !isMarker(version)) {
    const { restore: _, ...rest } = version
    amendObject(store, index, { ...rest, storageClass: action.to! }, 's3:LifecycleTransition')
    return action
  }
  const isCurrent = version.noncurrentSince === undefined
  const { versioning } = index.configuration
  const events = { deleted: 's3:LifecycleExpiration:Delete', marked: 's3:LifecycleExpiration:DeleteMarkerCreated' } as const
  if (isCurrent && !isMarker(version) && versioning !== undefined) removeObject(store, index, key, day * dayMs, events)
  else removeVersion(store, index, key, version.versionId, events.deleted)
  return action
}

/** @returns the next day at which an upload is due. */
function abortUploads(index: BucketIndex, day: number): number {
  const rules = (index.configuration.lifecycle?.Rule ?? []).filter((rule) => rule.Status === 'Enabled')
  let nextDay = Number.POSITIVE_INFINITY
  for (const upload of [...index.uploads.values()]) {
    const days = rules.flatMap(({ Prefix, Filter, AbortIncompleteMultipartUpload: abort }) =>
      abort && upload.key.startsWith(Prefix ?? Filter?.Prefix ?? Filter?.And?.Prefix ?? '')
        ? [dueDay(upload.initiated, abort.DaysAfterInitiation)]
        : [],
    )
    const due = Math.min(...days)
    if (due <= day) index.abortUpload(upload.uploadId)
    else nextDay = Math.min(nextDay, due)
  }
  return nextDay
}
