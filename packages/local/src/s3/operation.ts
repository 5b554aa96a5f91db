import { AwsError } from '../service'
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets'
import { completeMultipartUpload } from './complete-multipart-upload'
import { copyObject } from './copy-object'
import { deleteObject, deleteObjects } from './delete-objects'
import { getObject } from './get-object'
import { listObjectsV1, listObjectsV2 } from './list-objects'
import { listMultipartUploads, listParts } from './list-uploads'
import { abortMultipartUpload, createMultipartUpload, uploadPart, uploadPartCopy } from './multipart-upload'
import { overrideParameters } from './object-headers'
import { putObject } from './put-object'
import type { S3Context, S3Request } from './s3-request'

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

// The first route that fits wins, so the more particular ones come first.
const routes: readonly Route[] = [
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
  route('ListObjects', 'GET', 'bucket', [], [...listing, 'marker'], listObjectsV1),
  route('DeleteObjects', 'POST', 'bucket', ['delete'], [], deleteObjects),
  route('ListParts', 'GET', 'object', ['uploadId'], ['max-parts', 'part-number-marker', 'encoding-type'], listParts),
  route('GetObject', 'GET', 'object', [], ['partNumber', ...overrideParameters], getObject),
  route('HeadObject', 'HEAD', 'object', [], ['partNumber', ...overrideParameters], getObject),
  route('UploadPartCopy', 'PUT', 'object', ['uploadId', 'partNumber'], [], uploadPartCopy, 'x-amz-copy-source'),
  route('UploadPart', 'PUT', 'object', ['uploadId', 'partNumber'], [], uploadPart),
  route('CopyObject', 'PUT', 'object', [], [], copyObject, 'x-amz-copy-source'),
  route('PutObject', 'PUT', 'object', [], [], putObject),
  route('AbortMultipartUpload', 'DELETE', 'object', ['uploadId'], [], abortMultipartUpload),
  route('DeleteObject', 'DELETE', 'object', [], [], deleteObject),
  route('CreateMultipartUpload', 'POST', 'object', ['uploads'], [], createMultipartUpload),
  route('CompleteMultipartUpload', 'POST', 'object', ['uploadId'], [], completeMultipartUpload),
]

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
 * asks for versions, tags or locks must not believe that it has them.
 */
export function operationOf(request: S3Request): Operation {
  const { method, query } = request
  const scope = request.bucket === '' ? 'service' : request.key === '' ? 'bucket' : 'object'
  const found = routes.find(
    (candidate) =>
      candidate.method === method &&
      candidate.scope === scope &&
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
