import type { BucketIndex } from './bucket-index'
import type { VersionRecord } from './object-record'

/** What happened, by the name of its event notification. */
export type ChangeEvent =
  | 's3:ObjectCreated:Put'
  | 's3:ObjectCreated:Copy'
  | 's3:ObjectCreated:CompleteMultipartUpload'
  | 's3:ObjectRemoved:Delete'
  | 's3:ObjectRemoved:DeleteMarkerCreated'
  | 's3:ObjectTagging:Put'
  | 's3:ObjectTagging:Delete'
  | 's3:ObjectRestore:Post'
  | 's3:LifecycleTransition'
  | 's3:LifecycleExpiration:Delete'
  | 's3:LifecycleExpiration:DeleteMarkerCreated'
  | 's3:Replication:OperationFailedReplication'

/** Something that happened to a version of an object, told after it stands in the index. */
export interface Change {
  readonly event: ChangeEvent
  readonly index: BucketIndex
  /** As it is now; of a removal, as it was. */
  readonly version: VersionRecord
  /** Why replication failed, by S3's name for it. */
  readonly reason?: string
}
