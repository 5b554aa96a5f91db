import { randomBytes } from 'node:crypto'
import type { BucketIndex } from './bucket-index'
import type { ChangeEvent } from './change'
import { defaultRetention } from './lock'
import type { MarkerRecord, ObjectRecord } from './object-record'
import { replicationStatusOf } from './replication/match'
import type { Store } from './store'

/** A version id as S3 makes them: 32 characters that need no escaping. */
function newVersionId(): string {
  return randomBytes(24).toString('base64url')
}

function versionIdFor(index: BucketIndex): { readonly versionId?: string } {
  return index.configuration.versioning === 'Enabled' ? { versionId: newVersionId() } : {}
}

/**
 * Stores an object as the configuration of the bucket asks: a new version or in place of the version `null`, with the default retention, to be replicated.
 * Synchronous, so that a check before it and the write are one step.
 */
export function storeObject(
  store: Store,
  index: BucketIndex,
  event: ChangeEvent,
  object: ObjectRecord,
  upload?: string,
): ObjectRecord {
  const { versioning, objectLock, replication } = index.configuration
  let record = object
  if (versioning !== undefined) {
    const retention = object.retention ?? (objectLock && defaultRetention(objectLock, object.lastModified))
    record = { ...object, ...versionIdFor(index), ...(retention && { retention }) }
    const status = replication && replicationStatusOf(replication, record)
    if (status) record = { ...record, replication: status }
  }
  index.put(record, upload)
  store.announce({ event, index, version: record })
  return record
}

/**
 * Deletes as a DELETE without a version id does: for good in a bucket without versions, else by a delete marker, which in a suspended bucket takes the place
 * of the version `null`.
 *
 * @returns the marker, if there is one.
 */
export function removeObject(
  store: Store,
  index: BucketIndex,
  key: string,
  at: number,
  events: { readonly deleted: ChangeEvent; readonly marked: ChangeEvent },
): MarkerRecord | undefined {
  const { versioning, replication } = index.configuration
  if (versioning === undefined) {
    const current = index.get(key)
    if (current === undefined) return undefined
    index.delete(key)
    store.announce({ event: events.deleted, index, version: current })
    return undefined
  }
  let marker: MarkerRecord = { isMarker: true, key, lastModified: at, ...versionIdFor(index) }
  // Expiry is never replicated, only what users delete.
  const status = events.marked.startsWith('s3:ObjectRemoved') && replication && replicationStatusOf(replication, marker)
  if (status) marker = { ...marker, replication: status }
  index.mark(marker)
  store.announce({ event: events.marked, index, version: marker })
  return marker
}

/** The names under which a DELETE of a user is told. */
export const userDeletes = { deleted: 's3:ObjectRemoved:Delete', marked: 's3:ObjectRemoved:DeleteMarkerCreated' } as const

/** Changes what a version carries; told only when there is an event for that. */
export function amendObject(store: Store, index: BucketIndex, record: ObjectRecord, event?: ChangeEvent): void {
  index.amend(record)
  if (event) store.announce({ event, index, version: record })
}

/** Removes one version for good. */
export function removeVersion(
  store: Store,
  index: BucketIndex,
  key: string,
  versionId: string | undefined,
  event: ChangeEvent,
): void {
  const version = index.versions(key).find((one) => one.versionId === versionId)
  if (version === undefined) return
  index.delete(key, versionId)
  store.announce({ event, index, version })
}
