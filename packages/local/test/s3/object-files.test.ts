import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ObjectFiles } from '../../src/s3/object-files'
import { type S3Server, startS3 } from './s3-server'

const Bucket = 'lake'
let server: S3Server
let s3: S3Client
let files: ObjectFiles

beforeAll(async () => {
  server = await startS3()
  s3 = server.client()
  files = server.service.files
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => server.close())

const read = async (Key: string) => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString()

describe('objects as files', () => {
  it('shows what was put over the wire', async () => {
    const body = Buffer.alloc(400_000, 'abc')
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'raw/x.gz',
        Body: body,
        ContentEncoding: 'gzip',
        ContentType: 'application/x-ndjson',
        Metadata: { rows: '5' },
      }),
    )
    const object = files.head(Bucket, 'raw/x.gz')!
    expect(object).toMatchObject({
      bucket: Bucket,
      key: 'raw/x.gz',
      size: 400_000,
      contentEncoding: 'gzip',
      contentType: 'application/x-ndjson',
      metadata: { rows: '5' },
      storageClass: 'STANDARD',
    })
    expect(readFileSync(object.file).equals(body)).toBe(true)
    expect(files.list(Bucket, 'raw/').map(({ key }) => key)).toEqual(['raw/x.gz'])
    expect([files.hasBucket(Bucket), files.hasBucket('nope'), files.head('nope', 'x'), files.head(Bucket, 'nope')]).toEqual([
      true,
      false,
      undefined,
      undefined,
    ])
  })

  it('puts text, bytes and streams', async () => {
    expect(await files.put(Bucket, 'text', 'ü', { contentType: 'text/csv' })).toMatchObject({
      size: 2,
      contentType: 'text/csv',
      etag: `"${createHash('md5').update('ü').digest('hex')}"`,
    })
    await files.put(Bucket, 'bytes', new Uint8Array([104, 105]))
    const large = 'x'.repeat(1_000_000)
    await files.put(Bucket, 'large', large)
    await files.put(Bucket, 'stream', Readable.from(['one ', Buffer.from('two')]))
    expect([await read('text'), await read('bytes'), (await read('large')) === large, await read('stream')]).toEqual([
      'ü',
      'hi',
      true,
      'one two',
    ])
    await expect(
      files.put(
        Bucket,
        'broken',
        Readable.from(
          (async function* () {
            yield 'x'
            throw new Error('cut')
          })(),
        ),
      ),
    ).rejects.toThrow('cut')
    expect(files.head(Bucket, 'broken')).toBeUndefined()
  })

  it('adopts a file by moving it', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'pipe-adopt-')), 'part.parquet')
    writeFileSync(file, 'PAR1')
    const object = await files.adoptFile(Bucket, 'out/part.parquet', file, { contentType: 'application/vnd.apache.parquet' })
    expect(existsSync(file)).toBe(false)
    expect(object).toMatchObject({ size: 4, etag: `"${createHash('md5').update('PAR1').digest('hex')}"` })
    expect(await read('out/part.parquet')).toBe('PAR1')
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'out/part.parquet' }))).ContentType).toBe(
      'application/vnd.apache.parquet',
    )
    await expect(files.adoptFile(Bucket, 'x', join(tmpdir(), 'no-such-file-here'))).rejects.toThrow('ENOENT')
    await expect(files.adoptFile('nope', 'x', file)).rejects.toMatchObject({ code: 'NoSuchBucket' })
  })

  it('keeps a body readable after its object is replaced or deleted', async () => {
    const { file } = await files.put(Bucket, 'fleeting', 'first')
    await files.put(Bucket, 'fleeting', 'second')
    await files.delete(Bucket, 'fleeting')
    await files.delete(Bucket, 'fleeting')
    expect(readFileSync(file, 'utf8')).toBe('first')
    expect(files.head(Bucket, 'fleeting')).toBeUndefined()
  })

  it('lets a reader over HTTP finish a body that is deleted meanwhile', async () => {
    const body = Buffer.alloc(8 << 20, 'y')
    await files.put(Bucket, 'slow', body)
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'slow' }))
    await files.delete(Bucket, 'slow')
    expect((await got.Body!.transformToByteArray()).length).toBe(body.length)
  })
})
