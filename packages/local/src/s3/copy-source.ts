import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { AwsError } from '../service'
import type { BodyFiles } from './body-files'
import { createBodyWriter } from './body-writer'
import type { ObjectRecord } from './bucket-index'
import type { ByteRange } from './byte-range'
import { type Checksum, type ChecksumAlgorithm, createHasher } from './checksum'
import { failedRead, preconditionFailed, readConditions } from './conditions'
import { findObject } from './get-object'
import { checkKey, header, objectArn, type S3Context, type S3Request } from './s3-request'

/**
 * The object that `x-amz-copy-source` names, authorised and under its conditions.
 *
 * @throws {@link AwsError} InvalidArgument, AccessDenied, NoSuchBucket, NoSuchKey, PreconditionFailed, NotImplemented (versions)
 */
export function copySource(context: S3Context, request: S3Request): { readonly bucket: string; readonly record: ObjectRecord } {
  const { bucket, key } = parseCopySource(header(request, 'x-amz-copy-source')!)
  context.authorizer.authorize(request.call.principal, 's3:GetObject', objectArn(bucket, key))
  const record = findObject(context, request, context.store.bucket(bucket), key)
  const failed = failedRead(record, readConditions(request.headers, 'x-amz-copy-source-'))
  if (failed) throw preconditionFailed(`x-amz-copy-source-${failed.header}`)
  return { bucket, record }
}

function parseCopySource(source: string): { bucket: string; key: string } {
  const invalid = (why: string) =>
    new AwsError('InvalidArgument', `Copy Source must mention the source bucket and key: ${why}`, 400, {
      ArgumentName: 'x-amz-copy-source',
      ArgumentValue: source,
    })
  const question = source.lastIndexOf('?versionId=')
  if (question >= 0) throw new AwsError('NotImplemented', 'The local S3 does not implement versionId in x-amz-copy-source.', 501)
  let decoded: string
  try {
    decoded = decodeURIComponent(source)
  } catch {
    throw invalid('it is not URL-encoded.')
  }
  const path = decoded.startsWith('/') ? decoded.slice(1) : decoded
  const slash = path.indexOf('/')
  if (slash < 1 || slash === path.length - 1) throw invalid('sourcebucket/sourcekey.')
  const key = path.slice(slash + 1)
  checkKey(key)
  return { bucket: path.slice(0, slash), key }
}

/** What is known of bytes after they were read once. */
export interface Digested {
  readonly size: number
  readonly md5: string
  readonly checksum: Checksum
}

/** Reads files one after the other and computes MD5 and checksum over all of them; `target` gets the bytes. */
export async function digestFiles(
  files: readonly { readonly path: string; readonly range?: ByteRange }[],
  algorithm: ChecksumAlgorithm,
  target?: { write(bytes: Buffer): Promise<void> },
): Promise<Digested> {
  const md5 = createHash('md5')
  const hasher = createHasher(algorithm)
  let size = 0
  for (const { path, range } of files) {
    const options = range ? { start: range.start, end: range.end } : {}
    for await (const chunk of createReadStream(path, { ...options, highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>) {
      size += chunk.length
      md5.update(chunk)
      hasher.update(chunk)
      await target?.write(chunk)
    }
  }
  return { size, md5: md5.digest('hex'), checksum: { algorithm, value: hasher.digest().toString('base64'), type: 'FULL_OBJECT' } }
}

/** Writes files one after the other into a new body. */
export async function concatenate(
  bodies: BodyFiles,
  files: readonly { readonly path: string; readonly range?: ByteRange }[],
  algorithm: ChecksumAlgorithm,
): Promise<Digested & { readonly body: number }> {
  const writer = await createBodyWriter(bodies)
  try {
    const digested = await digestFiles(files, algorithm, writer)
    await writer.finish()
    return { ...digested, body: writer.body }
  } catch (error) {
    await writer.abandon()
    throw error
  }
}
