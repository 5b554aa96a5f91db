import { LifecycleError } from './errors'

/** How far an object has come with replication (`x-amz-replication-status`). */
export type ReplicationStatus = 'PENDING' | 'COMPLETED' | 'FAILED' | 'REPLICA'

/** An object, or one version of one, as a listing or an inventory shows it. Only the first three fields are needed. */
export interface StoredObject {
  readonly key: string
  /** 0 for a delete marker. */
  readonly sizeBytes: number
  readonly lastModified: Date
  /** Default `STANDARD`. */
  readonly storageClass?: string | undefined
  /** Neither listings nor inventories have tags: without them a rule with tags matches nothing. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly etag?: string | undefined
  /** `null` for what was written without versioning. Default `null`. */
  readonly versionId?: string | undefined
  /** Default: the first version of a key. */
  readonly isLatest?: boolean | undefined
  readonly isDeleteMarker?: boolean | undefined
  /** When the next newer version was written. Default: `lastModified` of the version before it in the list. */
  readonly noncurrentSince?: Date | undefined
  readonly replicationStatus?: ReplicationStatus | undefined
  /** Object Lock: until then the version cannot be deleted. */
  readonly lockedUntil?: Date | undefined
  readonly hasLegalHold?: boolean | undefined
  /** Of an archived object: `in-progress`, or when the restored copy goes. */
  readonly restore?: 'in-progress' | { readonly until: Date } | undefined
}

/** A multipart upload that was begun and not completed. */
export interface PendingUpload {
  readonly key: string
  readonly uploadId: string
  readonly initiated: Date
}

/** Whether lifecycle leaves an object alone because of replication. */
export function isReplicationBlocked(status: ReplicationStatus | undefined): boolean {
  return status === 'PENDING' || status === 'FAILED'
}

/** Refuses what cannot be an object. */
export function checkObject(where: string, object: StoredObject): void {
  const time = object.lastModified instanceof Date ? object.lastModified.getTime() : Number.NaN
  if (typeof object.key === 'string' && Number.isSafeInteger(object.sizeBytes) && object.sizeBytes >= 0 && !Number.isNaN(time))
    return
  throw new LifecycleError('PIPE_LIFECYCLE_INPUT', `${where}: ${JSON.stringify(object)} is no object.`, {
    hint: 'It needs key, sizeBytes (a whole number) and lastModified (a valid Date).',
    details: { key: String(object.key) },
  })
}
