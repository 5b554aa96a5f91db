import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { AwsError } from './service'

/** The parts of an `Authorization: AWS4-HMAC-SHA256 …` header. */
export interface Authorization {
  readonly accessKeyId: string
  /** `20261124` */
  readonly date: string
  readonly region: string
  /** As in the credential scope: `s3`, `athena` … */
  readonly service: string
  /** Lower case, sorted. */
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

const algorithm = 'AWS4-HMAC-SHA256'
const credentialPart = /[\s,]Credential=([^,\s]+)/
const signedHeadersPart = /[\s,]SignedHeaders=([^,\s]+)/
const signaturePart = /[\s,]Signature=([^,\s]+)/

/** A signature in the query of a presigned URL. */
export interface PresignedAuthorization extends Authorization {
  /** `20261124T120000Z`, as signed. */
  readonly stamp: string
  /** Milliseconds at which the URL ends. */
  readonly expiresAt: number
}

/**
 * Reads the header.
 *
 * @throws {@link AwsError} InvalidRequest for another mechanism, AuthorizationHeaderMalformed for a missing part
 */
export function parseAuthorization(header: string): Authorization {
  if (!header.startsWith(`${algorithm} `)) {
    throw new AwsError(
      'InvalidRequest',
      `The authorization mechanism you have provided is not supported. Please use ${algorithm}.`,
    )
  }
  const scope = credentialPart.exec(header)?.[1]?.split('/')
  const signedHeaders = signedHeadersPart.exec(header)?.[1]?.split(';')
  const signature = signaturePart.exec(header)?.[1]
  if (!scope || scope.length < 5 || scope.at(-1) !== 'aws4_request' || !signedHeaders || !signature) {
    throw new AwsError(
      'AuthorizationHeaderMalformed',
      'The authorization header is malformed; it needs Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders and Signature.',
    )
  }
  const [date, region, service] = scope.slice(-4) as [string, string, string]
  return { accessKeyId: scope.slice(0, -4).join('/'), date, region, service, signedHeaders, signature }
}

const maxKeys = 100
const signingKeys = new Map<string, Buffer>()

/**
 * Checks the signature of a request against the secret of its key (Signature Version 4). Its age is not checked: a virtual clock may be anywhere. A
 * request without `x-amz-content-sha256` (other services than S3, some SDKs) would need its whole body first and is let through.
 *
 * @throws {@link AwsError} SignatureDoesNotMatch
 */
export function verifySignature(request: IncomingMessage, authorization: Authorization, secret: string): void {
  const payload = request.headers['x-amz-content-sha256']
  const stamp = request.headers['x-amz-date']
  if (typeof payload !== 'string' || typeof stamp !== 'string') return
  checkSignature(request, authorization, secret, { payload, stamp, query: canonicalQuery(partsOf(request).query) })
}

function partsOf(request: IncomingMessage): { readonly path: string; readonly query: string } {
  const target = request.url ?? '/'
  const question = target.indexOf('?')
  return question < 0 ? { path: target, query: '' } : { path: target.slice(0, question), query: target.slice(question + 1) }
}

function checkSignature(
  request: IncomingMessage,
  authorization: Authorization,
  secret: string,
  { payload, stamp, query }: { readonly payload: string; readonly stamp: string; readonly query: string },
): void {
  const { path } = partsOf(request)
  const headers = authorization.signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}\n`).join('')
  const rest = `${query}\n${headers}\n${authorization.signedHeaders.join(';')}\n${payload}`
  const scope = `${authorization.date}/${authorization.region}/${authorization.service}/aws4_request`
  const key = signingKey(secret, authorization)
  const given = Buffer.from(authorization.signature)
  for (const canonicalPath of canonicalPaths(path, authorization.service)) {
    const canonical = createHash('sha256').update(`${request.method}\n${canonicalPath}\n${rest}`).digest('hex')
    const expected = Buffer.from(createHmac('sha256', key).update(`${algorithm}\n${stamp}\n${scope}\n${canonical}`).digest('hex'))
    if (expected.length === given.length && timingSafeEqual(expected, given)) return
  }
  throw new AwsError(
    'SignatureDoesNotMatch',
    `The request signature we calculated does not match the signature you provided. Check the secret access key of ${authorization.accessKeyId}.`,
    403,
    { AWSAccessKeyId: authorization.accessKeyId },
  )
}

const maxExpirySeconds = 7 * 86_400

/**
 * Reads the signature in the query of a presigned URL.
 *
 * @throws {@link AwsError} AuthorizationQueryParametersError for a part that is missing or wrong
 */
export function parsePresigned(parameters: URLSearchParams): PresignedAuthorization {
  const get = (name: string) => parameters.get(`X-Amz-${name}`)
  const [scope, stamp, expires] = [get('Credential')?.split('/'), get('Date'), get('Expires')]
  const [signedHeaders, signature] = [get('SignedHeaders')?.split(';'), get('Signature')]
  const refuse = (text: string) => new AwsError('AuthorizationQueryParametersError', text)
  if (!scope || scope.length < 5 || scope.at(-1) !== 'aws4_request' || !stamp || !expires || !signedHeaders || !signature) {
    throw refuse(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    )
  }
  if (get('Algorithm') !== algorithm) throw refuse(`X-Amz-Algorithm only supports "${algorithm}"`)
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp)
  if (!parts) throw refuse("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
  const seconds = /^\d+$/.test(expires) ? Number(expires) : Number.NaN
  if (Number.isNaN(seconds)) throw refuse('X-Amz-Expires should be a number')
  if (seconds > maxExpirySeconds) throw refuse('X-Amz-Expires must be less than a week (in seconds) that is 604800')
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [number, number, number, number, number, number]
  const [date, region, service] = scope.slice(-4) as [string, string, string]
  return {
    accessKeyId: scope.slice(0, -4).join('/'),
    date,
    region,
    service,
    signedHeaders,
    signature,
    stamp,
    expiresAt: Date.UTC(year, month - 1, day, hour, minute, second) + seconds * 1000,
  }
}

/**
 * Checks the signature of a presigned URL, and that it has not expired at `now`. A URL of the future is taken: a virtual clock may stand behind the real one,
 * by which clients sign.
 *
 * @throws {@link AwsError} SignatureDoesNotMatch, AccessDenied
 */
export function verifyPresigned(
  request: IncomingMessage,
  authorization: PresignedAuthorization,
  secret: string,
  now: number,
): void {
  const { stamp, expiresAt } = authorization
  const pairs = partsOf(request).query.split('&')
  const query = canonicalQuery(pairs.filter((pair) => !pair.startsWith('X-Amz-Signature=')).join('&'))
  const stated = request.headers['x-amz-content-sha256']
  const payload = typeof stated === 'string' ? stated : 'UNSIGNED-PAYLOAD'
  checkSignature(request, authorization, secret, { payload, stamp, query })
  if (now > expiresAt) {
    throw new AwsError('AccessDenied', 'Request has expired', 403, {
      Expires: new Date(expiresAt).toISOString(),
      ServerTime: new Date(now).toISOString(),
    })
  }
}

function signingKey(secret: string, { date, region, service }: Authorization): Buffer {
  const id = `${secret}/${date}/${region}/${service}`
  let key = signingKeys.get(id)
  if (!key) {
    key = Buffer.from(`AWS4${secret}`)
    for (const part of [date, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest()
    if (signingKeys.size >= maxKeys) signingKeys.clear()
    signingKeys.set(id, key)
  }
  return key
}

// S3 signs the path as it is sent, or encoded afresh; the other services encode what is sent once more.
function* canonicalPaths(path: string, service: string): Iterable<string> {
  yield service === 's3' ? path : encodePath(path)
  try {
    yield encodePath(decodeURIComponent(path))
  } catch {
    // Not decodable: no second form.
  }
}

function encodePath(text: string): string {
  return encode(text).replaceAll('%2F', '/')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

function canonicalQuery(query: string): string {
  if (query === '') return ''
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const name = equals < 0 ? pair : pair.slice(0, equals)
      return `${recode(name)}=${equals < 0 ? '' : recode(pair.slice(equals + 1))}`
    })
  return pairs.sort((a, b) => compare(a.split('=')[0]!, b.split('=')[0]!) || compare(a, b)).join('&')
}

function recode(text: string): string {
  try {
    return encode(decodeURIComponent(text))
  } catch {
    return text
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function canonicalValue(value: string | string[] | undefined): string {
  const text = Array.isArray(value) ? value.join(',') : (value ?? '')
  return text.trim().replace(/ +/g, ' ')
}
