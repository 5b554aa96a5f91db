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
  const target = request.url ?? '/'
  const question = target.indexOf('?')
  const path = question < 0 ? target : target.slice(0, question)
  const query = canonicalQuery(question < 0 ? '' : target.slice(question + 1))
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
