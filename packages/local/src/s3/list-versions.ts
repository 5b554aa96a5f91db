import { AwsError } from '../service'
import type { BucketIndex } from './bucket-index'
import { ownerElement } from './buckets'
import { isoSeconds } from './copy-object'
import { keyEncoding, parseLimit, restoreElements } from './list-objects'
import { idOf, isMarker, type ObjectRecord, type VersionRecord } from './object-record'
import { sendXml } from './respond'
import { bucketArn, checkOwner, type S3Context, type S3Request } from './s3-request'
import { behindPrefix, fromUtf8Order, utf8Order } from './sorted-keys'
import { element, textElement, xmlDocument } from './xml'

/** What a listing of versions asks for. */
export interface VersionListing {
  readonly prefix: string
  readonly delimiter: string
  /** Behind this version of this key; without an id, behind all versions of the key. */
  readonly keyMarker: string
  readonly versionIdMarker: string | undefined
  readonly limit: number
}

interface ListedVersion {
  readonly version: VersionRecord
  readonly isLatest: boolean
}

/** A page of versions, in the order of S3: by key, newest first. */
export interface VersionPage {
  readonly versions: readonly ListedVersion[]
  readonly prefixes: readonly string[]
  /** Where the next page begins; undefined on the last. */
  readonly next: { readonly key: string; readonly versionId: string | undefined } | undefined
}

/** One page of the versions and delete markers of a bucket. */
export function versionPage(index: BucketIndex, listing: VersionListing): VersionPage {
  const { prefix, delimiter, keyMarker, versionIdMarker, limit } = listing
  const versions: ListedVersion[] = []
  const prefixes: string[] = []
  let last: VersionPage['next']
  const isFull = () => versions.length + prefixes.length >= limit
  const page = (next: VersionPage['next']): VersionPage => ({ versions, prefixes, next: limit === 0 ? undefined : next })
  const [orderedPrefix, orderedMarker] = [utf8Order(prefix), utf8Order(keyMarker)]
  // Strings: the later of the two in key order.
  const [start = ''] = [orderedMarker, orderedPrefix].sort((a, b) => (a < b ? 1 : -1))
  let cursor = index.seekAll(start)
  for (let ordered = cursor.key(); ordered?.startsWith(orderedPrefix); ordered = cursor.key()) {
    const key = fromUtf8Order(ordered)
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    if (cut >= 0) {
      const common = key.slice(0, cut + delimiter.length)
      if (keyMarker === '' || !keyMarker.startsWith(common)) {
        if (isFull()) return page(last)
        prefixes.push(common)
        last = { key: common, versionId: undefined }
      }
      const behind = behindPrefix(utf8Order(common))
      if (behind === undefined) break
      cursor = index.seekAll(behind)
      continue
    }
    const all = index.versionsAt(ordered)
    const start = key === keyMarker && keyMarker !== '' ? behindMarker(all, versionIdMarker) : 0
    for (let at = start; at < all.length; at++) {
      if (isFull()) return page(last)
      const version = all[at]!
      versions.push({ version, isLatest: at === 0 })
      last = { key, versionId: idOf(version) }
    }
    cursor.next()
  }
  return page(undefined)
}

function behindMarker(all: readonly VersionRecord[], versionIdMarker: string | undefined): number {
  if (versionIdMarker === undefined) return all.length
  const at = all.findIndex((version) => idOf(version) === versionIdMarker)
  // The version that a page ended with may have been deleted since; then the key begins anew rather than lose what stands behind.
  return at < 0 ? 0 : at + 1
}

/** ListObjectVersions. */
export async function listObjectVersions(context: S3Context, request: S3Request): Promise<void> {
  const { query } = request
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? '']
  context.authorizer.authorize(request.call.principal, 's3:ListBucketVersions', bucketArn(request.bucket), {
    's3:prefix': prefix,
    ...(query.has('delimiter') ? { 's3:delimiter': delimiter } : {}),
  })
  checkOwner(context, request)
  const index = context.store.bucket(request.bucket)
  const encode = keyEncoding(query.get('encoding-type'))
  const limit = parseLimit('max-keys', query.get('max-keys'))
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('version-id-marker')
  if (idMarker !== undefined && keyMarker === '') {
    const text = 'A version-id marker cannot be specified without a key marker.'
    throw new AwsError('InvalidArgument', text, 400, { ArgumentName: 'version-id-marker', ArgumentValue: idMarker })
  }
  const versionIdMarker = idMarker === '' ? undefined : idMarker
  const page = versionPage(index, { prefix, delimiter, keyMarker, versionIdMarker, limit })
  const { next } = page
  const restore = restoreElements(context, request)
  sendXml(
    request.call,
    xmlDocument(
      'ListVersionsResult',
      textElement('Name', request.bucket) +
        textElement('Prefix', encode(prefix)) +
        textElement('KeyMarker', encode(keyMarker)) +
        textElement('VersionIdMarker', idMarker ?? '') +
        textElement('NextKeyMarker', next && encode(next.key)) +
        textElement('NextVersionIdMarker', next?.versionId) +
        (delimiter === '' ? '' : textElement('Delimiter', encode(delimiter))) +
        textElement('MaxKeys', limit) +
        textElement('EncodingType', query.get('encoding-type')) +
        textElement('IsTruncated', next !== undefined) +
        page.versions.map((listed) => versionElement(index, listed, encode, restore)).join('') +
        page.prefixes.map((common) => element('CommonPrefixes', textElement('Prefix', encode(common)))).join(''),
    ),
    { 'x-amz-bucket-region': index.location },
  )
}

function versionElement(
  index: BucketIndex,
  { version, isLatest }: ListedVersion,
  encode: (text: string) => string,
  restore: (record: ObjectRecord) => string,
): string {
  const common =
    textElement('Key', encode(version.key)) +
    textElement('VersionId', idOf(version)) +
    textElement('IsLatest', isLatest) +
    textElement('LastModified', isoSeconds(version.lastModified))
  if (isMarker(version)) return element('DeleteMarker', common + ownerElement(index.owner))
  return element(
    'Version',
    common +
      textElement('ETag', version.etag) +
      (version.checksum
        ? textElement('ChecksumAlgorithm', version.checksum.algorithm) + textElement('ChecksumType', version.checksum.type)
        : '') +
      textElement('Size', version.size) +
      ownerElement(index.owner) +
      textElement('StorageClass', version.storageClass) +
      restore(version),
  )
}
