import { AwsError } from '../service'
import { etagMatches, preconditionFailed } from './conditions'
import { receiveDocument } from './receive-body'
import { sendEmpty, sendXml } from './respond'
import { authorizeObject, checkKey, checkOwner, header, objectArn, type S3Context, type S3Request } from './s3-request'
import { childNodes, childText, element, malformedXml, readXml, textElement, xmlDocument } from './xml'

const maxDeletes = 1000
const maxDocumentBytes = 4 << 20

/** DeleteObject, with If-Match. */
export async function deleteObject(context: S3Context, request: S3Request): Promise<void> {
  authorizeObject(context, request, 's3:DeleteObject')
  checkOwner(request)
  refuseDirectoryBucketConditions(request)
  deleteKey(context, request, request.key, header(request, 'if-match'))
  sendEmpty(request.call, 204)
}

/** DeleteObjects: up to 1000 keys, each with an optional ETag condition and its own outcome. */
export async function deleteObjects(context: S3Context, request: S3Request): Promise<void> {
  checkOwner(request)
  const document = await receiveDocument(request, maxDocumentBytes)
  if (!document.verified)
    throw new AwsError('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*')
  context.store.bucket(request.bucket)
  const root = await readXml(document.bytes, 'Delete')
  const quiet = childText(root, 'Quiet')?.trim().toLowerCase() === 'true'
  const objects = childNodes(root, 'Object').map((node) => {
    const key = childText(node, 'Key')
    if (key === undefined || key === '') throw malformedXml()
    if (childText(node, 'VersionId') !== undefined)
      throw new AwsError('NotImplemented', 'The local S3 does not implement VersionId in DeleteObjects.', 501)
    if (childText(node, 'LastModifiedTime') !== undefined || childText(node, 'Size') !== undefined) {
      throw new AwsError('NotImplemented', 'Conditions on LastModifiedTime and Size exist in directory buckets only.', 501)
    }
    return { key, etag: childText(node, 'ETag') }
  })
  if (objects.length === 0 || objects.length > maxDeletes) throw malformedXml()
  let content = ''
  for (const { key, etag } of objects) {
    try {
      checkKey(key)
      context.authorizer.authorize(request.call.principal, 's3:DeleteObject', objectArn(request.bucket, key))
      deleteKey(context, request, key, etag)
      if (!quiet) content += element('Deleted', textElement('Key', key))
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      content += element(
        'Error',
        textElement('Key', key) + textElement('Code', error.code) + textElement('Message', error.message),
      )
    }
  }
  sendXml(request.call, xmlDocument('DeleteResult', content))
}

// Check and change are one synchronous step.
function deleteKey(context: S3Context, request: S3Request, key: string, ifMatch: string | undefined): void {
  const index = context.store.bucket(request.bucket)
  if (ifMatch !== undefined) {
    // An ETag condition reveals the present ETag, so it takes s3:GetObject as well (S3 user guide, "Conditional deletes").
    if (ifMatch.trim() !== '*') {
      context.authorizer.authorize(request.call.principal, 's3:GetObject', objectArn(request.bucket, key))
    }
    const current = index.get(key)
    if (!current || !etagMatches(ifMatch, current.etag)) throw preconditionFailed('If-Match')
  }
  index.delete(key)
}

function refuseDirectoryBucketConditions(request: S3Request): void {
  for (const name of ['x-amz-if-match-last-modified-time', 'x-amz-if-match-size']) {
    if (name in request.headers) {
      throw new AwsError('NotImplemented', `The header ${name} exists for directory buckets only.`, 501, { Header: name })
    }
  }
}
