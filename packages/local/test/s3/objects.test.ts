import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type S3Server, startS3 } from './s3-server'

const Bucket = 'lake'
let server: S3Server
let s3: S3Client

beforeAll(async () => {
  server = await startS3()
  s3 = server.client()
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => server.close())

const text = async (Key: string, more: object = {}) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body!.transformToString()

async function failure(work: Promise<unknown>): Promise<S3ServiceException> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(S3ServiceException)
  return error as S3ServiceException
}

const md5 = (body: string | Uint8Array) => `"${createHash('md5').update(body).digest('hex')}"`

describe('put and get', () => {
  it('gives back body, metadata, headers and storage class', async () => {
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a/hello.txt',
        Body: 'hello',
        ContentType: 'text/plain; charset=utf-8',
        CacheControl: 'max-age=60',
        ContentDisposition: 'attachment; filename="x.txt"',
        ContentLanguage: 'en',
        ContentEncoding: 'identity',
        Expires: new Date('2030-01-01T00:00:00Z'),
        StorageClass: 'STANDARD_IA',
        Metadata: { rows: '12', 'attempt-nonce': 'abc' },
      }),
    )
    expect(put.ETag).toBe(md5('hello'))
    expect(put.ChecksumCRC32).toBe('NhCmhg==')
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'a/hello.txt', ChecksumMode: 'ENABLED' }))
    expect(await got.Body!.transformToString()).toBe('hello')
    expect(got).toMatchObject({
      ETag: md5('hello'),
      ContentLength: 5,
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="x.txt"',
      ContentLanguage: 'en',
      ContentEncoding: 'identity',
      ExpiresString: 'Tue, 01 Jan 2030 00:00:00 GMT',
      StorageClass: 'STANDARD_IA',
      Metadata: { rows: '12', 'attempt-nonce': 'abc' },
      ChecksumCRC32: 'NhCmhg==',
      ChecksumType: 'FULL_OBJECT',
      LastModified: new Date('2026-11-24T12:00:00Z'),
      AcceptRanges: 'bytes',
    })
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a/hello.txt', ChecksumMode: 'ENABLED' }))
    expect(head).toMatchObject({ ContentLength: 5, ETag: md5('hello'), ChecksumCRC32: 'NhCmhg==', StorageClass: 'STANDARD_IA' })
  })

  it('replaces an object', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: 'one', Metadata: { a: '1' } }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: 'second' }))
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'twice' }))
    expect(await got.Body!.transformToString()).toBe('second')
    expect(got.Metadata).toEqual({})
  })

  it.each([0, 1, 65_536, 262_144, 262_145, 3_000_001])(
    'keeps a body of %i bytes, from memory and as a stream with a trailer',
    async (size) => {
      const body = Buffer.alloc(size)
      for (let at = 0; at < size; at += 97) body[at] = (at * 31) & 0xff
      for (const Body of [
        body,
        Readable.from(body.length === 0 ? [] : [body.subarray(0, size >> 1), body.subarray(size >> 1)]),
      ]) {
        const put = await s3.send(new PutObjectCommand({ Bucket, Key: `size/${size}`, Body, ContentLength: size }))
        expect(put.ETag).toBe(md5(body))
        const got = await s3.send(new GetObjectCommand({ Bucket, Key: `size/${size}` }))
        expect(Buffer.compare(Buffer.from(await got.Body!.transformToByteArray()), body)).toBe(0)
      }
    },
  )

  it('keeps gzip as content encoding of a streamed body', async () => {
    const Body = Readable.from([Buffer.from('not really gzip')])
    await s3.send(new PutObjectCommand({ Bucket, Key: 'streamed.gz', Body, ContentLength: 15, ContentEncoding: 'gzip' }))
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'streamed.gz' }))).toMatchObject({
      ContentEncoding: 'gzip',
      ContentLength: 15,
    })
    await s3.send(new PutObjectCommand({ Bucket, Key: 'streamed', Body: Readable.from([Buffer.from('abc')]), ContentLength: 3 }))
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'streamed' }))).ContentEncoding).toBeUndefined()
  })
})

describe('errors', () => {
  it('tells a missing key from a missing bucket, in the error classes of the SDK', async () => {
    expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'nope' })))).toBeInstanceOf(NoSuchKey)
    expect(await failure(s3.send(new HeadObjectCommand({ Bucket, Key: 'nope' })))).toBeInstanceOf(NotFound)
    expect(await failure(s3.send(new ListObjectsV2Command({ Bucket: 'no-such-bucket' })))).toBeInstanceOf(NoSuchBucket)
    const error = await failure(s3.send(new PutObjectCommand({ Bucket: 'no-such-bucket', Key: 'x', Body: 'x' })))
    expect(error).toMatchObject({ name: 'NoSuchBucket', $fault: 'client', $metadata: { httpStatusCode: 404 } })
    expect(error.$metadata.requestId).toMatch(/^[0-9A-F]{16}$/)
  })
})

