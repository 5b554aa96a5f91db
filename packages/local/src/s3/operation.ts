import { AwsError } from '../service'
import { deleteBucketEncryption, getBucketEncryption, putBucketEncryption } from './bucket-encryption'
import { deleteBucketPolicy, getBucketPolicy, putBucketPolicy } from './bucket-policy'
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets'
import { completeMultipartUpload } from './complete-multipart-upload'
import { copyObject } from './copy-object'
import { deleteObject, deleteObjects } from './delete-objects'
import { getObject } from './get-object'
import { deleteLifecycle, getLifecycle, putLifecycle } from './lifecycle/operations'
import { listObjectsV1, listObjectsV2 } from './list-objects'
import { listMultipartUploads, listParts } from './list-uploads'
import { listObjectVersions } from './list-versions'
import { abortMultipartUpload, createMultipartUpload, uploadPart, uploadPartCopy } from './multipart-upload'
import { getNotification, putNotification } from './notification'
import { overrideParameters } from './object-headers'
import {
  getObjectLegalHold,
  getObjectLockConfiguration,
  getObjectRetention,
  putObjectLegalHold,
  putObjectLockConfiguration,
  putObjectRetention,
} from './object-lock'
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './object-tagging'
import { putObject } from './put-object'
import { deleteReplication, getReplication, putReplication } from './replication/operations'
import { getRequestPayment, putRequestPayment } from './request-payment'
import { restoreObject } from './restore-object'
import type { S3Context, S3Request } from './s3-request'
import { getBucketVersioning, putBucketVersioning } from './versioning'

/** One operation of the S3 API. */
export interface Operation {
  readonly name: string
  run(context: S3Context, request: S3Request): Promise<void>
}

interface Route extends Operation {
  readonly method: string
  readonly scope: 'service' | 'bucket' | 'object'
  /** Query parameters that must be there; a value after `=` must match. */
  readonly selectors: readonly string[]
  /** Header that must be there. */
  readonly header?: string
  /** Further query parameters that it takes. */
  readonly parameters: readonly string[]
}

const listing = ['prefix', 'delimiter', 'max-keys', 'encoding-type']

/** What is set on a bucket: a subresource of the same name as its query parameter. */
const configurationRoutes: readonly Route[] = [
  route('GetBucketVersioning', 'GET', 'bucket', ['versioning'], [], getBucketVersioning),
  route('PutBucketVersioning', 'PUT', 'bucket', ['versioning'], [], putBucketVersioning),
  route('GetBucketLifecycleConfiguration', 'GET', 'bucket', ['lifecycle'], [], getLifecycle),
  route('PutBucketLifecycleConfiguration', 'PUT', 'bucket', ['lifecycle'], [], putLifecycle),
  route('DeleteBucketLifecycle', 'DELETE', 'bucket', ['lifecycle'], [], deleteLifecycle),
  route('GetBucketReplication', 'GET', 'bucket', ['replication'], [], getReplication),
  route('PutBucketReplication', 'PUT', 'bucket', ['replication'], [], putReplication),
  route('DeleteBucketReplication', 'DELETE', 'bucket', ['replication'], [], deleteReplication),
  route('GetBucketNotificationConfiguration', 'GET', 'bucket', ['notification'], [], getNotification),
  route('PutBucketNotificationConfiguration', 'PUT', 'bucket', ['notification'], [], putNotification),
  route('GetObjectLockConfiguration', 'GET', 'bucket', ['object-lock'], [], getObjectLockConfiguration),
  route('PutObjectLockConfiguration', 'PUT', 'bucket', ['object-lock'], [], putObjectLockConfiguration),
  route('GetBucketPolicy', 'GET', 'bucket', ['policy'], [], getBucketPolicy),
  route('PutBucketPolicy', 'PUT', 'bucket', ['policy'], [], putBucketPolicy),
  route('DeleteBucketPolicy', 'DELETE', 'bucket', ['policy'], [], deleteBucketPolicy),
  route('GetBucketRequestPayment', 'GET', 'bucket', ['requestPayment'], [], getRequestPayment),
  route('PutBucketRequestPayment', 'PUT', 'bucket', ['requestPayment'], [], putRequestPayment),
  route('GetBucketEncryption', 'GET', 'bucket', ['encryption'], [], getBucketEncryption),
  route('PutBucketEncryption', 'PUT', 'bucket', ['encryption'], [], putBucketEncryption),
  route('DeleteBucketEncryption', 'DELETE', 'bucket', ['encryption'], [], deleteBucketEncryption),
]

/** What stands beside the bytes of an object. */
const subresourceRoutes: readonly Route[] = [
  route('GetObjectTagging', 'GET', 'object', ['tagging'], ['versionId'], getObjectTagging),
  route('PutObjectTagging', 'PUT', 'object', ['tagging'], ['versionId'], putObjectTagging),
  route('DeleteObjectTagging', 'DELETE', 'object', ['tagging'], ['versionId'], deleteObjectTagging),
  route('GetObjectRetention', 'GET', 'object', ['retention'], ['versionId'], getObjectRetention),
  route('PutObjectRetention', 'PUT', 'object', ['retention'], ['versionId'], putObjectRetention),
  route('GetObjectLegalHold', 'GET', 'object', ['legal-hold'], ['versionId'], getObjectLegalHold),
  route('PutObjectLegalHold', 'PUT', 'object', ['legal-hold'], ['versionId'], putObjectLegalHold),
  route('RestoreObject', 'POST', 'object', ['restore'], ['versionId'], restoreObject),
]

