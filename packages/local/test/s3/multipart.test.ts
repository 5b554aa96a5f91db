import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  type S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checksumOf, compositeChecksum } from '../../src/s3/checksum'
import { type S3Server, startS3 } from './s3-server'

const Bucket = 'lake'
const MiB = 1 << 20
let server: S3Server
let s3: S3Client

beforeAll(async () => {
  server = await startS3()
  s3 = server.client()
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => server.close())

const failure = (work: Promise<unknown>): Promise<S3ServiceException> =>
  work.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`)
    },
    (error: S3ServiceException) => error,
  )

const read = async (Key: string): Promise<Buffer> =>
  Buffer.from(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray())

async function begin(Key: string, more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> {
  return (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId!
}

async function part(Key: string, UploadId: string, PartNumber: number, Body: Buffer, more: object = {}): Promise<CompletedPart> {
  const sent = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }))
  const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = sent
  return { PartNumber, ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 }
}

const complete = (Key: string, UploadId: string, Parts: CompletedPart[], more: object = {}) =>
  s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }))

const bodies = [randomBytes(5 * MiB), randomBytes(5 * MiB + 7), randomBytes(3)]
const whole = Buffer.concat(bodies)
const multipartTag = `"${createHash('md5')
  .update(Buffer.concat(bodies.map((body) => createHash('md5').update(body).digest())))
  .digest('hex')}-3"`

describe('lib-storage', () => {
  it('uploads a stream in parts', async () => {
    const body = randomBytes(12 * MiB)
    const result = await new Upload({
      client: s3,
      params: { Bucket, Key: 'stream', Body: Readable.from(chunks(body)), Metadata: { rows: '7' } },
    }).done()
    expect(result.ETag).toMatch(/^"[0-9a-f]{32}-3"$/)
    expect((await read('stream')).equals(body)).toBe(true)
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'stream' }))).toMatchObject({
      Metadata: { rows: '7' },
      ContentLength: 12 * MiB,
    })
  })

  it('takes If-None-Match on both routes of an upload', async () => {
    for (const [Key, size] of [
      ['small', 10],
      ['big', 6 * MiB],
    ] as const) {
      const upload = () => new Upload({ client: s3, params: { Bucket, Key, Body: randomBytes(size), IfNoneMatch: '*' } }).done()
      await upload()
      expect(await failure(upload())).toMatchObject({ name: 'PreconditionFailed' })
    }
  })
})

function* chunks(body: Buffer): Iterable<Buffer> {
  for (let at = 0; at < body.length; at += 100_000) yield body.subarray(at, at + 100_000)
}

