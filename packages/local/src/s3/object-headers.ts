import { AwsError } from '../service'
import { restoreHeader } from './archive'
import type { BucketIndex } from './bucket-index'
import { checksumHeader } from './checksum'
import { encryptionHeaders, requestedKey } from './kms-key'
import { lockHeaders } from './lock'
import { requestedLock } from './object-lock'
import type { ObjectHeaders, ObjectRecord } from './object-record'
import { requestedTags } from './object-tagging'
import { objectContentEncoding } from './receive-body'
import { header, type S3Context, type S3Request } from './s3-request'
import type { Store } from './store'
import { versionHeader } from './versions'

/** Headers that are stored with an object and sent with it, and the query parameter of a GET that overrides each. */
const contentHeaders = [
  'content-type',
  'content-encoding',
  'cache-control',
  'content-disposition',
  'content-language',
  'expires',
] as const

const storageClasses = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
])

const maxMetadataBytes = 2048

/**
 * The headers that the object of a put, copy (REPLACE) or multipart upload gets.
 *
 * @throws {@link AwsError} InvalidStorageClass, MetadataTooLarge, InvalidTag, AccessDenied (tags, lock, key), NotImplemented (customer keys, website redirects)
 */
export function requestedHeaders(context: S3Context, request: S3Request): ObjectHeaders {
  refuseUnsupported(request)
  const content: Record<string, string> = {}
  for (const name of contentHeaders) {
    const value = name === 'content-encoding' ? objectContentEncoding(header(request, name)) : header(request, name)
    if (value !== undefined) content[name] = value
  }
  content['content-type'] ??= 'binary/octet-stream'
  const tags = requestedTags(context, request)
  const kmsKey = requestedKey(context, request)
  return {
    storageClass: requestedStorageClass(request) ?? 'STANDARD',
    metadata: requestedMetadata(request),
    content,
    ...(tags && { tags }),
    ...requestedLock(context, request),
    ...(kmsKey !== undefined && { kmsKey }),
  }
}

/** @throws {@link AwsError} InvalidStorageClass */
function requestedStorageClass(request: S3Request): string | undefined {
  const storageClass = header(request, 'x-amz-storage-class')
  if (storageClass !== undefined && !storageClasses.has(storageClass)) {
    throw new AwsError('InvalidStorageClass', 'The storage class you specified is not valid', 400, {
      StorageClassRequested: storageClass,
    })
  }
  return storageClass
}

function requestedMetadata(request: S3Request): Record<string, string> {
  const metadata: Record<string, string> = {}
  let bytes = 0
  for (const name in request.headers) {
    if (!name.startsWith('x-amz-meta-')) continue
    const value = header(request, name)!
    bytes += name.length - 'x-amz-meta-'.length + value.length
    metadata[name.slice('x-amz-meta-'.length)] = value
  }
  if (bytes > maxMetadataBytes) {
    throw new AwsError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', 400, {
      Size: String(bytes),
      MaxSizeAllowed: String(maxMetadataBytes),
    })
  }
  return metadata
}

const grants = [
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
]

function refuseUnsupported(request: S3Request): void {
  for (const name in request.headers) {
    if (
      name === 'x-amz-website-redirect-location' ||
      name === 'x-amz-write-offset-bytes' ||
      name.startsWith('x-amz-server-side-encryption-customer-') ||
      name === 'x-amz-server-side-encryption-context' ||
      name === 'x-amz-server-side-encryption-bucket-key-enabled' ||
      name.startsWith('x-amz-copy-source-server-side-encryption-')
    ) {
      throw notImplementedHeader(name)
    }
  }
  const acl = header(request, 'x-amz-acl')
  if (
    (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control') ||
    grants.some((name) => name in request.headers)
  ) {
    // The default of every bucket since April 2023 (BucketOwnerEnforced).
    throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs', 400)
  }
}

function notImplementedHeader(name: string): AwsError {
  return new AwsError('NotImplemented', `The local S3 does not implement the header ${name}.`, 501, { Header: name })
}

/** The headers that describe an object in the answer to GET and HEAD, without its length. */
export function objectHeaders(record: ObjectRecord, withChecksum: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    etag: record.etag,
    'last-modified': new Date(record.lastModified).toUTCString(),
    'accept-ranges': 'bytes',
    ...encryptionHeaders(record),
  }
  for (const name in record.content) headers[name] = record.content[name]!
  for (const name in record.metadata) headers[`x-amz-meta-${name}`] = record.metadata[name]!
  // S3 leaves the header out for STANDARD.
  if (record.storageClass !== 'STANDARD') headers['x-amz-storage-class'] = record.storageClass
  if (withChecksum && record.checksum) {
    headers[checksumHeader(record.checksum.algorithm)] = record.checksum.value
    headers['x-amz-checksum-type'] = record.checksum.type
  }
  return headers
}

/** Applies the `response-*` parameters of a GET to the headers of its answer. */
export function overrideHeaders(headers: Record<string, string>, query: ReadonlyMap<string, string>): void {
  for (const name of contentHeaders) {
    const value = query.get(`response-${name}`)
    if (value !== undefined) headers[name] = value
  }
}

/** Query parameters that {@link overrideHeaders} reads. */
export const overrideParameters: readonly string[] = contentHeaders.map((name) => `response-${name}`)

/** The headers that tell what has become of a version: its id, tags, replication, lock and restore. */
export function stateHeaders(store: Store, index: BucketIndex, record: ObjectRecord): Readonly<Record<string, string>> {
  return {
    ...versionHeader(index, record),
    ...(record.tags && { 'x-amz-tagging-count': String(Object.keys(record.tags).length) }),
    ...(record.replication && { 'x-amz-replication-status': record.replication }),
    ...lockHeaders(record),
    ...restoreHeader(record, store.now()),
  }
}