describe('ranges', () => {
  it.each([
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=4-', '456789', 'bytes 4-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-30', '0123456789', 'bytes 0-9/10'],
    ['bytes=3-5', '345', 'bytes 3-5/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
  ])('%s', async (Range, expected, ContentRange) => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'digits', Body: '0123456789' }))
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'digits', Range }))
    expect(await got.Body!.transformToString()).toBe(expected)
    expect(got).toMatchObject({ ContentRange, ContentLength: expected.length, $metadata: { httpStatusCode: 206 } })
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'digits', Range }))
    expect(head.ContentLength).toBe(expected.length)
  })

  it('answers 416 behind the end, also for an empty object, and ignores what it does not know', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: '' }))
    for (const [Key, Range] of [
      ['digits', 'bytes=10-'],
      ['digits', 'bytes=-0'],
      ['empty', 'bytes=0-0'],
      ['empty', 'bytes=-5'],
    ] as const) {
      expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key, Range })))).toMatchObject({
        name: 'InvalidRange',
        $metadata: { httpStatusCode: 416 },
      })
    }
    for (const Range of ['bytes=5-3', 'rows=1-2', 'bytes=0-1,3-4', 'bytes=-'])
      expect(await text('digits', { Range })).toBe('0123456789')
  })

  it('reads ranges of a large body from its file', async () => {
    const body = Buffer.alloc(1 << 20)
    for (let at = 0; at < body.length; at++) body[at] = at % 251
    await s3.send(new PutObjectCommand({ Bucket, Key: 'large', Body: body }))
    for (const [start, end] of [
      [0, 0],
      [1000, 700_000],
      [524_287, 524_288],
      [1_048_575, 1_048_575],
    ] as const) {
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'large', Range: `bytes=${start}-${end}` }))
      expect(Buffer.compare(Buffer.from(await got.Body!.transformToByteArray()), body.subarray(start, end + 1))).toBe(0)
    }
  })
})

describe('conditional reads', () => {
  it('answers 304 and 412 as RFC 9110 orders them', async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'cond', Body: 'x' }))
    const before = new Date('2026-11-24T11:00:00Z')
    const same = new Date('2026-11-24T12:00:00Z')
    const get = (more: object) =>
      s3.send(new GetObjectCommand({ Bucket, Key: 'cond', ...more })).then(
        () => 200,
        (error: S3ServiceException) => error.$metadata.httpStatusCode,
      )
    const head = (more: object) =>
      s3.send(new HeadObjectCommand({ Bucket, Key: 'cond', ...more })).then(
        () => 200,
        (error: S3ServiceException) => error.$metadata.httpStatusCode,
      )
    for (const read of [get, head]) {
      expect(await read({ IfMatch: ETag })).toBe(200)
      expect(await read({ IfMatch: '*' })).toBe(200)
      expect(await read({ IfMatch: '"other"' })).toBe(412)
      expect(await read({ IfNoneMatch: ETag })).toBe(304)
      expect(await read({ IfNoneMatch: `"other", ${ETag}` })).toBe(304)
      expect(await read({ IfNoneMatch: '"other"' })).toBe(200)
      expect(await read({ IfModifiedSince: same })).toBe(304)
      expect(await read({ IfModifiedSince: before })).toBe(200)
      expect(await read({ IfUnmodifiedSince: before })).toBe(412)
      expect(await read({ IfUnmodifiedSince: same })).toBe(200)
      expect(await read({ IfMatch: ETag, IfUnmodifiedSince: before })).toBe(200)
      expect(await read({ IfNoneMatch: '"other"', IfModifiedSince: same })).toBe(200)
    }
  })

  it('applies response-* overrides', async () => {
    const got = await s3.send(
      new GetObjectCommand({
        Bucket,
        Key: 'cond',
        ResponseContentType: 'text/csv',
        ResponseContentDisposition: 'attachment',
        ResponseCacheControl: 'no-cache',
      }),
    )
    expect(got).toMatchObject({ ContentType: 'text/csv', ContentDisposition: 'attachment', CacheControl: 'no-cache' })
  })
})