describe('parts', () => {
  it('makes one object with the ETag and composite checksum of its parts', async () => {
    const UploadId = await begin('plain', {
      ChecksumAlgorithm: 'CRC32',
      ContentType: 'text/csv',
      StorageClass: 'STANDARD_IA',
      Metadata: { a: 'b' },
    })
    const parts = [
      await part('plain', UploadId, 1, bodies[0]!),
      await part('plain', UploadId, 2, bodies[1]!),
      await part('plain', UploadId, 9, bodies[2]!),
    ]
    const done = await complete('plain', UploadId, parts)
    expect(done).toMatchObject({
      Bucket,
      Key: 'plain',
      ETag: multipartTag,
      ChecksumType: 'COMPOSITE',
      ChecksumCRC32: compositeChecksum(
        'CRC32',
        bodies.map((body) => checksumOf('CRC32', body)),
      ).value,
    })
    expect((await read('plain')).equals(whole)).toBe(true)
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'plain', ChecksumMode: 'ENABLED' }))
    expect(head).toMatchObject({
      ETag: multipartTag,
      ContentType: 'text/csv',
      StorageClass: 'STANDARD_IA',
      Metadata: { a: 'b' },
      ChecksumCRC32: done.ChecksumCRC32,
    })
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'plain', PartNumber: 2 }))).toMatchObject({
      ContentLength: bodies[1]!.length,
      PartsCount: 3,
    })
    const second = await s3.send(new GetObjectCommand({ Bucket, Key: 'plain', PartNumber: 2 }))
    expect(Buffer.from(await second.Body!.transformToByteArray()).equals(bodies[1]!)).toBe(true)
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'plain' }))).Uploads).toBeUndefined()
  })

  it('computes checksums over the whole object when asked', async () => {
    for (const [ChecksumAlgorithm, field] of [
      ['CRC32', 'ChecksumCRC32'],
      ['CRC32C', 'ChecksumCRC32C'],
      ['CRC64NVME', 'ChecksumCRC64NVME'],
    ] as const) {
      const Key = `full/${ChecksumAlgorithm}`
      const expected = checksumOf(ChecksumAlgorithm, whole)
      const UploadId = await begin(Key, { ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT' })
      const parts: CompletedPart[] = []
      for (const [at, body] of bodies.entries()) parts.push(await part(Key, UploadId, at + 1, body, { ChecksumAlgorithm }))
      expect(
        await failure(
          complete(Key, UploadId, parts, { [field]: checksumOf(ChecksumAlgorithm, bodies[0]!), ChecksumType: 'FULL_OBJECT' }),
        ),
      ).toMatchObject({ name: 'BadDigest' })
      const done = await complete(Key, UploadId, parts, {
        [field]: expected,
        ChecksumType: 'FULL_OBJECT',
        MpuObjectSize: whole.length,
      })
      expect(done).toMatchObject({ [field]: expected, ChecksumType: 'FULL_OBJECT' })
    }
    expect(checksumOf('CRC32', whole)).toBe(Buffer.from(crc32(whole).toString(16).padStart(8, '0'), 'hex').toString('base64'))
  })

  it.each(['SHA1', 'SHA256'] as const)('%s covers the parts', async (ChecksumAlgorithm) => {
    const Key = `sha/${ChecksumAlgorithm}`
    const UploadId = await begin(Key, { ChecksumAlgorithm })
    const done = await complete(Key, UploadId, [await part(Key, UploadId, 1, bodies[2]!, { ChecksumAlgorithm })])
    expect(done[`Checksum${ChecksumAlgorithm}`]).toBe(
      compositeChecksum(ChecksumAlgorithm, [checksumOf(ChecksumAlgorithm, bodies[2]!)]).value,
    )
    expect(await failure(begin(Key, { ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT' }))).toMatchObject({
      name: 'InvalidRequest',
    })
  })

  it('replaces a part that is sent again', async () => {
    const UploadId = await begin('again')
    await part('again', UploadId, 1, Buffer.from('first'))
    const second = await part('again', UploadId, 1, Buffer.from('second'))
    await complete('again', UploadId, [second])
    expect((await read('again')).toString()).toBe('second')
  })

  it('copies ranges of another object', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: whole }))
    const UploadId = await begin('assembled')
    const Parts: CompletedPart[] = []
    for (const [at, range] of [`bytes=0-${6 * MiB - 1}`, `bytes=${6 * MiB}-${whole.length - 1}`].entries()) {
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({
          Bucket,
          Key: 'assembled',
          UploadId,
          PartNumber: at + 1,
          CopySource: `${Bucket}/source`,
          CopySourceRange: range,
        }),
      )
      Parts.push({ PartNumber: at + 1, ETag: CopyPartResult!.ETag })
    }
    await complete('assembled', UploadId, Parts)
    expect((await read('assembled')).equals(whole)).toBe(true)
    const bad = { Bucket, Key: 'assembled', UploadId: await begin('assembled'), PartNumber: 1, CopySource: `${Bucket}/source` }
    expect(
      await failure(s3.send(new UploadPartCopyCommand({ ...bad, CopySourceRange: `bytes=0-${whole.length}` }))),
    ).toMatchObject({ name: 'InvalidArgument' })
  })

  it('gives the copy of a multipart object a plain ETag', async () => {
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'plain-copy', CopySource: `${Bucket}/plain` }))
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'plain-copy', ChecksumMode: 'ENABLED' }))
    expect(head).toMatchObject({
      ETag: `"${createHash('md5').update(whole).digest('hex')}"`,
      ChecksumCRC32: checksumOf('CRC32', whole),
      ChecksumType: 'FULL_OBJECT',
    })
  })
})

describe('refusals', () => {
  it('checks size, order, presence and digest of the parts', async () => {
    const UploadId = await begin('bad')
    const one = await part('bad', UploadId, 1, Buffer.from('too small'))
    const two = await part('bad', UploadId, 2, Buffer.from('last'))
    const attempt = async (parts: CompletedPart[], more: object = {}) =>
      (await failure(complete('bad', UploadId, parts, more))).name
    expect(await attempt([one, two])).toBe('EntityTooSmall')
    expect(await attempt([two, one])).toBe('InvalidPartOrder')
    expect(await attempt([one, one])).toBe('InvalidPartOrder')
    expect(await attempt([{ ...one, ETag: '"0123456789abcdef0123456789abcdef"' }])).toBe('InvalidPart')
    expect(await attempt([one, { ...two, PartNumber: 3 }])).toBe('InvalidPart')
    expect(await attempt([{ ...one, ChecksumCRC32: 'AAAAAA==' }])).toBe('InvalidPart')
    expect(await attempt([])).toBe('MalformedXML')
    expect(await attempt([one], { MpuObjectSize: 4 })).toBe('InvalidRequest')
    await complete('bad', UploadId, [two])
    expect((await read('bad')).toString()).toBe('last')
    expect(await attempt([two])).toBe('NoSuchUpload')
  })

  it('asks for the checksum of each part when the upload was created with one', async () => {
    const UploadId = await begin('composite', { ChecksumAlgorithm: 'CRC32C' })
    const { ETag } = await part('composite', UploadId, 1, Buffer.from('x'), { ChecksumAlgorithm: 'CRC32C' })
    const error = await failure(complete('composite', UploadId, [{ PartNumber: 1, ETag }]))
    expect(error).toMatchObject({ name: 'InvalidRequest' })
    expect(error.message).toMatch('missing for part 1')
    expect(await failure(part('composite', UploadId, 2, Buffer.from('x'), { ChecksumAlgorithm: 'SHA1' }))).toMatchObject({
      name: 'InvalidRequest',
    })
  })

  it('knows no upload that was aborted, of another key, or never begun', async () => {
    const UploadId = await begin('aborted')
    await part('aborted', UploadId, 1, Buffer.from('x'))
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId }))
    for (const [Key, id] of [
      ['aborted', UploadId],
      ['other', await begin('one')],
      ['x', 'nonsense'],
    ] as const) {
      expect(await failure(part(Key, id, 1, Buffer.from('x')))).toMatchObject({ name: 'NoSuchUpload' })
      expect(await failure(s3.send(new ListPartsCommand({ Bucket, Key, UploadId: id })))).toMatchObject({ name: 'NoSuchUpload' })
    }
    expect(await failure(part('one', await begin('one'), 10_001, Buffer.from('x')))).toMatchObject({ name: 'InvalidArgument' })
  })
})

