import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { GetObjectCommandOutput, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { checkClient, environmentConfig } from './aws-client'
import { ConfigError, PipeError } from './error'
import { deniedError, isAccessDenied } from './iam-error'
import { parseLocation, type S3Location } from './location'
import { resumableBody } from './object-body'
import type { CreateOutcome, ObjectHead, ObjectStore, PutBody, PutOptions, ReplaceOutcome } from './object-store'
import { checkOptions } from './options'
import { isRetryable, retry } from './retry'

/** What {@link createObjectStore} takes. */
export interface ObjectStoreOptions {
  /** `s3://bucket/` or `s3://bucket/prefix/`. */
  readonly location: S3Location
  /** Default: one made from the standard environment (`AWS_ENDPOINT_URL` works, then with the bucket in the path). */
  readonly client?: S3Client | undefined
  /** Account that must own the bucket, else every call is refused by S3. */
  readonly expectedBucketOwner?: string | undefined
}

/** Metadata key of the nonce of a conditional write. */
const nonceKey = 'pipe-nonce'

/** Attempts of one conditional write, beyond those that the SDK makes by itself. */
const conditionalAttempts = 6

/**
 * The objects below a location of S3, with conditional writes that survive a lost reply.
 *
 * @throws {@link ConfigError} `PIPE_LOCATION`, `PIPE_CONFIG`
 * @example
 * ```ts
 * await using store = createObjectStore({ location: 's3://lake/state/' })
 * const { outcome } = await store.putIfAbsent('commit/20261124T1530Z/0', JSON.stringify(commit)) // 'created' or 'exists'
 * ```
 */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  checkOptions('createObjectStore', options, { required: ['location'], optional: ['client', 'expectedBucketOwner'] })
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
  const place = (key: string) => ({
    Bucket: bucket,
    Key: prefix + checkKey(key),
    ...(options.expectedBucketOwner === undefined ? {} : { ExpectedBucketOwner: options.expectedBucketOwner }),
  })
  const arn = (key: string) => `arn:aws:s3:::${bucket}/${prefix}${key}`

  /** Runs a call; every error leaves as a PipeError, except an abort, which is the caller's own reason. */
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
      if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined
      throw error
    }
  }

  type ReadBack = { readonly ours: string } | { readonly theirs: string } | 'absent'

  /** What stands at a key after a write of unknown outcome. Throws `PIPE_OBJECT_AMBIGUOUS` when that cannot be read. */
  async function readBack(key: string, nonce: string, signal: AbortSignal | undefined, cause: unknown): Promise<ReadBack> {
    try {
      const found = await headOf(key, signal)
      if (found === undefined) return 'absent'
      return found.nonce === nonce ? { ours: found.etag } : { theirs: found.etag }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw ambiguous(key, `it cannot be read back (${(error as Error).name})`, cause)
    }
  }

  function ambiguous(key: string, why: string, cause: unknown): PipeError {
    return new PipeError('PIPE_OBJECT_AMBIGUOUS', `Whether the write of ${location}${key} took place is not known: ${why}.`, {
      hint: 'Nothing was deleted. Read the object before writing again.',
      cause,
      details: { bucket, key: prefix + key },
    })
  }

  /**
   * A conditional PUT. `decided` gets the read-back after a 412 or a failure; it returns the outcome, or `undefined` to write again
   * (with the same nonce, so that an earlier try that lands late is still recognised as ours).
   */
  async function putConditionally<Outcome>(
    key: string,
    body: Uint8Array | string,
    put: PutOptions,
    condition: { readonly IfNoneMatch: '*' } | { readonly IfMatch: string },
    written: (etag: string) => Outcome,
    decided: (found: { readonly theirs: string } | 'absent', wasRefused: boolean) => Outcome | undefined,
  ): Promise<Outcome> {
    const nonce = randomUUID()
    const { PutObjectCommand } = await sdk()
    const { signal } = put
    const input = {
      ...place(key),
      ...putInput({ ...put, metadata: { ...put.metadata, [nonceKey]: nonce } }),
      ...condition,
      Body: body,
    }
    return call('s3:PutObject', key, signal, () =>
      retry(
        async (attempt) => {
          let failure: unknown
          try {
            const reply = await (await client()).send(new PutObjectCommand(input), { ...(signal && { abortSignal: signal }) })
            return written(reply.ETag!)
          } catch (error) {
            if (signal?.aborted) throw signal.reason
            failure = error
          }
          const status = statusOf(failure)
          // 409: another conditional write is in progress; nothing was written.
          if (status === 409) throw failure
          // A clear refusal on the first and only try: nothing can have been written.
          if (status !== undefined && status >= 400 && status < 500 && status !== 404 && status !== 412 && !isRetryable(failure))
            throw failure
          if (status === 404 && (failure as Error).name === 'NoSuchBucket') throw failure
          const found = await readBack(key, nonce, signal, failure)
          if (found !== 'absent' && 'ours' in found) return written(found.ours)
          const wasRefused = status === 412 || status === 404
          const outcome = decided(found, wasRefused)
          if (outcome !== undefined) return outcome
          if (attempt >= conditionalAttempts)
            throw ambiguous(key, `${attempt} tries failed (${(failure as Error).name}) and it is not there`, failure)
          throw new Undecided(failure)
        },
        {
          attempts: conditionalAttempts,
          isRetryable: (error) => error instanceof Undecided || statusOf(error) === 409,
          ...(signal && { signal }),
        },
      ),
    )
  }

  return {
    location,
    uri: (key) => `${location}${checkKey(key)}`,

    async *list(listOptions = {}) {
      const { signal } = listOptions
      const { ListObjectsV2Command } = await sdk()
      let token: string | undefined
      do {
        const page = await call('s3:ListBucket', listOptions.prefix ?? '', signal, async () =>
          (await client()).send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix + (listOptions.prefix ?? ''),
              // XML cannot hold every character that a key can.
              EncodingType: 'url',
              ...(token === undefined ? {} : { ContinuationToken: token }),
              ...(listOptions.startAfter === undefined ? {} : { StartAfter: prefix + listOptions.startAfter }),
              ...(options.expectedBucketOwner === undefined ? {} : { ExpectedBucketOwner: options.expectedBucketOwner }),
            }),
            { ...(signal && { abortSignal: signal }) },
          ),
        )
        for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
          const key = decodeURIComponent(Key!.replaceAll('+', ' ')).slice(prefix.length)
          // The marker object of a "folder" has no name of its own below the location.
          if (key !== '') yield { key, size: Size ?? 0, etag: ETag ?? '', lastModified: LastModified ?? new Date(0) }
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined
      } while (token !== undefined)
    },

    head: (key, { signal } = {}) =>
      call('s3:GetObject', key, signal, async () => {
        const found = await headOf(key, signal)
        if (found === undefined) return undefined
        const { nonce: _, ...head } = found
        return head
      }),

    get: (key, getOptions = {}) => {
      const { range, ifMatch, signal } = getOptions
      return call('s3:GetObject', key, signal, async () => {
        const { GetObjectCommand } = await sdk()
        const start = range?.start ?? 0
        const open = async (skip: number, etag: string | undefined): Promise<GetObjectCommandOutput> => {
          const from = start + skip
          const last = range?.end === undefined ? '' : range.end - 1
          return (await client()).send(
            new GetObjectCommand({
              ...place(key),
              ...(range === undefined && skip === 0 ? {} : { Range: `bytes=${from}-${last}` }),
              ...(etag === undefined ? {} : { IfMatch: etag }),
            }),
            { ...(signal && { abortSignal: signal }) },
          )
        }
        const changed = (cause: unknown) =>
          new PipeError('PIPE_OBJECT_CHANGED', `${location}${key} is no longer the object that was expected.`, {
            hint: 'List or head it again.',
            cause,
            details: { bucket, key: prefix + key },
          })
        let reply: GetObjectCommandOutput
        try {
          reply = await open(0, ifMatch)
        } catch (error) {
          if (statusOf(error) === 412) throw changed(error)
          if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined
          throw error
        }
        const length = reply.ContentLength ?? 0
        const total = Number(/\/(\d+)$/.exec(reply.ContentRange ?? '')?.[1] ?? length)
        const reopen = async (skip: number) => {
          try {
            return (await open(skip, reply.ETag)).Body as Readable
          } catch (error) {
            throw statusOf(error) === 412 ? changed(error) : translate(error, 's3:GetObject', key, signal)
          }
        }
        const body = resumableBody(headFrom(key, reply, total), reply.Body as Readable, length, reopen, (error) => {
          return !signal?.aborted && !PipeError.isInstance(error)
        })
        return body
      })
    },

    put: (key, body, put = {}) =>
      call('s3:PutObject', key, put.signal, async () => {
        const input = { ...place(key), ...putInput(put) }
        if (body instanceof Readable) return putStream(await client(), input, body, put.signal)
        const { PutObjectCommand } = await sdk()
        const command = new PutObjectCommand({ ...input, Body: bytesOf(body) })
        const reply = await (await client()).send(command, { ...(put.signal && { abortSignal: put.signal }) })
        return { etag: reply.ETag! }
      }),

    putIfAbsent: (key, body, put = {}) =>
      putConditionally<CreateOutcome>(
        key,
        body,
        put,
        { IfNoneMatch: '*' },
        (etag) => ({ outcome: 'created', etag }),
        (found) => (found === 'absent' ? undefined : { outcome: 'exists', etag: found.theirs }),
      ),

    putIfMatch: (key, body, etag, put = {}) =>
      putConditionally<ReplaceOutcome>(
        key,
        body,
        put,
        { IfMatch: etag },
        (newTag) => ({ outcome: 'replaced', etag: newTag }),
        // Still the object that the caller saw: the write has not taken place, unless S3 says that it may not.
        (found, wasRefused) => (!wasRefused && found !== 'absent' && found.theirs === etag ? undefined : { outcome: 'changed' }),
      ),

    delete: (key, { signal } = {}) =>
      call('s3:DeleteObject', key, signal, async () => {
        const { DeleteObjectCommand } = await sdk()
        await (await client()).send(new DeleteObjectCommand(place(key)), { ...(signal && { abortSignal: signal }) })
      }),

    deleteIfMatch: (key, etag, { signal } = {}) =>
      call('s3:DeleteObject', key, signal, async () => {
        const { DeleteObjectCommand } = await sdk()
        return retry(
          async () => {
            try {
              await (await client()).send(new DeleteObjectCommand({ ...place(key), IfMatch: etag }), {
                ...(signal && { abortSignal: signal }),
              })
              return { outcome: 'deleted' as const }
            } catch (error) {
              const status = statusOf(error)
              if (status === 404 && (error as Error).name !== 'NoSuchBucket') return { outcome: 'absent' as const }
              if (status !== 412) throw error
              return { outcome: (await headOf(key, signal)) === undefined ? ('absent' as const) : ('changed' as const) }
            }
          },
          { attempts: conditionalAttempts, isRetryable: (error) => statusOf(error) === 409, ...(signal && { signal }) },
        )
      }),

    close,
    [Symbol.asyncDispose]: async () => close(),
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
}

