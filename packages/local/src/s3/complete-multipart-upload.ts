import { AwsError } from '../service'
import { type Checksum, checksumAlgorithms, checksumElement, checksumHeader, compositeChecksum } from './checksum'
import { checkWrite } from './conditions'
import { concatenate } from './copy-source'
import { checksumXml, findUpload, multipartEtag } from './multipart-upload'
import type { ObjectHeaders, ObjectRecord, PartRecord, UploadRecord } from './object-record'
import { authorizedWrite, writtenHeaders } from './put-object'
import { receiveDocument } from './receive-body'
import { sendXml } from './respond'
import { checkOwner, header, type S3Context, type S3Request } from './s3-request'
import { storeObject } from './write-version'
import { childNodes, childText, malformedXml, readXml, textElement, type XmlNode, xmlDocument } from './xml'

const minPartBytes = 5 * 2 ** 20
// 10 000 parts with their checksums.
const maxDocumentBytes = 8 << 20

/** CompleteMultipartUpload, with If-Match and If-None-Match: *. The parts become one file; the change of the index is one step. */
export async function completeMultipartUpload(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  const conditions = authorizedWrite(context, request)
  checkOwner(context, request)
  const upload = findUpload(store.bucket(request.bucket), request)
  const document = await receiveDocument(request, maxDocumentBytes, { checksumOfBody: false })
  const parts = listedParts(upload, await readXml(document.bytes, 'CompleteMultipartUpload'))
  checkWrite(store.bucket(request.bucket), request.key, conditions)
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const stated = header(request, 'x-amz-mp-object-size')
  if (stated !== undefined && Number(stated) !== size) {
    throw new AwsError(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${stated} does not match what was computed: ${size}`,
    )
  }
  const algorithm = upload.algorithm ?? 'CRC64NVME'
  const files = parts.map((part) => ({ path: store.bodies.path(part.body) }))
  const whole = await concatenate(store.bodies, files, algorithm)
  let record: ObjectRecord
  try {
    if (whole.size !== size)
      throw new AwsError('InternalError', `The parts of the upload have ${whole.size} bytes instead of ${size}.`, 500)
    const checksum = finalChecksum(upload, parts, whole.checksum)
    checkStatedChecksum(request, checksum)
    const index = store.bucket(request.bucket)
    // Again: a rival may have completed or aborted it meanwhile. From here on nothing is awaited.
    findUpload(index, request)
    checkWrite(index, request.key, conditions)
    const completed: ObjectRecord = {
      ...headersOf(upload),
      key: request.key,
      size,
      etag: multipartEtag(parts.map((part) => part.etag)),
      lastModified: store.now(),
      body: whole.body,
      checksum,
      partSizes: parts.map((part) => part.size),
    }
    record = storeObject(store, index, 's3:ObjectCreated:CompleteMultipartUpload', completed, upload.uploadId)
  } catch (error) {
    store.bodies.discard(whole.body)
    throw error
  }
  const { host } = request.headers
  sendXml(
    request.call,
    xmlDocument(
      'CompleteMultipartUploadResult',
      textElement('Location', `http://${host ?? 'localhost'}/${request.bucket}/${encodeURIComponent(request.key)}`) +
        textElement('Bucket', request.bucket) +
        textElement('Key', request.key) +
        textElement('ETag', record.etag) +
        checksumXml(record.checksum) +
        textElement('ChecksumType', record.checksum?.type),
    ),
    writtenHeaders(store.bucket(request.bucket), record),
  )
}

function headersOf({ storageClass, metadata, content, tags, retention, legalHold, kmsKey }: UploadRecord): ObjectHeaders {
  return {
    storageClass,
    metadata,
    content,
    ...(tags && { tags }),
    ...(retention && { retention }),
    ...(legalHold && { legalHold }),
    ...(kmsKey !== undefined && { kmsKey }),
  }
}

// The parts that the client lists, in its order, each checked against what was uploaded.
function listedParts(upload: UploadRecord, root: XmlNode): PartRecord[] {
  const nodes = childNodes(root, 'Part')
  if (nodes.length === 0) throw malformedXml()
  const { algorithm, checksumType } = upload
  let previous = 0
  const parts = nodes.map((node) => {
    const number = Number(childText(node, 'PartNumber')?.trim())
    const etag = childText(node, 'ETag')
    if (!Number.isInteger(number) || etag === undefined) throw malformedXml()
    if (number <= previous) {
      throw new AwsError(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
        400,
        {
          UploadId: upload.uploadId,
        },
      )
    }
    previous = number
    const part = upload.parts.get(number)
    if (!part || part.etag.replaceAll('"', '') !== etag.trim().replaceAll('"', '')) throw invalidPart(upload, number, etag)
    for (const candidate of checksumAlgorithms) {
      const value = childText(node, checksumElement(candidate))
      if (value === undefined) continue
      if (part.checksum?.algorithm !== candidate || part.checksum.value !== value.trim()) throw invalidPart(upload, number, etag)
    }
    if (checksumType === 'COMPOSITE' && algorithm && childText(node, checksumElement(algorithm)) === undefined) {
      throw new AwsError(
        'InvalidRequest',
        `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
      )
    }
    return part
  })
  for (const part of parts.slice(0, -1)) {
    if (part.size < minPartBytes) {
      throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(minPartBytes),
        PartNumber: String(part.number),
        ETag: part.etag.replaceAll('"', ''),
      })
    }
  }
  return parts
}

function invalidPart(upload: UploadRecord, number: number, etag: string): AwsError {
  return new AwsError(
    'InvalidPart',
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    400,
    { UploadId: upload.uploadId, PartNumber: String(number), ETag: etag.replaceAll('"', '') },
  )
}

function finalChecksum(upload: UploadRecord, parts: readonly PartRecord[], whole: Checksum): Checksum {
  if (upload.checksumType === 'FULL_OBJECT' || !upload.algorithm) return whole
  return compositeChecksum(
    upload.algorithm,
    parts.map((part) => part.checksum!.value),
  )
}

function checkStatedChecksum(request: S3Request, checksum: Checksum): void {
  const type = header(request, 'x-amz-checksum-type')
  if (type !== undefined && type.toUpperCase() !== checksum.type) {
    throw new AwsError(
      'InvalidRequest',
      `The upload was created with the checksum type ${checksum.type}; the complete request says ${type}.`,
    )
  }
  for (const algorithm of checksumAlgorithms) {
    const value = header(request, checksumHeader(algorithm))
    if (value === undefined) continue
    if (algorithm !== checksum.algorithm || value.trim() !== checksum.value) {
      throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`, 400)
    }
  }
}
