import { createHash, hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { AwsError } from '../service'
import { type AwsChunkedDecoder, createAwsChunkedDecoder } from './aws-chunked'
import { type BodyFiles, smallBodyBytes } from './body-files'
import { type BodyWriter, createBodyWriter } from './body-writer'
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumHeader,
  createHasher,
  type Hasher,
  type StatedChecksum,
  statedChecksum,
} from './checksum'
import { header, type S3Request } from './s3-request'

/** A body that arrived whole and agreed with every digest that the client stated. Whoever does not commit it discards it. */
export interface ReceivedBody {
  readonly size: number
  /** MD5 in lower-case hex, the ETag of a plain object. */
  readonly md5: string
  readonly checksum: Checksum
  /** Whether the client stated the checksum (else it was only computed here). */
  readonly stated: boolean
  /** The number of its body file. */
  readonly body: number
}

/** S3 takes at most 5 GiB in one request. */
const maxPutBytes = 5 * 2 ** 30

/** What the client says about the body it sends. */
interface Announcement {
  readonly size: number
  readonly decoder: AwsChunkedDecoder | undefined
  readonly stated: StatedChecksum | undefined
  readonly contentMd5: string | undefined
  readonly sha256: string | undefined
}

/**
 * Receives the body of a put: a small one in memory, a large one streamed to a file with back-pressure. Verifies Content-MD5,
 * `x-amz-content-sha256` and `x-amz-checksum-*`, in the header or the trailer. `algorithm` is computed when the client states no checksum.
 *
 * @throws {@link AwsError} BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, IncompleteBody, EntityTooLarge, MissingContentLength
 */
export async function receiveBody(
  bodies: BodyFiles,
  request: S3Request,
  algorithm: ChecksumAlgorithm = 'CRC64NVME',
): Promise<ReceivedBody> {
  const announced = announcement(request)
  if (announced.size > maxPutBytes) {
    throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400, {
      ProposedSize: String(announced.size),
      MaxSizeAllowed: String(maxPutBytes),
    })
  }
  return announced.size <= smallBodyBytes
    ? receiveSmall(bodies, request, announced, algorithm)
    : receiveLarge(bodies, request, announced, algorithm)
}

/**
 * Receives a small document (the XML of a request) into memory, verified like any body. With `checksumOfBody: false` the checksum headers are about
 * something else (the object of a CompleteMultipartUpload) and are left alone.
 *
 * @throws {@link AwsError} as {@link receiveBody}; EntityTooLarge above `maxBytes`.
 */
export async function receiveDocument(
  request: S3Request,
  maxBytes: number,
  { checksumOfBody = true }: { readonly checksumOfBody?: boolean } = {},
): Promise<{ readonly bytes: Buffer; readonly verified: boolean }> {
  const announced = announcement(request, checksumOfBody)
  if (announced.size > maxBytes)
    throw new AwsError('EntityTooLarge', `The body of this request may have at most ${maxBytes} bytes.`, 400)
  const { bytes, trailers } = await collect(request.call.request, announced)
  const hasher = announced.stated && createHasher(announced.stated.algorithm)
  hasher?.update(bytes)
  verify(announced, trailers, {
    md5: hash('md5', bytes, 'buffer'),
    sha256: sha256Of(announced, bytes),
    checksum: hasher?.digest().toString('base64'),
  })
  return { bytes, verified: announced.stated !== undefined || announced.contentMd5 !== undefined }
}

/** The content encoding that belongs to the object: `aws-chunked` is the transfer's, not the object's. */
export function objectContentEncoding(contentEncoding: string | undefined): string | undefined {
  if (contentEncoding === undefined) return undefined
  const codings = contentEncoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
  return codings.length === 0 ? undefined : codings.join(',')
}

