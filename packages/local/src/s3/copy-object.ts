import { AwsError } from '../service'
import { type ChecksumAlgorithm, checksumElement, parseAlgorithm } from './checksum'
import { checkWrite } from './conditions'
import { type CopySource, copySource, digestFiles } from './copy-source'
import { requestedHeaders } from './object-headers'
import { idOf, type ObjectHeaders, type ObjectRecord } from './object-record'
import { authorizedWrite, writtenHeaders } from './put-object'
import { sendXml } from './respond'
import { authorizeObject, checkOwner, header, objectArn, type S3Context, type S3Request } from './s3-request'
import { storeObject } from './write-version'
import { textElement, xmlDocument } from './xml'

const maxCopyBytes = 5 * 2 ** 30

/** CopyObject: the bytes are shared, not copied, because body files never change. */
export async function copyObject(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  const conditions = authorizedWrite(context, request)
  checkOwner(context, request)
  store.bucket(request.bucket)
  const source = copySource(context, request)
  const headers = copiedHeaders(context, request, source)
  if (source.record.size > maxCopyBytes) {
    throw new AwsError(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${maxCopyBytes}`,
    )
  }
  const isCurrent = source.index.get(request.key) === source.record
  if (source.index.name === request.bucket && isCurrent && unchanged(request, source.record, headers)) {
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
    const copied = { key: request.key, size: source.record.size, lastModified: store.now(), body, ...digests, ...headers }
    record = storeObject(store, index, 's3:ObjectCreated:Copy', copied)
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
    {
      ...writtenHeaders(store.bucket(request.bucket), record),
      ...(source.index.configuration.versioning && { 'x-amz-copy-source-version-id': idOf(source.record) }),
    },
  )
}

// Storage class, lock and encryption are not copied: without a header they are those of any new object (CopyObject reference).
function copiedHeaders(context: S3Context, request: S3Request, source: CopySource): ObjectHeaders {
  const metadata = directiveOf(request, 'metadata')
  const tagging = directiveOf(request, 'tagging')
  // Also refuses what is not implemented.
  const { tags: requestedTags, ...requested } = requestedHeaders(context, request)
  const tags = tagging === 'REPLACE' ? requestedTags : copiedTags(context, request, source)
  return {
    ...requested,
    ...(metadata === 'COPY' && { metadata: source.record.metadata, content: source.record.content }),
    ...(tags && { tags }),
  }
}

function copiedTags(context: S3Context, request: S3Request, { index, record }: CopySource): ObjectHeaders['tags'] {
  if (!record.tags) return undefined
  context.authorizer.authorize(request.call.principal, 's3:GetObjectTagging', objectArn(index.name, record.key))
  authorizeObject(context, request, 's3:PutObjectTagging')
  return record.tags
}

function directiveOf(request: S3Request, what: 'metadata' | 'tagging'): 'COPY' | 'REPLACE' {
  const name = `x-amz-${what}-directive`
  const directive = header(request, name) ?? 'COPY'
  if (directive === 'COPY' || directive === 'REPLACE') return directive
  throw new AwsError('InvalidArgument', `Unknown ${what} directive.`, 400, { ArgumentName: name, ArgumentValue: directive })
}

function unchanged(request: S3Request, source: ObjectRecord, headers: ObjectHeaders): boolean {
  return (
    directiveOf(request, 'metadata') === 'COPY' &&
    header(request, 'x-amz-storage-class') === undefined &&
    header(request, 'x-amz-server-side-encryption') === undefined &&
    source.kmsKey === headers.kmsKey
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
