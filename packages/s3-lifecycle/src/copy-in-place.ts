import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { PipeError } from '@pipe/core'
import { type BucketCalls, statusOf } from './s3-call'
import type { ObjectClass } from './storage-class'

/** Beyond this size S3 copies by parts only. */
export const copyLimitBytes: number = 5 * 1024 ** 3

/** Size of the parts of a multipart copy: 512 MiB, more when 10 000 parts would not hold the object. */
export function copyPartBytes(sizeBytes: number): number {
  const MiB = 1024 ** 2
  return Math.max(512 * MiB, Math.ceil(sizeBytes / 10_000 / MiB) * MiB)
}

/** One object whose class is to change. */
export interface ClassChangeItem {
  readonly key: string
  readonly sizeBytes: number
  readonly etag: string | undefined
  readonly from: string
}

/** How the change of one object ended. */
export type ClassChangeOutcome = 'changed' | 'already' | 'stale' | { readonly error: string }

/** Copies one object onto itself in another class. A missing permission is thrown: it would fail on all. */
export async function changeClass(
  calls: BucketCalls,
  item: ClassChangeItem,
  to: Exclude<ObjectClass, 'REDUCED_REDUNDANCY'>,
  signal: AbortSignal | undefined,
): Promise<ClassChangeOutcome> {
  const { key, etag } = item
  try {
    const head = await calls.send(
      's3:GetObject',
      (client, place, options) => client.send(new HeadObjectCommand({ ...place, Key: key, ChecksumMode: 'ENABLED' }), options),
      key,
    )
    if ((head.StorageClass ?? 'STANDARD') === to) return 'already'
    if (etag !== undefined && head.ETag !== etag) return 'stale'
    if ((head.ContentLength ?? 0) > copyLimitBytes) await copyByParts(calls, key, head, to)
    else await copyAtOnce(calls, key, head, to)
    return 'changed'
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (PipeError.isInstance(error) && error.code === 'PIPE_IAM_DENIED') throw error
    const status = statusOf((error as { cause?: unknown }).cause ?? error)
    // Gone, or no longer what was looked at.
    if (status === 404 || status === 412) return 'stale'
    return { error: (error as Error).message }
  }
}

/** What a copy does not take from its source by itself: encryption, lock, the kind of checksum. */
function kept(head: HeadObjectCommandOutput): object {
  const checksum = (['SHA256', 'SHA1', 'CRC32', 'CRC32C', 'CRC64NVME'] as const).find(
    (name) => head[`Checksum${name}`] !== undefined,
  )
  return {
    ...(checksum && { ChecksumAlgorithm: checksum }),
    ...(head.ServerSideEncryption && { ServerSideEncryption: head.ServerSideEncryption }),
    ...(head.SSEKMSKeyId && { SSEKMSKeyId: head.SSEKMSKeyId }),
    ...(head.BucketKeyEnabled && { BucketKeyEnabled: true }),
    ...(head.ObjectLockMode && {
      ObjectLockMode: head.ObjectLockMode,
      ObjectLockRetainUntilDate: head.ObjectLockRetainUntilDate,
    }),
    ...(head.ObjectLockLegalHoldStatus && { ObjectLockLegalHoldStatus: head.ObjectLockLegalHoldStatus }),
    ...(head.WebsiteRedirectLocation && { WebsiteRedirectLocation: head.WebsiteRedirectLocation }),
  }
}

function sourceOf(bucket: string, key: string): string {
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
}

async function copyAtOnce(calls: BucketCalls, key: string, head: HeadObjectCommandOutput, to: ObjectClass): Promise<void> {
  await calls.send(
    's3:PutObject',
    (client, place, options) =>
      client.send(
        new CopyObjectCommand({
          ...place,
          ...kept(head),
          Key: key,
          CopySource: sourceOf(calls.bucket, key),
          CopySourceIfMatch: head.ETag,
          MetadataDirective: 'COPY',
          TaggingDirective: 'COPY',
          StorageClass: to,
        }),
        options,
      ),
    key,
  )
}

/** A multipart copy takes nothing along: metadata, headers and tags are sent with it. */
async function copyByParts(calls: BucketCalls, key: string, head: HeadObjectCommandOutput, to: ObjectClass): Promise<void> {
  const tags = await calls.send(
    's3:GetObjectTagging',
    (client, place, options) => client.send(new GetObjectTaggingCommand({ ...place, Key: key }), options),
    key,
  )
  const tagging = new URLSearchParams(
    (tags.TagSet ?? []).map(({ Key, Value }): [string, string] => [Key ?? '', Value ?? '']),
  ).toString()
  const { UploadId } = await calls.send(
    's3:PutObject',
    (client, place, options) =>
      client.send(
        new CreateMultipartUploadCommand({
          ...place,
          ...kept(head),
          Key: key,
          StorageClass: to,
          Metadata: head.Metadata,
          ContentType: head.ContentType,
          ContentEncoding: head.ContentEncoding,
          ContentLanguage: head.ContentLanguage,
          ContentDisposition: head.ContentDisposition,
          CacheControl: head.CacheControl,
          ...(head.ExpiresString && { Expires: new Date(head.ExpiresString) }),
          ...(head.ChecksumType && { ChecksumType: head.ChecksumType }),
          ...(tagging !== '' && { Tagging: tagging }),
        }),
        options,
      ),
    key,
  )
  try {
    const size = head.ContentLength!
    const Parts: object[] = []
    const partBytes = copyPartBytes(size)
    for (let start = 0, PartNumber = 1; start < size; start += partBytes, PartNumber++) {
      const end = Math.min(start + partBytes, size) - 1
      const { CopyPartResult } = await calls.send(
        's3:PutObject',
        (client, place, options) =>
          client.send(
            new UploadPartCopyCommand({
              ...place,
              Key: key,
              UploadId,
              PartNumber,
              CopySource: sourceOf(calls.bucket, key),
              CopySourceIfMatch: head.ETag,
              CopySourceRange: `bytes=${start}-${end}`,
            }),
            options,
          ),
        key,
      )
      const { LastModified: _, ...part } = CopyPartResult ?? {}
      Parts.push({ ...part, PartNumber })
    }
    await calls.send(
      's3:PutObject',
      (client, place, options) =>
        client.send(new CompleteMultipartUploadCommand({ ...place, Key: key, UploadId, MultipartUpload: { Parts } }), options),
      key,
    )
  } catch (error) {
    // Parts that stay behind would be paid for. The error that led here is the one to report.
    await calls
      .send(
        's3:AbortMultipartUpload',
        (client, place) => client.send(new AbortMultipartUploadCommand({ ...place, Key: key, UploadId })),
        key,
      )
      .catch(() => undefined)
    throw error
  }
}
