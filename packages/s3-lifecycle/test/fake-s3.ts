import type { S3Client } from '@aws-sdk/client-s3'
import type { LifecycleConfiguration } from '../src/index'

/** What one bucket of {@link fakeS3} holds. */
export interface FakeBucket {
  lifecycle?: LifecycleConfiguration | undefined
  versioning?: 'Enabled' | 'Suspended' | undefined
  /** Newest first for one key. */
  objects: FakeObject[]
  replication?: object | undefined
  policy?: string | undefined
  objectLock?: boolean
  requestPayment?: 'Requester' | 'BucketOwner'
  location?: string
  encryption?: object
}

/** One object or version. */
export interface FakeObject {
  Key: string
  Size: number
  LastModified: Date
  StorageClass?: string
  ETag?: string
  VersionId?: string
  IsLatest?: boolean
  IsDeleteMarker?: boolean
  RestoreStatus?: { IsRestoreInProgress?: boolean; RestoreExpiryDate?: Date }
  ReplicationStatus?: string
  head?: Record<string, unknown>
}

/** An error as the client throws it. */
export function s3Error(name: string, status: number, message: string = name): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } })
}

type Command = { readonly constructor: { readonly name: string }; readonly input: Record<string, unknown> }

/** A small S3 in memory, by the commands that this package sends. `before` may throw, or change the buckets as somebody else would. */
export function fakeS3(
  buckets: Record<string, FakeBucket>,
  before: (command: string, input: Record<string, unknown>) => unknown = () => undefined,
): { client: S3Client; calls: { command: string; input: Record<string, unknown> }[] } {
  const calls: { command: string; input: Record<string, unknown> }[] = []
  const handlers: Record<string, (bucket: FakeBucket, input: Record<string, unknown>) => unknown> = {
    GetBucketLifecycleConfigurationCommand(bucket) {
      if (bucket.lifecycle === undefined) throw s3Error('NoSuchLifecycleConfiguration', 404)
      return structuredClone(bucket.lifecycle)
    },
    PutBucketLifecycleConfigurationCommand(bucket, input) {
      const { Rules } = input['LifecycleConfiguration'] as LifecycleConfiguration
      if (Rules.length === 0) throw s3Error('MalformedXML', 400)
      const mode = input['TransitionDefaultMinimumObjectSize'] as LifecycleConfiguration['TransitionDefaultMinimumObjectSize']
      bucket.lifecycle = structuredClone({ Rules, TransitionDefaultMinimumObjectSize: mode ?? 'all_storage_classes_128K' })
      return {}
    },
    DeleteBucketLifecycleCommand(bucket) {
      bucket.lifecycle = undefined
      return {}
    },
    GetBucketVersioningCommand: (bucket) => ({ Status: bucket.versioning }),
    ListObjectsV2Command(bucket, input) {
      const current = bucket.objects.filter(
        ({ IsLatest = true, IsDeleteMarker, Key }) =>
          IsLatest && !IsDeleteMarker && Key.startsWith(String(input['Prefix'] ?? '')),
      )
      const start = Number(input['ContinuationToken'] ?? 0)
      const page = current.slice(start, start + 2)
      const isTruncated = start + 2 < current.length
      const Contents = page.map((object) => ({ ...object, Key: encodeURIComponent(object.Key) }))
      return { Contents, IsTruncated: isTruncated, ...(isTruncated && { NextContinuationToken: String(start + 2) }) }
    },
    ListObjectVersionsCommand(bucket, input) {
      const start = Number(input['VersionIdMarker'] ?? 0)
      const page = bucket.objects.slice(start, start + 3).map((object) => ({ ...object, Key: encodeURIComponent(object.Key) }))
      const isTruncated = start + 3 < bucket.objects.length
      return {
        Versions: page.filter(({ IsDeleteMarker }) => !IsDeleteMarker),
        DeleteMarkers: page.filter(({ IsDeleteMarker }) => IsDeleteMarker),
        IsTruncated: isTruncated,
        ...(isTruncated && { NextKeyMarker: page.at(-1)!.Key, NextVersionIdMarker: String(start + 3) }),
      }
    },
    HeadObjectCommand(bucket, input) {
      const found = objectOf(bucket, input)
      return {
        ContentLength: found.Size,
        LastModified: found.LastModified,
        ETag: found.ETag,
        StorageClass: found.StorageClass,
        ReplicationStatus: found.ReplicationStatus,
        ...found.head,
      }
    },
    GetObjectTaggingCommand: (bucket, input) => ({ TagSet: objectOf(bucket, input).head?.['tags'] ?? [] }),
    CopyObjectCommand(bucket, input) {
      const found = objectOf(bucket, input)
      if (input['CopySourceIfMatch'] !== undefined && input['CopySourceIfMatch'] !== found.ETag)
        throw s3Error('PreconditionFailed', 412)
      found.StorageClass = String(input['StorageClass'])
      return { CopyObjectResult: { ETag: found.ETag } }
    },
    CreateMultipartUploadCommand: () => ({ UploadId: 'u1' }),
    UploadPartCopyCommand: (_, input) => ({ CopyPartResult: { ETag: `"part-${String(input['PartNumber'])}"` } }),
    CompleteMultipartUploadCommand(bucket, input) {
      objectOf(bucket, input).StorageClass = 'GLACIER'
      return { ETag: '"done"' }
    },
    AbortMultipartUploadCommand: () => ({}),
    RestoreObjectCommand(bucket, input) {
      const found = objectOf(bucket, input)
      if (found.RestoreStatus?.IsRestoreInProgress) throw s3Error('RestoreAlreadyInProgress', 409)
      found.RestoreStatus = { IsRestoreInProgress: true }
      return {}
    },
    GetBucketReplicationCommand(bucket) {
      if (bucket.replication === undefined) throw s3Error('ReplicationConfigurationNotFoundError', 404)
      return { ReplicationConfiguration: structuredClone(bucket.replication) }
    },
    PutBucketReplicationCommand(bucket, input) {
      bucket.replication = structuredClone(input['ReplicationConfiguration'] as object)
      return {}
    },
    DeleteBucketReplicationCommand(bucket) {
      bucket.replication = undefined
      return {}
    },
    GetBucketPolicyCommand(bucket) {
      if (bucket.policy === undefined) throw s3Error('NoSuchBucketPolicy', 404)
      return { Policy: bucket.policy }
    },
    GetObjectLockConfigurationCommand(bucket) {
      if (!bucket.objectLock) throw s3Error('ObjectLockConfigurationNotFoundError', 404)
      return { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }
    },
    GetBucketRequestPaymentCommand: (bucket) => ({ Payer: bucket.requestPayment ?? 'BucketOwner' }),
  }
  function objectOf(bucket: FakeBucket, input: Record<string, unknown>): FakeObject {
    const found = bucket.objects.find(
      ({ Key, VersionId }) => Key === input['Key'] && (input['VersionId'] === undefined || VersionId === input['VersionId']),
    )
    if (found === undefined) throw s3Error('NotFound', 404)
    return found
  }
  const client = {
    async send(command: Command): Promise<unknown> {
      const { name } = command.constructor
      const { input } = command
      calls.push({ command: name, input })
      await before(name, input)
      const bucket = buckets[String(input['Bucket'])]
      if (bucket === undefined) throw s3Error('NoSuchBucket', 404)
      const handler = handlers[name]
      if (handler === undefined) throw new Error(`fakeS3 has no ${name}`)
      return handler(bucket, input)
    },
    destroy() {},
  }
  return { client: client as unknown as S3Client, calls }
}
