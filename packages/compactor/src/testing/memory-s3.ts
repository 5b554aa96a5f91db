import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'

/** An object in memory. */
export interface MemoryObject {
  readonly body: Buffer
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
  readonly lastModified: Date
}

/** S3 in memory: what the compactor needs of it, with conditional writes, one request after the other. */
export interface MemoryS3 {
  /** Takes the commands of `@aws-sdk/client-s3`. */
  readonly client: S3Client
  get(bucket: string, key: string): MemoryObject | undefined
  /** Keys that start with a prefix, in order. */
  keys(bucket: string, prefix: string): string[]
  /** Makes everything that is there older. */
  age(ms: number): void
}

interface Command {
  readonly constructor: { readonly name: string }
  readonly input: Readonly<Record<string, unknown>>
}

/** Keys of one page of a listing. */
const pageKeys = 1000

/** Creates it, empty. Every bucket is there. */
export function createMemoryS3(): MemoryS3 {
  const objects = new Map<string, MemoryObject>()
  let order: string[] | undefined
  const sorted = () => {
    order ??= [...objects.keys()].sort()
    return order
  }
  const id = (input: Command['input']) => `${String(input['Bucket'])}/${String(input['Key'])}`

  function put(input: Command['input']): object {
    const key = id(input)
    const found = objects.get(key)
    if (input['IfNoneMatch'] === '*' && found !== undefined) throw s3Error('PreconditionFailed', 412)
    if (input['IfMatch'] !== undefined) {
      if (found === undefined) throw s3Error('NoSuchKey', 404)
      if (found.etag !== input['IfMatch']) throw s3Error('PreconditionFailed', 412)
    }
    const body = Buffer.from((input['Body'] ?? '') as Uint8Array | string)
    const etag = `"${createHash('md5').update(body).digest('hex')}"`
    const metadata = (input['Metadata'] ?? {}) as Record<string, string>
    if (found === undefined) order = undefined
    objects.set(key, { body, etag, metadata, lastModified: new Date() })
    return { ETag: etag }
  }

  function found(input: Command['input']): MemoryObject {
    const object = objects.get(id(input))
    if (object === undefined) throw s3Error('NoSuchKey', 404)
    if (input['IfMatch'] !== undefined && input['IfMatch'] !== object.etag) throw s3Error('PreconditionFailed', 412)
    return object
  }

  function headerOf({ etag, metadata, lastModified }: MemoryObject): object {
    return { ETag: etag, Metadata: metadata, LastModified: lastModified }
  }

  function get(input: Command['input']): object {
    const object = found(input)
    const range = /^bytes=(\d+)-(\d*)$/.exec(String(input['Range'] ?? ''))
    const start = Number(range?.[1] ?? 0)
    const end = range?.[2] ? Number(range[2]) + 1 : object.body.length
    const part = object.body.subarray(start, end)
    return {
      ...headerOf(object),
      ContentLength: part.length,
      ...(range && { ContentRange: `bytes ${start}-${end - 1}/${object.body.length}` }),
      Body: Readable.from(part.length === 0 ? [] : [part]),
    }
  }

  function list(input: Command['input']): object {
    const bucket = `${String(input['Bucket'])}/`
    const prefix = bucket + String(input['Prefix'] ?? '')
    const after = bucket + String(input['ContinuationToken'] ?? input['StartAfter'] ?? '')
    const keys = sorted()
    // Listings begin behind the later of the two.
    let at = Math.max(lowerBound(keys, after), lowerBound(keys, prefix))
    if (keys[at] === after) at++
    const page: string[] = []
    for (; at < keys.length && keys[at]!.startsWith(prefix) && page.length < pageKeys; at++) page.push(keys[at]!)
    const isTruncated = at < keys.length && keys[at]!.startsWith(prefix)
    return {
      IsTruncated: isTruncated,
      ...(isTruncated && { NextContinuationToken: page.at(-1)!.slice(bucket.length) }),
      Contents: page.map((key) => {
        const { body, etag, lastModified } = objects.get(key)!
        const name = encodeURIComponent(key.slice(bucket.length)).replaceAll('%2F', '/')
        return { Key: name, Size: body.length, ETag: etag, LastModified: lastModified }
      }),
    }
  }

  function remove(input: Command['input']): object {
    if (input['IfMatch'] !== undefined) found(input)
    if (objects.delete(id(input))) order = undefined
    return {}
  }

  const operations: Readonly<Record<string, (input: Command['input']) => object>> = {
    PutObjectCommand: put,
    GetObjectCommand: get,
    HeadObjectCommand: (input) => ({ ...headerOf(found(input)), ContentLength: found(input).body.length }),
    ListObjectsV2Command: list,
    DeleteObjectCommand: remove,
  }
  const client = {
    async send(command: Command): Promise<object> {
      const operation = operations[command.constructor.name]
      if (!operation) throw s3Error('NotImplemented', 501)
      return operation(command.input)
    },
    destroy() {},
  }
  return {
    client: client as unknown as S3Client,
    get: (bucket, key) => objects.get(`${bucket}/${key}`),
    keys: (bucket, prefix) => {
      const start = `${bucket}/${prefix}`
      const keys = sorted()
      const found: string[] = []
      for (let at = lowerBound(keys, start); at < keys.length && keys[at]!.startsWith(start); at++) {
        found.push(keys[at]!.slice(bucket.length + 1))
      }
      return found
    },
    age(ms) {
      for (const [key, object] of objects) {
        objects.set(key, { ...object, lastModified: new Date(object.lastModified.getTime() - ms) })
      }
    },
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

function s3Error(name: string, status: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } })
}
