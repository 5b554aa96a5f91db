import { createHash, randomUUID } from 'node:crypto'
import { AwsError } from '../service'
import type { BucketIndex } from './bucket-index'
import { parseRange } from './byte-range'
import { type Checksum, type ChecksumType, checksumElement, checksumHeader, parseAlgorithm } from './checksum'
import { isoSeconds } from './copy-object'
import { concatenate, copySource } from './copy-source'
import { encryptionHeaders } from './kms-key'
import { requestedHeaders } from './object-headers'
import type { PartRecord, UploadRecord } from './object-record'
import { receiveBody } from './receive-body'
import { sendEmpty, sendXml } from './respond'
import { authorizeObject, checkOwner, header, type S3Context, type S3Request } from './s3-request'
import type { Store } from './store'
import { textElement, xmlDocument } from './xml'

const maxParts = 10_000
const maxPartBytes = 5 * 2 ** 30

/** CreateMultipartUpload. */
export async function createMultipartUpload(context: S3Context, request: S3Request): Promise<void> {
  authorizeObject(context, request, 's3:PutObject')
  checkOwner(context, request)
  const headers = requestedHeaders(context, request)
  const index = context.store.bucket(request.bucket)
  const named = header(request, 'x-amz-checksum-algorithm')
  const algorithm = named === undefined ? undefined : parseAlgorithm(named)
  const checksumType = parseChecksumType(header(request, 'x-amz-checksum-type'), algorithm)
  const uploadId = `${randomUUID()}${randomUUID()}`.replaceAll('-', '')
  index.beginUpload({
    uploadId,
    key: request.key,
    initiated: context.store.now(),
    checksumType,
    ...(algorithm === undefined ? {} : { algorithm }),
    ...headers,
  })
  sendXml(
    request.call,
    xmlDocument(
      'InitiateMultipartUploadResult',
      textElement('Bucket', request.bucket) + textElement('Key', request.key) + textElement('UploadId', uploadId),
    ),
    {
      ...encryptionHeaders(headers),
      ...(algorithm === undefined ? {} : { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': checksumType }),
    },
  )
}

// CRC64NVME exists over the whole object only, SHA over parts only (user guide, "Checking object integrity").
function parseChecksumType(text: string | undefined, algorithm: UploadRecord['algorithm']): ChecksumType {
  if (text === undefined) return algorithm === undefined || algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE'
  const type = text.toUpperCase()
  if (type !== 'FULL_OBJECT' && type !== 'COMPOSITE') {
    throw new AwsError('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.')
  }
  if (algorithm === undefined) {
    throw new AwsError(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    )
  }
  if ((type === 'COMPOSITE' && algorithm === 'CRC64NVME') || (type === 'FULL_OBJECT' && algorithm.startsWith('SHA'))) {
    throw new AwsError(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    )
  }
  return type
}

/** The upload of the request. @throws {@link AwsError} NoSuchUpload */
export function findUpload(index: BucketIndex, request: S3Request): UploadRecord {
  const uploadId = request.query.get('uploadId') ?? ''
  const upload = index.uploads.get(uploadId)
  if (!upload || upload.key !== request.key) {
    throw new AwsError(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      404,
      { UploadId: uploadId },
    )
  }
  return upload
}

/** UploadPart. */
export async function uploadPart(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  authorizeObject(context, request, 's3:PutObject')
  checkOwner(context, request)
  const number = partNumber(request)
  const upload = findUpload(store.bucket(request.bucket), request)
  const body = await receiveBody(store.bodies, request, upload.algorithm ?? 'CRC64NVME')
  const etag = `"${body.md5}"`
  try {
    if (upload.algorithm !== undefined && body.checksum.algorithm !== upload.algorithm) {
      throw new AwsError(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm.toLowerCase()}, actual checksum Type: ${body.checksum.algorithm.toLowerCase()}`,
      )
    }
    putPart(store, request, {
      number,
      size: body.size,
      etag,
      lastModified: store.now(),
      body: body.body,
      checksum: body.checksum,
    })
  } catch (error) {
    store.bodies.discard(body.body)
    throw error
  }
  sendEmpty(request.call, 200, {
    etag,
    ...encryptionHeaders(upload),
    ...(body.stated ? { [checksumHeader(body.checksum.algorithm)]: body.checksum.value } : {}),
  })
}

// The upload is looked up again: it may have been completed or aborted while the part came in.
function putPart(store: Store, request: S3Request, part: PartRecord): void {
  const index = store.bucket(request.bucket)
  index.putPart(findUpload(index, request).uploadId, part)
}

/** UploadPartCopy. */
export async function uploadPartCopy(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  authorizeObject(context, request, 's3:PutObject')
  checkOwner(context, request)
  const number = partNumber(request)
  const upload = findUpload(store.bucket(request.bucket), request)
  const { record } = copySource(context, request)
  const wanted = header(request, 'x-amz-copy-source-range')
  const range = wanted === undefined ? undefined : copyRange(wanted, record.size)
  const size = range ? range.end - range.start + 1 : record.size
  if (size > maxPartBytes)
    throw new AwsError('InvalidRequest', `The part to copy has ${size} bytes; S3 takes at most ${maxPartBytes}.`)
  const source = { path: store.bodies.path(record.body), ...(range ? { range } : {}) }
  const copied = await concatenate(store.bodies, [source], upload.algorithm ?? 'CRC64NVME')
  const etag = `"${copied.md5}"`
  const lastModified = store.now()
  try {
    putPart(store, request, { number, size: copied.size, etag, lastModified, body: copied.body, checksum: copied.checksum })
  } catch (error) {
    store.bodies.discard(copied.body)
    throw error
  }
  sendXml(
    request.call,
    xmlDocument(
      'CopyPartResult',
      textElement('LastModified', isoSeconds(lastModified)) +
        textElement('ETag', etag) +
        checksumXml(upload.algorithm && copied.checksum),
    ),
  )
}

function copyRange(text: string, size: number): { start: number; end: number } {
  // Stricter than Range: both ends, inside the source.
  const range = /^bytes=\d+-\d+$/.test(text) ? parseRange(text, size) : undefined
  if (!range || Number(text.slice(text.indexOf('-') + 1)) >= size) {
    throw new AwsError('InvalidArgument', `Range specified is not valid for source object of size: ${size}`, 400, {
      ArgumentName: 'x-amz-copy-source-range',
      ArgumentValue: text,
    })
  }
  return range
}

/** AbortMultipartUpload. */
export async function abortMultipartUpload(context: S3Context, request: S3Request): Promise<void> {
  authorizeObject(context, request, 's3:AbortMultipartUpload')
  checkOwner(context, request)
  const index = context.store.bucket(request.bucket)
  index.abortUpload(findUpload(index, request).uploadId)
  sendEmpty(request.call, 204)
}

function partNumber(request: S3Request): number {
  const text = request.query.get('partNumber') ?? ''
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > maxParts) {
    throw new AwsError('InvalidArgument', `Part number must be an integer between 1 and ${maxParts}, inclusive`, 400, {
      ArgumentName: 'partNumber',
      ArgumentValue: text,
    })
  }
  return number
}

/** `<ChecksumCRC32>…` of a stored checksum. */
export function checksumXml(checksum: Checksum | undefined): string {
  return checksum ? textElement(checksumElement(checksum.algorithm), checksum.value) : ''
}

/** The ETag of an object of parts: MD5 over the MD5s of the parts, with their count behind it. */
export function multipartEtag(etags: readonly string[]): string {
  const hash = createHash('md5')
  for (const etag of etags) hash.update(Buffer.from(etag.replaceAll('"', ''), 'hex'))
  return `"${hash.digest('hex')}-${etags.length}"`
}
