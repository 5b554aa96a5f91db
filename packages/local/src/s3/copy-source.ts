import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { AwsError } from '../service'
import { checkReadable } from './archive'
import type { BodyFiles } from './body-files'
import { createBodyWriter } from './body-writer'
import type { BucketIndex } from './bucket-index'
import type { ByteRange } from './byte-range'
import { type Checksum, type ChecksumAlgorithm, createHasher } from './checksum'
import { failedRead, preconditionFailed, readConditions } from './conditions'
import { authorizeDecrypt } from './kms-key'
import type { ObjectRecord } from './object-record'
import { checkExpectedOwner, checkKey, header, objectArn, type S3Context, type S3Request } from './s3-request'
import { findObjectVersion } from './versions'

/**
 * The object that `x-amz-copy-source` names, authorised and under its conditions.
 *
 * @throws {@link AwsError} InvalidArgument, AccessDenied, NoSuchBucket, NoSuchKey, NoSuchVersion, InvalidObjectState (archived), PreconditionFailed
 */
export function copySource(context: S3Context, request: S3Request): CopySource {
  const { bucket, key, versionId } = parseCopySource(header(request, 'x-amz-copy-source')!)
  const action = versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion'
  context.authorizer.authorize(request.call.principal, action, objectArn(bucket, key))
  checkExpectedOwner(context, request, 'x-amz-source-expected-bucket-owner', bucket)
  const index = context.store.bucket(bucket)
  const record = findSource(context, request, index, key, versionId)
  authorizeDecrypt(context, request, bucket, record)
  checkReadable(record, context.store.now(), 'source object')
  const failed = failedRead(record, readConditions(request.headers, 'x-amz-copy-source-'))
  if (failed) throw preconditionFailed(`x-amz-copy-source-${failed.header}`)
  return { index, record }
}

/** The object that is copied, and the bucket that holds it. */
export interface CopySource {
  readonly index: BucketIndex
  readonly record: ObjectRecord
}

function findSource(
  context: S3Context,
  request: S3Request,
  index: BucketIndex,
  key: string,
  versionId: string | undefined,
): ObjectRecord {
  try {
    return findObjectVersion(context, request, index, key, versionId)
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'MethodNotAllowed') throw error
    const text = 'The source of a copy request may not specifically refer to a delete marker by version id.'
    throw new AwsError('InvalidRequest', text)
  }
}

function parseCopySource(source: string): { bucket: string; key: string; versionId: string | undefined } {
  const invalid = (why: string) =>
    new AwsError('InvalidArgument', `Copy Source must mention the source bucket and key: ${why}`, 400, {
      ArgumentName: 'x-amz-copy-source',
      ArgumentValue: source,
    })
  const question = source.lastIndexOf('?versionId=')
  let decoded: string
  try {
    decoded = decodeURIComponent(question < 0 ? source : source.slice(0, question))
  } catch {
    throw invalid('it is not URL-encoded.')
  }
  const path = decoded.startsWith('/') ? decoded.slice(1) : decoded
  const slash = path.indexOf('/')
  if (slash < 1 || slash === path.length - 1) throw invalid('sourcebucket/sourcekey.')
  const key = path.slice(slash + 1)
  checkKey(key)
  const versionId = question < 0 ? undefined : source.slice(question + '?versionId='.length)
  return { bucket: path.slice(0, slash), key, versionId }
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
