import type { S3Client } from '@aws-sdk/client-s3'
import { checkClient, environmentConfig } from './aws-client'
import { ConfigError, PipeError } from './error'
import { deniedError, isAccessDenied } from './iam-error'
import { parseLocation, type S3Location } from './location'
import type { ObjectHead } from './object-store'
import { isRetryable } from './retry'

/** Metadata key of the nonce of a conditional write. */
export const nonceKey = 'pipe-nonce'

/** Where the requests of one object store go: its client, the names of its objects, and what their failures mean. */
export interface S3Prefix {
  readonly bucket: string
  readonly prefix: string
  readonly location: S3Location
  /** Bucket, and the owner that it must have, of a request. */
  readonly inBucket: { readonly Bucket: string; readonly ExpectedBucketOwner?: string }
  sdk(): Promise<typeof import('@aws-sdk/client-s3')>
  client(): Promise<S3Client>
  /** Bucket and key of a request. */
  place(key: string): { Bucket: string; Key: string; ExpectedBucketOwner?: string }
  /** The key, when it is one. */
  checkKey(key: string): string
  /** Runs a call; every error leaves as a PipeError, except an abort, which is the caller's own reason. */
  call<T>(action: string, key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>
  translate(error: unknown, action: string, key: string, signal: AbortSignal | undefined): unknown
  /** What HEAD says of a key, with the nonce of the conditional write that wrote it. */
  headOf(key: string, signal: AbortSignal | undefined): Promise<(ObjectHead & { nonce: string | undefined }) | undefined>
  close(): void
}

/** Opens nothing yet: the SDK is loaded, and a client made, with the first request. */
export function s3Prefix(options: {
  readonly location: S3Location
  readonly client?: S3Client | undefined
  readonly expectedBucketOwner?: string | undefined
}): S3Prefix {
  const { location } = options
  const { bucket, prefix } = parseLocation(location)
  if (options.client !== undefined) checkClient('createObjectStore', options.client)
  let own: S3Client | undefined
  let isClosed = false

  // The SDK is loaded with the first call: importing @pipe/core costs nothing of it.
  let loading: Promise<typeof import('@aws-sdk/client-s3')> | undefined
  const sdk = () => {
    loading ??= import('@aws-sdk/client-s3')
    return loading
  }
  const client = async (): Promise<S3Client> => {
    if (isClosed) throw new PipeError('PIPE_CLOSED', `The object store of ${location} is closed.`)
    if (options.client) return options.client
    const { S3Client: Client } = await sdk()
    own ??= new Client(environmentConfig())
    return own
  }
  const inBucket = {
    Bucket: bucket,
    ...(options.expectedBucketOwner === undefined ? {} : { ExpectedBucketOwner: options.expectedBucketOwner }),
  }
  const place = (key: string) => ({ ...inBucket, Key: prefix + checkKey(key) })
  const arn = (key: string) => `arn:aws:s3:::${bucket}/${prefix}${key}`

  async function call<T>(action: string, key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted()
      return await work()
    } catch (error) {
      throw translate(error, action, key, signal)
    }
  }

  function translate(error: unknown, action: string, key: string, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason
    if (PipeError.isInstance(error)) return error
    if (isAccessDenied(error)) {
      const isRead = action === 's3:GetObject'
      const resource = action === 's3:ListBucket' ? `arn:aws:s3:::${bucket}` : arn(key)
      return deniedError(
        error,
        { action, resource },
        isRead ? 'Without s3:ListBucket, S3 answers so for a missing key too.' : undefined,
      )
    }
    const { name, message, code } = error as { name?: string; message?: string; code?: string }
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
      return new ConfigError(`The AWS SDK for S3 cannot be loaded: ${message}.`, {
        code: 'PIPE_AWS_SDK',
        hint: 'Install the peer dependencies: npm install @aws-sdk/client-s3 @aws-sdk/lib-storage.',
        cause: error,
      })
    }
    if (name === 'NoSuchBucket') {
      return new PipeError('PIPE_OBJECT_BUCKET', `There is no bucket "${bucket}".`, {
        hint: 'Create it, or correct the location.',
        cause: error,
        details: { bucket },
      })
    }
    return new PipeError('PIPE_OBJECT_STORE', `${action} on ${location}${key} failed: ${name}: ${message}.`, {
      cause: error,
      retryable: isRetryable(error) || statusOf(error) === 409,
      details: { action, bucket, key: prefix + key, status: statusOf(error) },
    })
  }

  async function headOf(
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<(ObjectHead & { nonce: string | undefined }) | undefined> {
    const { HeadObjectCommand } = await sdk()
    try {
      const reply = await (await client()).send(new HeadObjectCommand(place(key)), { ...(signal && { abortSignal: signal }) })
      return { ...headFrom(key, reply, reply.ContentLength ?? 0), nonce: reply.Metadata?.[nonceKey] }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  function close(): void {
    isClosed = true
    own?.destroy()
    own = undefined
  }

  function checkKey(key: string): string {
    const problem =
      typeof key !== 'string' || key === ''
        ? 'is empty'
        : key.startsWith('s3://')
          ? 'is a whole address'
          : Buffer.byteLength(prefix + key) > 1024
            ? 'is longer than 1 024 bytes'
            : undefined
    if (problem !== undefined) {
      throw new ConfigError(`The key ${JSON.stringify(String(key).slice(0, 80))} ${problem}.`, {
        code: 'PIPE_LOCATION',
        hint: `Give a key relative to ${location}.`,
      })
    }
    return key
  }

  return { bucket, prefix, location, inBucket, sdk, client, place, checkKey, call, translate, headOf, close }
}

/** The HTTP status of an error of the SDK, when it has one. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode
}

/** Whether an answer says that there is no such object, in a bucket that is there. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket'
}

/** What a reply says of its object. */
export function headFrom(
  key: string,
  reply: { ETag?: string | undefined; LastModified?: Date | undefined; Metadata?: Record<string, string> | undefined },
  size: number,
): ObjectHead {
  // The nonce is the store's own: a caller who copies metadata must not copy it.
  const { [nonceKey]: _, ...metadata } = reply.Metadata ?? {}
  return { key, size, etag: reply.ETag ?? '', lastModified: reply.LastModified ?? new Date(0), metadata }
}
