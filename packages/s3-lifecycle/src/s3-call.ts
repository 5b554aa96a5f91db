import { S3Client } from '@aws-sdk/client-s3'
import { PipeError, retry } from '@pipe/core'
import { deniedError, environmentConfig, type HeldClient, holdClient, isAccessDenied } from '@pipe/core/internal'
import { LifecycleError } from './errors'

/** What each function that talks to S3 takes. */
export interface S3Options {
  /** Default: one made from the standard environment (`AWS_ENDPOINT_URL` works). A given client is not closed. */
  readonly client?: S3Client | undefined
  /** Account that must own the bucket, else S3 refuses every call. */
  readonly expectedBucketOwner?: string | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** Names of {@link S3Options}, for checks of options. */
export const s3OptionNames = ['client', 'expectedBucketOwner', 'signal'] as const

/** Calls on one bucket, with errors that say what to do. */
export interface BucketCalls {
  readonly bucket: string
  /**
   * Sends a command of the client. Throttling, broken connections and 5xx are tried again with growing pauses.
   *
   * @param action the permission that it needs, for the error when it is missing.
   */
  send<Output>(
    action: string,
    work: (client: S3Client, place: BucketPlace, options: { readonly abortSignal?: AbortSignal }) => Promise<Output>,
    key?: string,
  ): Promise<Output>
  /** Closes the client when it was made here. */
  close(): void
}

/** What every command carries. */
export interface BucketPlace {
  readonly Bucket: string
  readonly ExpectedBucketOwner?: string
}

/** Holds the client of a call on a bucket. */
export function bucketCalls(where: string, bucket: string, options: S3Options): BucketCalls {
  if (typeof bucket !== 'string' || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new LifecycleError('PIPE_LIFECYCLE_BUCKET', `${where}: ${JSON.stringify(bucket)} cannot name a bucket.`, {
      hint: 'Give the name alone, without s3://.',
    })
  }
  const held: HeldClient<S3Client> = holdClient(where, options.client, () => new S3Client(environmentConfig()))
  const { signal, expectedBucketOwner } = options
  const place: BucketPlace = {
    Bucket: bucket,
    ...(expectedBucketOwner !== undefined && { ExpectedBucketOwner: expectedBucketOwner }),
  }
  return {
    bucket,
    close: () => held.close(),
    async send(action, work, key) {
      try {
        const options = signal === undefined ? {} : { abortSignal: signal }
        return await retry(() => work(held.client, place, options), { attempts: 6, ...(signal && { signal }) })
      } catch (error) {
        throw signal?.aborted ? signal.reason : callError(error, action, bucket, key)
      }
    },
  }
}

/** Status of an answer of S3. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode
}

function callError(error: unknown, action: string, bucket: string, key: string | undefined): unknown {
  if (PipeError.isInstance(error)) return error
  const resource = `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`
  if (isAccessDenied(error)) return deniedError(error, { action, resource })
  const { name = '', message = String(error) } = error as { name?: string; message?: string }
  const details = { bucket, ...(key !== undefined && { key }) }
  if (name === 'NoSuchBucket') {
    return new LifecycleError('PIPE_LIFECYCLE_BUCKET', `There is no bucket "${bucket}".`, {
      hint: 'Correct the name, or create it.',
      cause: error,
      details,
    })
  }
  const status = statusOf(error)
  return new LifecycleError('PIPE_LIFECYCLE_S3', `${action} on ${resource} failed: ${name}: ${message}.`, {
    cause: error,
    retryable: status === undefined || status >= 500 || status === 429,
    details,
  })
}
