import { AwsError } from '../service'
import { restoreState } from './archive'
import type { BucketIndex } from './bucket-index'
import { ownerElement } from './buckets'
import { isoSeconds } from './copy-object'
import type { ObjectRecord } from './object-record'
import { sendXml } from './respond'
import { bucketArn, checkOwner, header, type S3Context, type S3Request } from './s3-request'
import { behindPrefix, utf8Order } from './sorted-keys'
import { element, textElement, xmlDocument } from './xml'

const maxPage = 1000

/** What a listing asks for. */
export interface Listing {
  readonly prefix: string
  readonly delimiter: string
  /** Only keys behind this one; a common prefix that contains it has been passed as well. */
  readonly after: string
  readonly limit: number
}

/** A page of a listing. */
export interface ListingPage {
  readonly objects: readonly ObjectRecord[]
  readonly prefixes: readonly string[]
  /** The last key or common prefix of the page, when there is more behind it. */
  readonly last: string | undefined
}

/** One page of the objects of a bucket in UTF-8 order. Common prefixes are skipped in one step each, however many keys they hold. */
export function listPage(index: BucketIndex, listing: Listing): ListingPage {
  const { prefix, delimiter, after, limit } = listing
  const objects: ObjectRecord[] = []
  const prefixes: string[] = []
  const orderedPrefix = utf8Order(prefix)
  const orderedAfter = utf8Order(after)
  let last: string | undefined
  // Strings: the later of the two in key order.
  const [start = ''] = [orderedAfter, orderedPrefix].sort((a, b) => (a < b ? 1 : -1))
  let cursor = index.seek(start)
  for (let ordered = cursor.key(); ordered?.startsWith(orderedPrefix); ordered = cursor.key()) {
    if (after !== '' && ordered === orderedAfter) {
      cursor.next()
      continue
    }
    const record = index.at(ordered)
    const cut = delimiter === '' ? -1 : record.key.indexOf(delimiter, prefix.length)
    if (cut < 0) {
      if (objects.length + prefixes.length >= limit) return { objects, prefixes, last }
      objects.push(record)
      last = record.key
      cursor.next()
      continue
    }
    const common = record.key.slice(0, cut + delimiter.length)
    if (after === '' || !after.startsWith(common)) {
      if (objects.length + prefixes.length >= limit) return { objects, prefixes, last }
      prefixes.push(common)
      last = common
    }
    const behind = behindPrefix(utf8Order(common))
    if (behind === undefined) break
    cursor = index.seek(behind)
  }
  return { objects, prefixes, last: undefined }
}

/** ListObjectsV2. */
export async function listObjectsV2(context: S3Context, request: S3Request): Promise<void> {
  const { query } = request
  const { index, prefix, delimiter, limit, encode } = listingOf(context, request)
  const token = query.get('continuation-token')
  const startAfter = query.get('start-after')
  const after = token === undefined ? (startAfter ?? '') : decodeToken(token)
  const page = listPage(index, { prefix, delimiter, after, limit })
  // A page of no keys is never truncated, else its reader would turn forever.
  const next = limit === 0 ? undefined : page.last
  const owner = query.get('fetch-owner') === 'true' ? ownerElement(index.owner) : ''
  sendXml(
    request.call,
    xmlDocument(
      'ListBucketResult',
      textElement('Name', request.bucket) +
        textElement('Prefix', encode(prefix)) +
        (delimiter === '' ? '' : textElement('Delimiter', encode(delimiter))) +
        textElement('MaxKeys', limit) +
        textElement('EncodingType', query.get('encoding-type')) +
        textElement('KeyCount', page.objects.length + page.prefixes.length) +
        textElement('IsTruncated', next !== undefined) +
        textElement('ContinuationToken', token) +
        textElement('NextContinuationToken', next === undefined ? undefined : encodeToken(next)) +
        textElement('StartAfter', startAfter === undefined ? undefined : encode(startAfter)) +
        contents(page, encode, owner, restoreElements(context, request)),
    ),
    { 'x-amz-bucket-region': index.location },
  )
}