describe('conditional completion', () => {
  it('has one winner among rivals for one key', async () => {
    const rivals = await Promise.all(
      Array.from({ length: 10 }, async (_, rival) => {
        const UploadId = await begin('race')
        return { UploadId, parts: [await part('race', UploadId, 1, Buffer.from(`rival ${rival}`))] }
      }),
    )
    const outcomes = await Promise.allSettled(
      rivals.map(({ UploadId, parts }) => complete('race', UploadId, parts, { IfNoneMatch: '*' })),
    )
    const won = outcomes.flatMap((outcome, rival) => (outcome.status === 'fulfilled' ? [rival] : []))
    expect(won).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'PreconditionFailed' })
    expect((await read('race')).toString()).toBe(`rival ${won[0]}`)
    // The losers' uploads are still there, to be aborted or completed otherwise.
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'race' }))).Uploads).toHaveLength(9)
  })

  it('completes one upload once, however many complete it', async () => {
    const UploadId = await begin('once')
    const parts = [await part('once', UploadId, 1, bodies[0]!), await part('once', UploadId, 2, Buffer.from('end'))]
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => complete('once', UploadId, parts)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await read('once')).length).toBe(5 * MiB + 3)
  })

  it('takes If-Match', async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'match', Body: 'old' }))
    const UploadId = await begin('match')
    const parts = [await part('match', UploadId, 1, Buffer.from('new'))]
    expect(await failure(complete('match', UploadId, parts, { IfMatch: '"other"' }))).toMatchObject({
      name: 'PreconditionFailed',
    })
    await complete('match', UploadId, parts, { IfMatch: ETag })
    const next = await begin('missing')
    expect(
      await failure(complete('missing', next, [await part('missing', next, 1, Buffer.from('x'))], { IfMatch: ETag })),
    ).toMatchObject({ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } })
  })
})

describe('listing', () => {
  it('pages through parts', async () => {
    const UploadId = await begin('parts')
    for (const number of [3, 1, 2]) await part('parts', UploadId, number, Buffer.from(`part ${number}`))
    const first = await s3.send(new ListPartsCommand({ Bucket, Key: 'parts', UploadId, MaxParts: 2 }))
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2', MaxParts: 2 })
    expect(first.Parts!.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 6],
      [2, 6],
    ])
    const second = await s3.send(
      new ListPartsCommand({ Bucket, Key: 'parts', UploadId, PartNumberMarker: first.NextPartNumberMarker }),
    )
    expect(second.Parts!.map(({ PartNumber }) => PartNumber)).toEqual([3])
    expect(second.IsTruncated).toBe(false)
  })

  it('pages through uploads and keeps objects of unfinished ones out of sight', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'uploads' }))
    const ids: string[] = []
    for (const Key of ['b/1', 'a', 'b/2', 'c', 'c']) {
      server.clock.time += 1000
      ids.push((await s3.send(new CreateMultipartUploadCommand({ Bucket: 'uploads', Key }))).UploadId!)
    }
    const seen: (string | undefined)[] = []
    let KeyMarker: string | undefined
    let UploadIdMarker: string | undefined
    do {
      const page = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'uploads', MaxUploads: 2, KeyMarker, UploadIdMarker }))
      seen.push(...page.Uploads!.map((upload) => upload.UploadId))
      KeyMarker = page.NextKeyMarker
      UploadIdMarker = page.NextUploadIdMarker
    } while (KeyMarker)
    expect(seen).toEqual([ids[1], ids[0], ids[2], ids[3], ids[4]])
    const grouped = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'uploads', Delimiter: '/' }))
    expect(grouped.CommonPrefixes).toEqual([{ Prefix: 'b/' }])
    expect(grouped.Uploads!.map(({ Key }) => Key)).toEqual(['a', 'c', 'c'])
    expect((await s3.send(new ListObjectsV2Command({ Bucket: 'uploads' }))).KeyCount).toBe(0)
  })
})
