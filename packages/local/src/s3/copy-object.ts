import { AwsError } from '../service'
import type { ObjectHeaders, ObjectRecord } from './bucket-index'
import { type ChecksumAlgorithm, checksumElement, parseAlgorithm } from './checksum'
import { checkWrite } from './conditions'
import { copySource, digestFiles } from './copy-source'
import { requestedHeaders, requestedStorageClass } from './object-headers'
import { authorizedWrite } from './put-object'
import { sendXml } from './respond'
import { checkOwner, header, type S3Context, type S3Request } from './s3-request'
import { textElement, xmlDocument } from './xml'

const maxCopyBytes = 5 * 2 ** 30

/** CopyObject: the bytes are shared, not copied, because body files never change. */
export async function copyObject(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  const conditions = authorizedWrite(context, request)
  checkOwner(request)
  store.bucket(request.bucket)
  const source = copySource(context, request)
  const headers = copiedHeaders(request, source.record)
  if (source.record.size > maxCopyBytes) {
    throw new AwsError(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${maxCopyBytes}`,
    )
  }
  if (source.bucket === request.bucket && source.record.key === request.key && unchanged(request)) {
    throw new AwsError(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  const wanted = header(request, 'x-amz-checksum-algorithm')
  // A second name first: the source may be replaced and its file removed while it is read.
  const body = store.bodies.duplicate(source.record.body)
  let record: ObjectRecord
  try {
    const digests = await copiedDigests(
      source.record,
      store.bodies.path(body),
      wanted === undefined ? undefined : parseAlgorithm(wanted),
    )
    const index = store.bucket(request.bucket)
    checkWrite(index, request.key, conditions)
    record = { key: request.key, size: source.record.size, lastModified: store.now(), body, ...digests, ...headers }
    index.put(record)
  } catch (error) {
    store.bodies.discard(body)
    throw error
  }
  sendXml(
    request.call,
    xmlDocument(
      'CopyObjectResult',
      textElement('LastModified', isoSeconds(record.lastModified)) +
        textElement('ETag', record.etag) +
        (record.checksum
          ? textElement('ChecksumType', record.checksum.type) +
            textElement(checksumElement(record.checksum.algorithm), record.checksum.value)
          : ''),
    ),
    { 'x-amz-server-side-encryption': 'AES256' },
  )
}

function copiedHeaders(request: S3Request, source: ObjectRecord): ObjectHeaders {
  const directive = header(request, 'x-amz-metadata-directive') ?? 'COPY'
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw new AwsError('InvalidArgument', `Unknown metadata directive.`, 400, {
      ArgumentName: 'x-amz-metadata-directive',
      ArgumentValue: directive,
    })
  }
  // Also refuses what is not implemented.
  const requested = requestedHeaders(request)
  if (directive === 'REPLACE') return requested
  // The storage class is not copied: without the header a copy is STANDARD (CopyObject reference).
  return { storageClass: requestedStorageClass(request) ?? 'STANDARD', metadata: source.metadata, content: source.content }
}

function unchanged(request: S3Request): boolean {
  return (
    (header(request, 'x-amz-metadata-directive') ?? 'COPY') === 'COPY' && header(request, 'x-amz-storage-class') === undefined
  )
}

// A copy is one plain object: its ETag is the MD5 of the bytes and its checksum covers them, also when the source came in parts.
async function copiedDigests(
  source: ObjectRecord,
  path: string,
  algorithm: ChecksumAlgorithm | undefined,
): Promise<Pick<ObjectRecord, 'etag' | 'checksum'>> {
  const wanted = algorithm ?? source.checksum?.algorithm ?? 'CRC64NVME'
  if (!source.partSizes && source.checksum?.type === 'FULL_OBJECT' && source.checksum.algorithm === wanted) {
    return { etag: source.etag, checksum: source.checksum }
  }
  const { md5, checksum } = await digestFiles([{ path }], wanted)
  return { etag: `"${md5}"`, checksum }
}

/** S3 keeps whole seconds. */
export function isoSeconds(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString()
}