/** ListObjects, the first version. */
export async function listObjectsV1(context: S3Context, request: S3Request): Promise<void> {
  const { query } = request
  const { index, prefix, delimiter, limit, encode } = listingOf(context, request)
  const marker = query.get('marker') ?? ''
  const page = listPage(index, { prefix, delimiter, after: marker, limit })
  const next = limit === 0 ? undefined : page.last
  sendXml(
    request.call,
    xmlDocument(
      'ListBucketResult',
      textElement('Name', request.bucket) +
        textElement('Prefix', encode(prefix)) +
        textElement('Marker', encode(marker)) +
        (delimiter === '' ? '' : textElement('Delimiter', encode(delimiter))) +
        // Without a delimiter a client goes on from the last key.
        textElement('NextMarker', next === undefined || delimiter === '' ? undefined : encode(next)) +
        textElement('MaxKeys', limit) +
        textElement('EncodingType', query.get('encoding-type')) +
        textElement('IsTruncated', next !== undefined) +
        contents(page, encode, ownerElement(index.owner), restoreElements(context, request)),
    ),
    { 'x-amz-bucket-region': index.location },
  )
}

function listingOf(
  context: S3Context,
  request: S3Request,
): { index: BucketIndex; prefix: string; delimiter: string; limit: number; encode: (text: string) => string } {
  const { query } = request
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const maxKeys = query.get('max-keys')
  context.authorizer.authorize(request.call.principal, 's3:ListBucket', bucketArn(request.bucket), {
    's3:prefix': prefix,
    ...(query.has('delimiter') ? { 's3:delimiter': delimiter } : {}),
    ...(maxKeys === undefined ? {} : { 's3:max-keys': maxKeys }),
  })
  checkOwner(context, request)
  return {
    index: context.store.bucket(request.bucket),
    prefix,
    delimiter,
    limit: parseLimit('max-keys', maxKeys),
    encode: keyEncoding(query.get('encoding-type')),
  }
}

/** A page size; more than 1000 is 1000. @throws {@link AwsError} InvalidArgument */
export function parseLimit(name: string, text: string | undefined): number {
  if (text === undefined || text === '') return maxPage
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw new AwsError('InvalidArgument', `Provided ${name} not an integer or within integer range`, 400, {
      ArgumentName: name,
      ArgumentValue: text,
    })
  }
  return Math.min(maxPage, Number(text))
}

/** How keys stand in a listing: as they are, or (`url`) percent-encoded except for `/`. */
export function keyEncoding(encodingType: string | undefined): (text: string) => string {
  if (encodingType === undefined) return (text) => text
  if (encodingType !== 'url') {
    throw new AwsError('InvalidArgument', 'Invalid Encoding Method specified in Request', 400, {
      ArgumentName: 'encoding-type',
      ArgumentValue: encodingType,
    })
  }
  return (text) =>
    encodeURIComponent(text)
      .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll('%2F', '/')
      .replaceAll('%20', '+')
}

function contents(
  page: ListingPage,
  encode: (text: string) => string,
  owner: string,
  restoreElement: (record: ObjectRecord) => string,
): string {
  let result = ''
  for (const record of page.objects) {
    result += element(
      'Contents',
      textElement('Key', encode(record.key)) +
        textElement('LastModified', isoSeconds(record.lastModified)) +
        textElement('ETag', record.etag) +
        (record.checksum
          ? textElement('ChecksumAlgorithm', record.checksum.algorithm) + textElement('ChecksumType', record.checksum.type)
          : '') +
        textElement('Size', record.size) +
        owner +
        textElement('StorageClass', record.storageClass) +
        restoreElement(record),
    )
  }
  for (const prefix of page.prefixes) result += element('CommonPrefixes', textElement('Prefix', encode(prefix)))
  return result
}

/** How a listing tells of restores, when it was asked to (`x-amz-optional-object-attributes`). */
export function restoreElements(context: S3Context, request: S3Request): (record: ObjectRecord) => string {
  const wanted = header(request, 'x-amz-optional-object-attributes')
  if (wanted === undefined) return () => ''
  if (wanted.split(',').some((name) => name.trim() !== 'RestoreStatus')) {
    throw new AwsError('InvalidArgument', 'Invalid attribute name specified', 400, {
      ArgumentName: 'x-amz-optional-object-attributes',
      ArgumentValue: wanted,
    })
  }
  const now = context.store.now()
  return (record) => {
    const state = restoreState(record, now)
    if (state === undefined) return ''
    const content =
      textElement('IsRestoreInProgress', state === 'in-progress') +
      (state === 'in-progress' ? '' : textElement('RestoreExpiryDate', new Date(state.until).toISOString()))
    return element('RestoreStatus', content)
  }
}

function encodeToken(last: string): string {
  return Buffer.from(`1${last}`).toString('base64url')
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith('1') || encodeToken(text.slice(1)) !== token) {
    throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect', 400, {
      ArgumentName: 'continuation-token',
    })
  }
  return text.slice(1)
}
