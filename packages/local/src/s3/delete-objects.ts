import { AwsError } from '../service'
import type { BucketIndex } from './bucket-index'
import { etagMatches, preconditionFailed } from './conditions'
import { checkLock } from './object-lock'
import { isMarker, type VersionRecord } from './object-record'
import { receiveDocument } from './receive-body'
import { sendEmpty, sendXml } from './respond'
import { authorizeObject, checkKey, checkOwner, header, objectArn, type S3Context, type S3Request } from './s3-request'
import { findVersion, markerHeaders, versionedAction, versionHeader } from './versions'
import { removeObject, removeVersion, userDeletes } from './write-version'
import { childNodes, childText, element, malformedXml, readXml, textElement, type XmlNode, xmlDocument } from './xml'

const maxDeletes = 1000
const maxDocumentBytes = 4 << 20

/** What a delete took away, or put in its place. */
interface Deleted {
  /** The version that a request named and that is gone. */
  readonly removed?: VersionRecord
  /** The delete marker that a request without a version made. */
  readonly made?: VersionRecord
}

/** DeleteObject, of a version or of what is current, with If-Match. */
export async function deleteObject(context: S3Context, request: S3Request): Promise<void> {
  authorizeObject(context, request, versionedAction(request, 's3:DeleteObject'))
  checkOwner(context, request)
  refuseDirectoryBucketConditions(request)
  const versionId = request.query.get('versionId')
  const { removed, made } = deleteKey(context, request, request.key, versionId, header(request, 'if-match'))
  const index = context.store.bucket(request.bucket)
  const isOfMarker = made ?? (removed && isMarker(removed) ? removed : undefined)
  sendEmpty(request.call, 204, {
    ...(versionId === undefined ? {} : { 'x-amz-version-id': versionId }),
    ...(removed && versionHeader(index, removed)),
    ...(isOfMarker && markerHeaders(isOfMarker)),
  })
}

interface DeleteItem {
  readonly key: string
  readonly versionId: string | undefined
  readonly etag: string | undefined
}

/** DeleteObjects: up to 1000 keys or versions, each with an optional ETag condition and its own outcome. */
export async function deleteObjects(context: S3Context, request: S3Request): Promise<void> {
  checkOwner(context, request)
  const document = await receiveDocument(request, maxDocumentBytes)
  if (!document.verified)
    throw new AwsError('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*')
  context.store.bucket(request.bucket)
  const root = await readXml(document.bytes, 'Delete')
  const quiet = childText(root, 'Quiet')?.trim().toLowerCase() === 'true'
  const items = childNodes(root, 'Object').map(itemOf)
  if (items.length === 0 || items.length > maxDeletes) throw malformedXml()
  const content = items.map((item) => deleteItem(context, request, item, quiet))
  sendXml(request.call, xmlDocument('DeleteResult', content.join('')))
}

function itemOf(node: XmlNode): DeleteItem {
  const key = childText(node, 'Key')
  if (key === undefined || key === '') throw malformedXml()
  if (childText(node, 'LastModifiedTime') !== undefined || childText(node, 'Size') !== undefined) {
    throw new AwsError('NotImplemented', 'Conditions on LastModifiedTime and Size exist in directory buckets only.', 501)
  }
  return { key, versionId: childText(node, 'VersionId'), etag: childText(node, 'ETag') }
}

function deleteItem(context: S3Context, request: S3Request, item: DeleteItem, quiet: boolean): string {
  const { key, versionId, etag } = item
  const named = textElement('Key', key) + textElement('VersionId', versionId)
  try {
    checkKey(key)
    const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion'
    context.authorizer.authorize(request.call.principal, action, objectArn(request.bucket, key))
    const { removed, made } = deleteKey(context, request, key, versionId, etag)
    if (quiet) return ''
    const marker = made ?? (removed && isMarker(removed) ? removed : undefined)
    const ofMarker = marker
      ? textElement('DeleteMarker', true) + textElement('DeleteMarkerVersionId', marker.versionId ?? 'null')
      : ''
    return element('Deleted', named + ofMarker)
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    return element('Error', named + textElement('Code', error.code) + textElement('Message', error.message))
  }
}

// Check and change are one synchronous step.
function deleteKey(
  context: S3Context,
  request: S3Request,
  key: string,
  versionId: string | undefined,
  ifMatch: string | undefined,
): Deleted {
  const { store } = context
  const index = store.bucket(request.bucket)
  if (ifMatch !== undefined) checkMatch(context, request, index, key, versionId, ifMatch)
  if (versionId === undefined) {
    const made = removeObject(store, index, key, store.now(), userDeletes)
    return made ? { made } : {}
  }
  const removed = findVersion(index, key, versionId)
  // To delete what is not there is no error.
  if (removed === undefined) return {}
  if (!isMarker(removed)) checkLock(context, request, key, removed)
  removeVersion(store, index, key, removed.versionId, 's3:ObjectRemoved:Delete')
  return { removed }
}

function checkMatch(
  context: S3Context,
  request: S3Request,
  index: BucketIndex,
  key: string,
  versionId: string | undefined,
  ifMatch: string,
): void {
  // An ETag condition reveals the present ETag, so it takes s3:GetObject as well (S3 user guide, "Conditional deletes").
  if (ifMatch.trim() !== '*') {
    context.authorizer.authorize(request.call.principal, 's3:GetObject', objectArn(request.bucket, key))
  }
  const version = versionId === undefined ? index.get(key) : findVersion(index, key, versionId)
  if (!version || isMarker(version) || !etagMatches(ifMatch, version.etag)) throw preconditionFailed('If-Match')
}

function refuseDirectoryBucketConditions(request: S3Request): void {
  for (const name of ['x-amz-if-match-last-modified-time', 'x-amz-if-match-size']) {
    if (name in request.headers) {
      throw new AwsError('NotImplemented', `The header ${name} exists for directory buckets only.`, 501, { Header: name })
    }
  }
}
