import { AwsError } from '../service'
import type { BucketIndex } from './bucket-index'
import { canonicalId, ownerElement } from './buckets'
import { isoSeconds } from './copy-object'
import { keyEncoding, parseLimit } from './list-objects'
import { checksumXml, findUpload } from './multipart-upload'
import type { UploadRecord } from './object-record'
import { sendXml } from './respond'
import { authorizeObject, bucketArn, checkOwner, type S3Context, type S3Request } from './s3-request'
import { utf8Order } from './sorted-keys'
import { element, textElement, xmlDocument } from './xml'

function people({ owner }: BucketIndex): string {
  return element('Initiator', textElement('ID', canonicalId(owner)) + textElement('DisplayName', 'local')) + ownerElement(owner)
}

/** ListParts. */
export async function listParts(context: S3Context, request: S3Request): Promise<void> {
  const { query } = request
  authorizeObject(context, request, 's3:ListMultipartUploadParts')
  checkOwner(context, request)
  const index = context.store.bucket(request.bucket)
  const upload = findUpload(index, request)
  const encode = keyEncoding(query.get('encoding-type'))
  const limit = parseLimit('max-parts', query.get('max-parts'))
  const marker = query.get('part-number-marker') ?? '0'
  if (!/^\d{1,10}$/.test(marker)) {
    throw new AwsError('InvalidArgument', 'Provided part-number-marker not an integer or within integer range', 400, {
      ArgumentName: 'part-number-marker',
    })
  }
  const behind = [...upload.parts.values()].filter((part) => part.number > Number(marker)).sort((a, b) => a.number - b.number)
  const page = behind.slice(0, limit)
  const truncated = page.length < behind.length
  const parts = page.map((part) =>
    element(
      'Part',
      textElement('PartNumber', part.number) +
        textElement('LastModified', isoSeconds(part.lastModified)) +
        textElement('ETag', part.etag) +
        textElement('Size', part.size) +
        checksumXml(part.checksum),
    ),
  )
  sendXml(
    request.call,
    xmlDocument(
      'ListPartsResult',
      textElement('Bucket', request.bucket) +
        textElement('Key', encode(request.key)) +
        textElement('UploadId', upload.uploadId) +
        people(index) +
        textElement('StorageClass', upload.storageClass) +
        textElement('PartNumberMarker', marker) +
        textElement('NextPartNumberMarker', page.at(-1)?.number ?? 0) +
        textElement('MaxParts', limit) +
        textElement('IsTruncated', truncated) +
        textElement('ChecksumAlgorithm', upload.algorithm) +
        textElement('ChecksumType', upload.algorithm && upload.checksumType) +
        parts.join(''),
    ),
  )
}

/** ListMultipartUploads, with prefix, delimiter and paging. */
export async function listMultipartUploads(context: S3Context, request: S3Request): Promise<void> {
  const { query } = request
  context.authorizer.authorize(request.call.principal, 's3:ListBucketMultipartUploads', bucketArn(request.bucket))
  checkOwner(context, request)
  const index = context.store.bucket(request.bucket)
  const encode = keyEncoding(query.get('encoding-type'))
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const limit = parseLimit('max-uploads', query.get('max-uploads'))
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('upload-id-marker') ?? ''
  const isBehind = (upload: UploadRecord) =>
    keyMarker === '' ||
    utf8Order(upload.key) > utf8Order(keyMarker) ||
    (idMarker !== '' && upload.key === keyMarker && byAge(upload) > idMarkerAge)
  const byAge = (upload: UploadRecord) => `${String(upload.initiated).padStart(16, '0')}${upload.uploadId}`
  const marked = index.uploads.get(idMarker)
  const idMarkerAge = marked ? byAge(marked) : ''
  const behind = [...index.uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix) && isBehind(upload))
    .sort((a, b) => compare(utf8Order(a.key), utf8Order(b.key)) || compare(byAge(a), byAge(b)))
  let content = ''
  let count = 0
  let truncated = false
  let last = { key: '', uploadId: '' }
  let lastPrefix: string | undefined
  for (const upload of behind) {
    const cut = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length)
    const common = cut < 0 ? undefined : upload.key.slice(0, cut + delimiter.length)
    if (common !== undefined && (common === lastPrefix || keyMarker.startsWith(common))) continue
    if (count >= limit) {
      truncated = limit > 0
      break
    }
    count++
    lastPrefix = common
    last = common === undefined ? upload : { key: common, uploadId: '' }
    content +=
      common === undefined
        ? uploadElement(index, upload, encode)
        : element('CommonPrefixes', textElement('Prefix', encode(common)))
  }
  sendXml(
    request.call,
    xmlDocument(
      'ListMultipartUploadsResult',
      textElement('Bucket', request.bucket) +
        textElement('KeyMarker', encode(keyMarker)) +
        textElement('UploadIdMarker', idMarker) +
        textElement('NextKeyMarker', truncated ? encode(last.key) : undefined) +
        textElement('NextUploadIdMarker', truncated ? last.uploadId : undefined) +
        textElement('Prefix', encode(prefix)) +
        (delimiter === '' ? '' : textElement('Delimiter', encode(delimiter))) +
        textElement('EncodingType', query.get('encoding-type')) +
        textElement('MaxUploads', limit) +
        textElement('IsTruncated', truncated) +
        content,
    ),
  )
}

function uploadElement(index: BucketIndex, upload: UploadRecord, encode: (text: string) => string): string {
  return element(
    'Upload',
    textElement('Key', encode(upload.key)) +
      textElement('UploadId', upload.uploadId) +
      people(index) +
      textElement('StorageClass', upload.storageClass) +
      textElement('Initiated', isoSeconds(upload.initiated)) +
      textElement('ChecksumAlgorithm', upload.algorithm) +
      textElement('ChecksumType', upload.algorithm && upload.checksumType),
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
