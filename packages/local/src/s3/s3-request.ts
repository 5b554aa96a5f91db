import type { IncomingHttpHeaders } from 'node:http'
import { type Authorizer, AwsError, localAccount, type ServiceCall } from '../service'
import type { Store } from './store'

/** What every operation needs. */
export interface S3Context {
  readonly store: Store
  readonly authorizer: Authorizer
  /** Called when a bucket has got rules that act on the clock. */
  onLifecycle(): void
  /** Where notifications go; without, configurations are only kept. */
  readonly notifications?: {
    problemOf(arn: string, bucket: string): string | undefined
    test(arn: string, bucket: string): void
  }
}

/** A call with its bucket, key and query taken apart. */
export interface S3Request {
  readonly call: ServiceCall
  readonly method: string
  /** Empty for the calls on the service itself. */
  readonly bucket: string
  /** Empty for the calls on a bucket. */
  readonly key: string
  readonly query: ReadonlyMap<string, string>
  readonly headers: IncomingHttpHeaders
}

/**
 * Takes a call apart. The path is read raw: a URL parser would resolve `..` and change keys. Bucket in the path, or in the host
 * (`bucket.localhost`).
 *
 * @throws {@link AwsError} InvalidURI, KeyTooLongError
 */
export function parseRequest(call: ServiceCall): S3Request {
  const target = call.request.url ?? '/'
  const question = target.indexOf('?')
  const path = question < 0 ? target : target.slice(0, question)
  const query = parseQuery(question < 0 ? '' : target.slice(question + 1))
  const hosted = /^([a-z0-9][a-z0-9.-]+)\.localhost(?::\d+)?$/i.exec(call.request.headers.host ?? '')
  let bucket: string
  let rawKey: string
  if (hosted) {
    bucket = hosted[1]!
    rawKey = path.slice(1)
  } else {
    const slash = path.indexOf('/', 1)
    bucket = decode(slash < 0 ? path.slice(1) : path.slice(1, slash))
    rawKey = slash < 0 ? '' : path.slice(slash + 1)
  }
  const key = decode(rawKey)
  checkKey(key)
  const headers = query.has('X-Amz-Signature') ? presignedHeaders(call.request.headers, query) : call.request.headers
  return { call, method: call.request.method ?? 'GET', bucket, key, query, headers }
}

/** @throws {@link AwsError} KeyTooLongError for more than 1024 bytes of UTF-8; InvalidArgument for half a surrogate pair, which has no UTF-8 form. */
export function checkKey(key: string): void {
  if (/\p{Surrogate}/u.test(key)) throw new AwsError('InvalidArgument', 'The key is not valid UTF-8.')
  if (key.length > 1024 || (key.length > 340 && Buffer.byteLength(key) > 1024)) {
    throw new AwsError('KeyTooLongError', 'Your key is too long', 400, {
      Size: String(Buffer.byteLength(key)),
      MaxSizeAllowed: '1024',
    })
  }
}

// A presigned URL carries in its query what would stand in `x-amz-…` headers, and its signature, which was checked before.
function presignedHeaders(headers: IncomingHttpHeaders, query: Map<string, string>): IncomingHttpHeaders {
  const merged = { ...headers }
  for (const [name, value] of [...query]) {
    const lower = name.toLowerCase()
    if (!lower.startsWith('x-amz-')) continue
    query.delete(name)
    if (!signatureParameters.has(lower)) merged[lower] ??= value
  }
  return merged
}

const signatureParameters = new Set(
  ['algorithm', 'credential', 'date', 'expires', 'signedheaders', 'signature', 'security-token'].map((name) => `x-amz-${name}`),
)

function parseQuery(text: string): Map<string, string> {
  const result = new Map<string, string>()
  if (text === '') return result
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode((equals < 0 ? pair : pair.slice(0, equals)).replaceAll('+', ' '))
    result.set(name, equals < 0 ? '' : decode(pair.slice(equals + 1).replaceAll('+', ' ')))
  }
  return result
}

function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", 400, { URI: text })
  }
}

/** `arn:aws:s3:::bucket/key` */
export function objectArn(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`
}

/** `arn:aws:s3:::bucket` */
export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`
}

/** The header as one string, or undefined. */
export function header(request: S3Request, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

/**
 * Authorises an action on the object of the request.
 *
 * @throws {@link AwsError} AccessDenied
 */
export function authorizeObject(context: S3Context, request: S3Request, action: string): void {
  context.authorizer.authorize(request.call.principal, action, objectArn(request.bucket, request.key))
}

/** @throws {@link AwsError} AccessDenied when the request expects another owner of its bucket, or of the source of a copy. */
export function checkOwner(context: S3Context, request: S3Request): void {
  checkExpectedOwner(context, request, 'x-amz-expected-bucket-owner', request.bucket)
}

/** @throws {@link AwsError} AccessDenied when the header names another account than that of the bucket. */
export function checkExpectedOwner(context: S3Context, request: S3Request, name: string, bucket: string): void {
  const expected = header(request, name)
  if (expected === undefined) return
  const owner = context.store.find(bucket)?.owner ?? localAccount
  if (expected !== owner) {
    throw new AwsError('AccessDenied', `Access Denied: ${name} is ${expected}, but the bucket belongs to ${owner}.`, 403)
  }
}