describe('odd keys', () => {
  const keys = [
    'a b',
    ' leading and trailing ',
    'a+b',
    'a%2Fb',
    '100%',
    'ü/日本語/😀',
    '\uffee after the emoji in UTF-16, before it in UTF-8',
    '//double//slash//',
    '/leading',
    '../../etc/passwd',
    './a/../b',
    '..',
    '.',
    'folder/',
    'a&b<c>"d"\'e',
    'a\nb\tc\u0001\r',
    '?query=1#hash',
    'x'.repeat(1024),
    '😀'.repeat(256),
    '~!*()=:;,@$[]{}|\\^`',
  ]

  it('keeps each apart, and lists and deletes them unchanged', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'odd' }))
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket: 'odd', Key, Body: `body of ${Key}` }))
    for (const Key of keys) {
      const got = await s3.send(new GetObjectCommand({ Bucket: 'odd', Key }))
      expect(await got.Body!.transformToString()).toBe(`body of ${Key}`)
    }
    const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    // A carriage return inside XML text is read back as one only when it is written as a reference.
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: 'odd' }))
    expect(listed.Contents!.map((object) => object.Key)).toEqual(byBytes)
    const encoded = await s3.send(new ListObjectsV2Command({ Bucket: 'odd', EncodingType: 'url' }))
    expect(encoded.Contents!.map((object) => decodeURIComponent(object.Key!.replaceAll('+', ' ')))).toEqual(byBytes)
    const deleted = await s3.send(new DeleteObjectsCommand({ Bucket: 'odd', Delete: { Objects: keys.map((Key) => ({ Key })) } }))
    expect(deleted.Errors).toBeUndefined()
    expect(deleted.Deleted!.map((object) => object.Key)).toEqual(keys)
    expect((await s3.send(new ListObjectsV2Command({ Bucket: 'odd' }))).KeyCount).toBe(0)
  })

  it('refuses a key of more than 1024 bytes', async () => {
    expect(await failure(s3.send(new PutObjectCommand({ Bucket, Key: 'é'.repeat(513), Body: '' })))).toMatchObject({
      name: 'KeyTooLongError',
    })
  })
})

describe('delete', () => {
  it('is silent about what is missing', async () => {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'never-was' }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x' }))
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }))
    expect(await failure(s3.send(new GetObjectCommand({ Bucket, Key: 'gone' })))).toBeInstanceOf(NoSuchKey)
  })

  it('takes If-Match', async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'guarded', Body: 'x' }))
    expect(await failure(s3.send(new DeleteObjectCommand({ Bucket, Key: 'guarded', IfMatch: '"other"' })))).toMatchObject({
      name: 'PreconditionFailed',
    })
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'guarded', IfMatch: ETag }))
    expect(await failure(s3.send(new DeleteObjectCommand({ Bucket, Key: 'guarded', IfMatch: '*' })))).toMatchObject({
      name: 'PreconditionFailed',
    })
  })

  it('deletes many, each under its own ETag condition, quietly if asked', async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'many/1', Body: 'x' }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'many/2', Body: 'y' }))
    const Objects = [{ Key: 'many/1', ETag }, { Key: 'many/2', ETag: '"other"' }, { Key: 'many/3' }]
    const result = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects } }))
    expect(result.Deleted).toBeUndefined()
    expect(result.Errors).toMatchObject([{ Key: 'many/2', Code: 'PreconditionFailed' }])
    expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'many/' }))).Contents!.map(({ Key }) => Key)).toEqual([
      'many/2',
    ])
  })
})

describe('copy', () => {
  it('copies with and without the headers of the source', async () => {
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'src ü+.txt',
        Body: 'copy me',
        ContentType: 'text/csv',
        Metadata: { a: '1' },
        StorageClass: 'STANDARD_IA',
      }),
    )
    const CopySource = `${Bucket}/${encodeURIComponent('src ü+.txt')}`
    const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: 'dst', CopySource }))
    expect(copied.CopyObjectResult).toMatchObject({ ETag: md5('copy me') })
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'dst' }))
    expect(head).toMatchObject({ ContentType: 'text/csv', Metadata: { a: '1' } })
    expect(head.StorageClass).toBeUndefined()
    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'dst',
        CopySource: `/${CopySource}`,
        MetadataDirective: 'REPLACE',
        Metadata: { b: '2' },
        ContentType: 'text/plain',
        StorageClass: 'GLACIER_IR',
      }),
    )
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'dst' }))).toMatchObject({
      ContentType: 'text/plain',
      Metadata: { b: '2' },
      StorageClass: 'GLACIER_IR',
    })
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'src ü+.txt' }))
    expect(await text('dst')).toBe('copy me')
  })

  it('refuses a copy onto itself that changes nothing, a missing source, failed conditions', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'self', Body: 'x' }))
    const copy = (more: object) => s3.send(new CopyObjectCommand({ Bucket, Key: 'self', CopySource: `${Bucket}/self`, ...more }))
    expect(await failure(copy({}))).toMatchObject({ name: 'InvalidRequest' })
    await copy({ MetadataDirective: 'REPLACE', Metadata: { touched: 'yes' } })
    expect(await failure(copy({ CopySource: `${Bucket}/nope` }))).toMatchObject({ name: 'NoSuchKey' })
    expect(await failure(copy({ Key: 'c', CopySourceIfMatch: '"other"' }))).toMatchObject({ name: 'PreconditionFailed' })
    expect(await failure(copy({ Key: 'c', CopySourceIfNoneMatch: md5('x') }))).toMatchObject({ name: 'PreconditionFailed' })
    await copy({ Key: 'c', CopySourceIfMatch: md5('x') })
    expect(await failure(copy({ Key: 'c', IfNoneMatch: '*' }))).toMatchObject({ name: 'PreconditionFailed' })
  })
})