// The first route that fits wins, so the more particular ones come first.
const routes: readonly Route[] = [
  ...configurationRoutes,
  route('ListBuckets', 'GET', 'service', [], ['prefix', 'max-buckets', 'continuation-token', 'bucket-region'], listBuckets),
  route('CreateBucket', 'PUT', 'bucket', [], [], createBucket),
  route('DeleteBucket', 'DELETE', 'bucket', [], [], deleteBucket),
  route('HeadBucket', 'HEAD', 'bucket', [], [], headBucket),
  route('GetBucketLocation', 'GET', 'bucket', ['location'], [], getBucketLocation),
  route(
    'ListObjectsV2',
    'GET',
    'bucket',
    ['list-type=2'],
    [...listing, 'start-after', 'continuation-token', 'fetch-owner'],
    listObjectsV2,
  ),
  route(
    'ListMultipartUploads',
    'GET',
    'bucket',
    ['uploads'],
    ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'],
    listMultipartUploads,
  ),
  route('ListObjectVersions', 'GET', 'bucket', ['versions'], [...listing, 'key-marker', 'version-id-marker'], listObjectVersions),
  route('ListObjects', 'GET', 'bucket', [], [...listing, 'marker'], listObjectsV1),
  route('DeleteObjects', 'POST', 'bucket', ['delete'], [], deleteObjects),
  route('ListParts', 'GET', 'object', ['uploadId'], ['max-parts', 'part-number-marker', 'encoding-type'], listParts),
  ...subresourceRoutes,
  route('GetObject', 'GET', 'object', [], ['partNumber', 'versionId', ...overrideParameters], getObject),
  route('HeadObject', 'HEAD', 'object', [], ['partNumber', 'versionId', ...overrideParameters], getObject),
  route('UploadPartCopy', 'PUT', 'object', ['uploadId', 'partNumber'], [], uploadPartCopy, 'x-amz-copy-source'),
  route('UploadPart', 'PUT', 'object', ['uploadId', 'partNumber'], [], uploadPart),
  route('CopyObject', 'PUT', 'object', [], [], copyObject, 'x-amz-copy-source'),
  route('PutObject', 'PUT', 'object', [], [], putObject),
  route('AbortMultipartUpload', 'DELETE', 'object', ['uploadId'], [], abortMultipartUpload),
  route('DeleteObject', 'DELETE', 'object', [], ['versionId'], deleteObject),
  route('CreateMultipartUpload', 'POST', 'object', ['uploads'], [], createMultipartUpload),
  route('CompleteMultipartUpload', 'POST', 'object', ['uploadId'], [], completeMultipartUpload),
]

// By method and scope, so that a request is compared with few.
const groups = new Map<string, Route[]>()
for (const one of routes) {
  const group = `${one.method} ${one.scope}`
  groups.set(group, [...(groups.get(group) ?? []), one])
}

function route(
  name: string,
  method: string,
  scope: Route['scope'],
  selectors: readonly string[],
  parameters: readonly string[],
  run: Operation['run'],
  header?: string,
): Route {
  return { name, method, scope, selectors, parameters, run, ...(header === undefined ? {} : { header }) }
}

/**
 * The operation that a request asks for.
 *
 * @throws {@link AwsError} NotImplemented 501 naming the query parameter or method that no operation here takes: never ignored, because a client that
 * asks for ACLs or websites must not believe that it has them.
 */
export function operationOf(request: S3Request): Operation {
  const { method, query } = request
  const scope = request.bucket === '' ? 'service' : request.key === '' ? 'bucket' : 'object'
  const found = groups
    .get(`${method} ${scope}`)
    ?.find(
      (candidate) =>
        candidate.selectors.every((selector) => selects(query, selector)) &&
        (candidate.header === undefined || candidate.header in request.headers),
    )
  for (const name of query.keys()) {
    // `x-id` is the name of the operation, sent by the JavaScript SDK.
    if (
      name === 'x-id' ||
      found?.selectors.some((selector) => selector.split('=')[0] === name) ||
      found?.parameters.includes(name)
    )
      continue
    throw new AwsError(
      'NotImplemented',
      `The local S3 does not implement ${method} with "${name}" on ${scope === 'service' ? 'the service' : `a${scope === 'object' ? 'n object' : ' bucket'}`}.`,
      501,
      { SubResource: name },
    )
  }
  if (!found) {
    throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405, {
      Method: method,
      ResourceType: scope.toUpperCase(),
    })
  }
  return found
}

function selects(query: ReadonlyMap<string, string>, selector: string): boolean {
  const [name, value] = selector.split('=') as [string, string | undefined]
  return query.has(name) && (value === undefined || query.get(name) === value)
}