/** A write that is known not to have taken place and may be tried again. */
class Undecided extends Error {
  constructor(cause: unknown) {
    super('undecided', { cause })
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode
}

function headFrom(
  key: string,
  reply: { ETag?: string | undefined; LastModified?: Date | undefined; Metadata?: Record<string, string> | undefined },
  size: number,
): ObjectHead {
  // The nonce is the store's own: a caller who copies metadata must not copy it.
  const { [nonceKey]: _, ...metadata } = reply.Metadata ?? {}
  return { key, size, etag: reply.ETag ?? '', lastModified: reply.LastModified ?? new Date(0), metadata }
}

/** Bytes, as the SDK takes an empty text for a stream of unknown length. */
function bytesOf(body: Uint8Array | string): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

function putInput(put: PutOptions): Partial<PutObjectCommandInput> {
  return {
    ...(put.metadata && { Metadata: { ...put.metadata } }),
    ...(put.contentType && { ContentType: put.contentType }),
    ...(put.contentEncoding && { ContentEncoding: put.contentEncoding }),
    ...(put.storageClass && { StorageClass: put.storageClass as NonNullable<PutObjectCommandInput['StorageClass']> }),
  }
}

async function putStream(
  client: S3Client,
  input: Partial<PutObjectCommandInput> & { Bucket: string; Key: string },
  body: PutBody,
  signal: AbortSignal | undefined,
): Promise<{ readonly etag: string }> {
  const { Upload } = await import('@aws-sdk/lib-storage')
  const upload = new Upload({ client, params: { ...input, Body: body } })
  const onAbort = () => void upload.abort()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    signal?.throwIfAborted()
    const reply = await upload.done()
    return { etag: reply.ETag! }
  } catch (error) {
    // Nobody reads the rest: without this its source (a file, a socket) would stay open.
    if (body instanceof Readable) body.destroy()
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}