function announcement(request: S3Request, checksumOfBody = true): Announcement {
  const contentSha256 = header(request, 'x-amz-content-sha256')
  const chunked =
    contentSha256?.startsWith('STREAMING-') === true ||
    /(^|,)\s*aws-chunked\s*(,|$)/i.test(header(request, 'content-encoding') ?? '')
  const length = header(request, chunked ? 'x-amz-decoded-content-length' : 'content-length')
  if (length === undefined && (chunked || header(request, 'transfer-encoding') !== undefined)) {
    throw new AwsError('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411)
  }
  const size = Number(length ?? 0)
  if (!Number.isSafeInteger(size) || size < 0) throw new AwsError('InvalidArgument', `"${length}" is not a length in bytes.`)
  const stated = checksumOfBody ? statedChecksum(request.headers) : undefined
  if (checksumOfBody && header(request, 'x-amz-sdk-checksum-algorithm') !== undefined && stated === undefined) {
    throw new AwsError(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    )
  }
  const contentMd5 = header(request, 'content-md5')
  if (contentMd5 !== undefined && Buffer.from(contentMd5, 'base64').length !== 16) {
    throw new AwsError('InvalidDigest', 'The Content-MD5 you specified was invalid.', 400, { 'Content-MD5': contentMd5 })
  }
  const sha256 = contentSha256 !== undefined && /^[0-9a-f]{64}$/.test(contentSha256) ? contentSha256 : undefined
  return { size, decoder: chunked ? createAwsChunkedDecoder() : undefined, stated, contentMd5, sha256 }
}

async function receiveSmall(
  bodies: BodyFiles,
  request: S3Request,
  announced: Announcement,
  fallback: ChecksumAlgorithm,
): Promise<ReceivedBody> {
  const { bytes, trailers } = await collect(request.call.request, announced)
  const algorithm = announced.stated?.algorithm ?? fallback
  const hasher = createHasher(algorithm)
  hasher.update(bytes)
  const value = hasher.digest().toString('base64')
  const md5 = hash('md5', bytes, 'buffer')
  verify(announced, trailers, { md5, sha256: sha256Of(announced, bytes), checksum: value })
  const body = await bodies.write(bytes)
  return {
    size: bytes.length,
    md5: md5.toString('hex'),
    checksum: { algorithm, value, type: 'FULL_OBJECT' },
    stated: announced.stated !== undefined,
    body,
  }
}

function sha256Of(announced: Announcement, bytes: Buffer): string | undefined {
  return announced.sha256 === undefined ? undefined : hash('sha256', bytes, 'hex')
}

async function receiveLarge(
  bodies: BodyFiles,
  request: S3Request,
  announced: Announcement,
  fallback: ChecksumAlgorithm,
): Promise<ReceivedBody> {
  const { decoder } = announced
  const algorithm = announced.stated?.algorithm ?? fallback
  const hasher: Hasher = createHasher(algorithm)
  const md5 = createHash('md5')
  const sha256 = announced.sha256 === undefined ? undefined : createHash('sha256')
  const writer: BodyWriter = await createBodyWriter(bodies)
  const take = async (bytes: Buffer) => {
    if (writer.size + bytes.length > announced.size) throw incomplete()
    md5.update(bytes)
    hasher.update(bytes)
    sha256?.update(bytes)
    await writer.write(bytes)
  }
  try {
    try {
      // Not destroyed on an error: the socket must live to carry the answer.
      for await (const chunk of request.call.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (decoder) for (const piece of decoder.push(chunk)) await take(piece)
        else await take(chunk)
      }
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ECONNRESET' ? incomplete() : error
    }
    const trailers = decoder?.end()
    if (writer.size !== announced.size) throw incomplete()
    const value = hasher.digest().toString('base64')
    const digest = md5.digest()
    verify(announced, trailers, { md5: digest, sha256: sha256?.digest('hex'), checksum: value })
    await writer.finish()
    return {
      size: writer.size,
      md5: digest.toString('hex'),
      checksum: { algorithm, value, type: 'FULL_OBJECT' },
      stated: announced.stated !== undefined,
      body: writer.body,
    }
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

function collect(
  request: IncomingMessage,
  announced: Announcement,
): Promise<{ readonly bytes: Buffer; readonly trailers: ReadonlyMap<string, string> | undefined }> {
  const { decoder, size } = announced
  return new Promise((resolve, reject) => {
    // One buffer of its own, which can be kept: the chunks are views on socket buffers.
    const bytes = Buffer.allocUnsafeSlow(size)
    let received = 0
    let settled = false
    const fail = (error: unknown) => {
      settled = true
      reject(error)
    }
    const take = (piece: Buffer) => {
      if (received + piece.length > size) throw incomplete()
      received += piece.copy(bytes, received)
    }
    request.on('data', (chunk: Buffer) => {
      // After a failure the rest is read and forgotten, so that the answer gets through.
      if (settled) return
      try {
        if (decoder) for (const piece of decoder.push(chunk)) take(piece)
        else take(chunk)
      } catch (error) {
        fail(error)
      }
    })
    request.once('end', () => {
      if (settled) return
      try {
        const trailers = decoder?.end()
        if (received !== size) throw incomplete()
        settled = true
        resolve({ bytes, trailers })
      } catch (error) {
        fail(error)
      }
    })
    const cut = () => {
      if (!settled) fail(incomplete())
    }
    request.once('error', cut)
    request.once('close', cut)
  })
}

function verify(
  announced: Announcement,
  trailers: ReadonlyMap<string, string> | undefined,
  found: { readonly md5: Buffer; readonly sha256: string | undefined; readonly checksum: string | undefined },
): void {
  if (announced.sha256 !== undefined && announced.sha256 !== found.sha256) {
    throw new AwsError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      400,
      {
        ClientComputedContentSHA256: announced.sha256,
        S3ComputedContentSHA256: found.sha256 ?? '',
      },
    )
  }
  if (announced.contentMd5 !== undefined && announced.contentMd5.trim() !== found.md5.toString('base64')) {
    throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.', 400, {
      ExpectedDigest: announced.contentMd5,
      CalculatedDigest: found.md5.toString('base64'),
    })
  }
  if (announced.stated) {
    const { algorithm } = announced.stated
    const value = announced.stated.value ?? trailers?.get(checksumHeader(algorithm))
    if (value === undefined) {
      throw new AwsError(
        'MalformedTrailerError',
        `The request announced the trailer ${checksumHeader(algorithm)} and did not send it.`,
        400,
      )
    }
    if (value !== found.checksum) {
      throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`, 400)
    }
  }
}

function incomplete(): AwsError {
  return new AwsError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
    400,
  )
}
