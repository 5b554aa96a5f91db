import type { LifecycleDocument } from './lifecycle/document'
import type { ObjectLockDocument } from './lock'
import type { NotificationDocument } from './notification-document'
import type { ReplicationDocument } from './replication/document'

/** What is set on a bucket, by name; absent: never set, or deleted. Kept in the journal as it stands here. */
export interface BucketConfiguration {
  readonly versioning?: 'Enabled' | 'Suspended'
  readonly lifecycle?: LifecycleDocument
  readonly replication?: ReplicationDocument
  readonly notification?: NotificationDocument
  readonly objectLock?: ObjectLockDocument
  /** The policy as it was sent: JSON. */
  readonly policy?: string
  readonly payer?: 'BucketOwner' | 'Requester'
  /** ARN of the KMS key that new objects get when they name none. */
  readonly kmsKey?: string
}
