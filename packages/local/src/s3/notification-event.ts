import { localAccount, localRegion } from '../service'
import type { Change } from './change'
import { isMarker } from './object-record'
import { bucketArn } from './s3-request'

/** A change with what its events say of it. */
export interface NotifiedChange extends Change {
  readonly at: number
  readonly sequencer: string
  readonly requestId: string
}

/** One of the `Records` of a notification. The key is written as in a form: a space is a plus. */
export function notificationRecord(
  { event, index, version, at, sequencer, requestId }: NotifiedChange,
  configurationId: string,
): object {
  const isObject = !isMarker(version) && !event.includes('Removed') && !event.includes('Expiration')
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: localRegion,
    eventTime: new Date(at).toISOString(),
    eventName: event.replace(/^s3:/, ''),
    userIdentity: { principalId: localAccount },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': requestId, 'x-amz-id-2': localRegion },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: { name: index.name, ownerIdentity: { principalId: localAccount }, arn: bucketArn(index.name) },
      object: {
        key: encodeURIComponent(version.key).replaceAll('%2F', '/').replaceAll('%20', '+'),
        ...(isObject ? { size: version.size, eTag: version.etag.replaceAll('"', '') } : {}),
        ...(version.versionId === undefined ? {} : { versionId: version.versionId }),
        sequencer,
      },
    },
  }
}

/** What S3 calls a change on EventBridge, and why it happened. */
const bridgeNames: Readonly<Record<string, readonly [detailType: string, more?: Readonly<Record<string, string>>]>> = {
  's3:ObjectCreated:Put': ['Object Created', { reason: 'PutObject' }],
  's3:ObjectCreated:Copy': ['Object Created', { reason: 'CopyObject' }],
  's3:ObjectCreated:CompleteMultipartUpload': ['Object Created', { reason: 'CompleteMultipartUpload' }],
  's3:ObjectRemoved:Delete': ['Object Deleted', { reason: 'DeleteObject', 'deletion-type': 'Permanently Deleted' }],
  's3:ObjectRemoved:DeleteMarkerCreated': [
    'Object Deleted',
    { reason: 'DeleteObject', 'deletion-type': 'Delete Marker Created' },
  ],
  's3:LifecycleExpiration:Delete': ['Object Deleted', { reason: 'Lifecycle Expiration', 'deletion-type': 'Permanently Deleted' }],
  's3:LifecycleExpiration:DeleteMarkerCreated': [
    'Object Deleted',
    { reason: 'Lifecycle Expiration', 'deletion-type': 'Delete Marker Created' },
  ],
  's3:LifecycleTransition': ['Object Storage Class Changed'],
  's3:ObjectRestore:Post': ['Object Restore Initiated'],
  's3:ObjectTagging:Put': ['Object Tags Added'],
  's3:ObjectTagging:Delete': ['Object Tags Deleted'],
}

/**
 * The event on the default bus, where keys are not encoded; `undefined` for what S3 does not send there.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
export function bridgeEvent({
  event,
  index,
  version,
  sequencer,
  requestId,
}: NotifiedChange): { readonly detailType: string; readonly detail: object } | undefined {
  const named = bridgeNames[event]
  if (!named) return undefined
  const [detailType, more = {}] = named
  const isObject = !isMarker(version) && detailType !== 'Object Deleted'
  const detail = {
    version: '0',
    bucket: { name: index.name },
    object: {
      key: version.key,
      ...(isObject ? { size: version.size, etag: version.etag.replaceAll('"', '') } : {}),
      ...(version.versionId === undefined ? {} : { 'version-id': version.versionId }),
      sequencer,
    },
    'request-id': requestId,
    requester: localAccount,
    ...more,
  }
  return { detailType, detail }
}
