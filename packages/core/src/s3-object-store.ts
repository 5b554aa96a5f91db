import { Readable } from 'node:stream'
import type { GetObjectCommandOutput, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { conditionalAttempts, putConditionally, putInput } from './conditional-put'
import { PipeError } from './error'
import type { S3Location } from './location'
import { resumableBody } from './object-body'
import type { CreateOutcome, ObjectStore, PutBody, ReplaceOutcome } from './object-store'
import { checkOptions } from './options'
import { retry } from './retry'
import { headFrom, isMissing, s3Prefix, statusOf } from './s3-prefix'

/** What {@link createObjectStore} takes. */
export interface ObjectStoreOptions {
  /** `s3://bucket/` or `s3://bucket/prefix/`. */
  readonly location: S3Location
  /** Default: one made from the standard environment (`AWS_ENDPOINT_URL` works, then with the bucket in the path). */
  readonly client?: S3Client | undefined
  /** Account that must own the bucket, else every call is refused by S3. */
  readonly expectedBucketOwner?: string | undefined
}

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
  const s3 = s3Prefix(options)
  const { bucket, prefix, inBucket, place, call, client, sdk, headOf } = s3

  return {
    location,
    uri: (key) => `${location}${s3.checkKey(key)}`,

    async *list(listOptions = {}) {
      const { signal } = listOptions
      const { ListObjectsV2Command } = await sdk()
      let token: string | undefined
      do {
        const page = await call('s3:ListBucket', listOptions.prefix ?? '', signal, async () =>
          (await client()).send(
            new ListObjectsV2Command({
              ...inBucket,
              Prefix: prefix + (listOptions.prefix ?? ''),
              // XML cannot hold every character that a key can.
              EncodingType: 'url',
              ...(token === undefined ? {} : { ContinuationToken: token }),
              ...(listOptions.startAfter === undefined ? {} : { StartAfter: prefix + listOptions.startAfter }),
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
          if (isMissing(error)) return undefined
          throw error
        }
        const length = reply.ContentLength ?? 0
        const total = Number(/\/(\d+)$/.exec(reply.ContentRange ?? '')?.[1] ?? length)
        const reopen = async (skip: number) => {
          try {
            return (await open(skip, reply.ETag)).Body as Readable
          } catch (error) {
            throw statusOf(error) === 412 ? changed(error) : s3.translate(error, 's3:GetObject', key, signal)
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
      putConditionally<CreateOutcome>(s3, {
        key,
        body,
        put,
        condition: { IfNoneMatch: '*' },
        written: (etag) => ({ outcome: 'created', etag }),
        decided: (found) => (found === 'absent' ? undefined : { outcome: 'exists', etag: found.theirs }),
      }),

    putIfMatch: (key, body, etag, put = {}) =>
      putConditionally<ReplaceOutcome>(s3, {
        key,
        body,
        put,
        condition: { IfMatch: etag },
        written: (newTag) => ({ outcome: 'replaced', etag: newTag }),
        // Still the object that the caller saw: the write has not taken place, unless S3 says that it may not.
        decided: (found, wasRefused) =>
          !wasRefused && found !== 'absent' && found.theirs === etag ? undefined : { outcome: 'changed' },
      }),

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
              if (isMissing(error)) return { outcome: 'absent' as const }
              if (status !== 412) throw error
              return { outcome: (await headOf(key, signal)) === undefined ? ('absent' as const) : ('changed' as const) }
            }
          },
          { attempts: conditionalAttempts, isRetryable: (error) => statusOf(error) === 409, ...(signal && { signal }) },
        )
      }),

    close: s3.close,
    [Symbol.asyncDispose]: async () => s3.close(),
  }
}

/** Bytes, as the SDK takes an empty text for a stream of unknown length. */
function bytesOf(body: Uint8Array | string): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
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
