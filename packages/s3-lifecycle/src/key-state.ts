import { LifecycleError } from './errors'
import { checkObject, type ReplicationStatus, type StoredObject } from './stored-object'

/** Whether a bucket keeps versions. */
export type Versioning = 'unversioned' | 'enabled' | 'suspended'

/** One version during a simulation. */
export interface VersionState {
  readonly versionId: string
  readonly sizeBytes: number
  readonly lastModifiedMs: number
  readonly isDeleteMarker: boolean
  readonly tags: Readonly<Record<string, string>> | undefined
  readonly replicationStatus: ReplicationStatus | undefined
  /** Infinity under a legal hold, 0 without a lock. */
  readonly lockedUntilMs: number
  storageClass: string
  /** When the version came into its class, in the simulation. */
  classSinceMs: number
  /** Kept from the moment it became noncurrent, also when its successor goes. `undefined` for the current version. */
  noncurrentSinceMs: number | undefined
  /** Since when a delete marker is the only version. */
  loneSinceMs: number
}

/** All versions of one key, newest first; the first is the current one. */
export interface KeyState {
  readonly key: string
  readonly versions: VersionState[]
}

/**
 * The state of one key.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INPUT` when versions are not newest first, or an unversioned bucket has several.
 */
export function keyStateOf(objects: readonly StoredObject[], versioning: Versioning): KeyState {
  const { key } = objects[0]!
  const refuse = (why: string) => {
    throw new LifecycleError('PIPE_LIFECYCLE_INPUT', `simulateLifecycle: ${JSON.stringify(key)} ${why}.`, { details: { key } })
  }
  if (versioning === 'unversioned' && (objects.length > 1 || objects[0]!.isDeleteMarker))
    refuse('has versions or a delete marker, but the bucket is said to have none')
  const versions: VersionState[] = []
  for (const object of objects) {
    checkObject('simulateLifecycle', object)
    const newer = versions.at(-1)
    const lastModifiedMs = object.lastModified.getTime()
    if (newer !== undefined && lastModifiedMs > newer.lastModifiedMs) refuse('has versions that are not newest first')
    if (object.isLatest !== undefined && object.isLatest !== (newer === undefined))
      refuse('has a current version that is not its newest')
    versions.push({
      versionId: object.versionId ?? 'null',
      sizeBytes: object.isDeleteMarker ? 0 : object.sizeBytes,
      lastModifiedMs,
      isDeleteMarker: object.isDeleteMarker ?? false,
      tags: object.isDeleteMarker ? undefined : object.tags,
      replicationStatus: object.replicationStatus,
      lockedUntilMs: object.hasLegalHold ? Number.POSITIVE_INFINITY : (object.lockedUntil?.getTime() ?? 0),
      storageClass: object.storageClass ?? 'STANDARD',
      classSinceMs: lastModifiedMs,
      noncurrentSinceMs: newer === undefined ? undefined : (object.noncurrentSince?.getTime() ?? newer.lastModifiedMs),
      loneSinceMs: lastModifiedMs,
    })
  }
  return { key, versions }
}

/** How many noncurrent versions are newer than the one at a place. Delete markers do not count (user guide, NoncurrentVersionExpiration). */
export function newerNoncurrent({ versions }: KeyState, place: number): number {
  let count = 0
  for (let i = 1; i < place; i++) if (!versions[i]!.isDeleteMarker) count++
  return count
}
