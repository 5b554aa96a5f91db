import type { Authorizer, Principal } from '../../service'
import type { BucketIndex } from '../bucket-index'
import { keyContext } from '../kms-key'
import { idOf, isMarker, type ObjectRecord, type VersionRecord } from '../object-record'
import type { Store } from '../store'
import type { ReplicationRule } from './document'
import { matchingRules } from './match'

/** What the replicator needs of a clock. */
interface SchedulingClock {
  now(): number
  schedule(at: number, task: () => void): () => void
}

/** How long a version stays `PENDING`, on the clock of the runtime. S3 takes seconds to 15 minutes. */
const replicationDelayMs = 1000

/**
 * Copies what waits for replication into the buckets of its rules, in the name of the role, and notes how it went: `COMPLETED`, or `FAILED` when a bucket,
 * a right or a key is missing, with S3's name for the reason. Versions that were waiting when a runtime was closed go on.
 *
 * @returns what ends it.
 */
export function startReplicator(store: Store, clock: SchedulingClock, authorizer: Authorizer): () => void {
  const cancels = new Set<() => void>()

  function enqueue(index: BucketIndex, { key, versionId }: VersionRecord): void {
    const cancel = clock.schedule(clock.now() + replicationDelayMs, () => {
      cancels.delete(cancel)
      if (store.find(index.name) === index) replicate(store, authorizer, index, key, versionId)
    })
    cancels.add(cancel)
  }

  for (const index of store.buckets()) {
    if (!index.configuration.replication) continue
    for (const cursor = index.seekAll(''); ; cursor.next()) {
      const ordered = cursor.key()
      if (ordered === undefined) break
      for (const version of [...index.versionsAt(ordered)].reverse())
        if (version.replication === 'PENDING') enqueue(index, version)
    }
  }
  const ignore = store.onChange(({ event, index, version }) => {
    if (version.replication === 'PENDING' && /^s3:Object(Created|Removed:DeleteMarkerCreated)/.test(event))
      enqueue(index, version)
  })
  return () => {
    ignore()
    for (const cancel of cancels) cancel()
  }
}

function replicate(store: Store, authorizer: Authorizer, index: BucketIndex, key: string, versionId: string | undefined): void {
  const version = index.versions(key).find((one) => one.versionId === versionId)
  const { replication: document } = index.configuration
  if (version?.replication !== 'PENDING' || !document) return
  const role = roleOf(document.Role)
  const rules = matchingRules(document, version)
  // The rules may have changed since the version was written.
  let reason = rules.length === 0 ? 'SrcObjectNotEligible' : undefined
  for (const rule of rules) {
    const refused = refusal(store, authorizer, role, index, version, rule)
    if (refused === undefined) copy(store, version, rule)
    reason ??= refused
  }
  const done: VersionRecord = { ...version, replication: reason === undefined ? 'COMPLETED' : 'FAILED' }
  index.amend(done)
  if (reason !== undefined) store.announce({ event: 's3:Replication:OperationFailedReplication', index, version: done, reason })
}

function roleOf(arn: string): Principal {
  const [, , , , account, role] = arn.split(':')
  return { name: role!.slice('role/'.length), account: account!, accessKeyId: '', secretAccessKey: '' }
}

const nameOf = (rule: ReplicationRule) => rule.Destination.Bucket.split(':').at(-1)!

/** Why the version cannot be replicated (user guide, "Amazon S3 replication failure reasons"); undefined when it can. */
function refusal(
  store: Store,
  authorizer: Authorizer,
  role: Principal,
  index: BucketIndex,
  version: VersionRecord,
  rule: ReplicationRule,
): string | undefined {
  const destination = store.find(nameOf(rule))
  if (!destination) return 'DstBucketNotFound'
  if (destination.configuration.versioning !== 'Enabled') return 'DstBucketUnversioned'
  const { key } = version
  const [source, target] = [`arn:aws:s3:::${index.name}`, `arn:aws:s3:::${destination.name}/${key}`]
  const may = (action: string, resource: string, context = {}) => authorizer.isAllowed(role, action, resource, context)
  if (!may('s3:GetReplicationConfiguration', source) || !may('s3:ListBucket', source)) return 'AssumeRoleNotPermitted'
  if (isMarker(version)) return may('s3:ReplicateDelete', target) ? undefined : 'DstDelObjNotPermitted'
  if (index.configuration.objectLock && !destination.configuration.objectLock) return 'DstBucketObjectLockConfigMissing'
  const object = `${source}/${key}`
  if (!may('s3:GetObjectVersionForReplication', object)) return 'SrcGetObjectNotPermitted'
  if (version.kmsKey !== undefined && !may('kms:Decrypt', version.kmsKey, keyContext(index.name, key)))
    return 'SrcGetObjectNotPermitted'
  if (!may('s3:GetObjectVersionAcl', object)) return 'SrcGetAclNotPermitted'
  if (version.tags && !may('s3:GetObjectVersionTagging', object)) return 'SrcGetTaggingNotPermitted'
  if (!may('s3:ReplicateObject', target)) return 'DstPutObjectNotPermitted'
  if (version.tags && !may('s3:ReplicateTags', target)) return 'DstPutTaggingNotPermitted'
  if (rule.Destination.AccessControlTranslation && !may('s3:ObjectOwnerOverrideToBucketOwner', target))
    return 'DstPutAclNotPermitted'
  const replicaKey = replicaKeyOf(version, rule)
  const isUsable = (action: string) => may(action, replicaKey!, keyContext(destination.name, key))
  if (replicaKey !== undefined && !(isUsable('kms:Encrypt') && isUsable('kms:GenerateDataKey'))) return 'DstPutObjectNotPermitted'
  return undefined
}

function replicaKeyOf({ kmsKey }: ObjectRecord, { Destination: to }: ReplicationRule): string | undefined {
  return kmsKey === undefined ? undefined : to.EncryptionConfiguration?.ReplicaKmsKeyID
}

/** A replica keeps version id, time, metadata, tags and lock of its source. */
function copy(store: Store, version: VersionRecord, rule: ReplicationRule): void {
  const destination = store.bucket(nameOf(rule))
  const { noncurrentSince: _, ...own } = version
  const isThere = destination.versions(version.key).some((one) => idOf(one) === idOf(version))
  if (isThere) return
  if (isMarker(version)) {
    destination.mark({ ...own, isMarker: true, replication: 'REPLICA' })
    return
  }
  const { restore: __, kmsKey: ___, ...object } = own as ObjectRecord
  const replicaKey = replicaKeyOf(version, rule)
  const replica: ObjectRecord = {
    ...object,
    body: store.bodies.duplicate(version.body),
    storageClass: rule.Destination.StorageClass ?? version.storageClass,
    replication: 'REPLICA',
    ...(replicaKey !== undefined && { kmsKey: replicaKey }),
  }
  destination.put(replica)
}
