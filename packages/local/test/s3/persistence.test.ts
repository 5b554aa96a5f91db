import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { PipeError } from '@pipe/core'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openBucketIndex } from '../../src/s3/bucket-index'
import { createS3Service } from '../../src/s3/service'
import { openStore } from '../../src/s3/store'
import { recordingAuthorizer, type S3Server, startS3 } from './s3-server'

const Bucket = 'lake'
let server: S3Server

beforeEach(async () => {
  server = await startS3()
})
afterEach(() => server.close())

const files = (dir: string): string[] =>
  readdirSync(join(dir, 'bodies'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

describe('a restart on the same directory', () => {
  it('finds buckets, objects with all their properties, and unfinished uploads', async () => {
    let s3 = server.client()
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new CreateBucketCommand({ Bucket: 'other', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }))
    for (const Key of ['a', 'deleted', '😀/ü', 'replaced'])
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: `body of ${Key}` }))
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'large',
        Body: Buffer.alloc(1 << 20, 'x'),
        ContentType: 'text/csv',
        Metadata: { rows: '3' },
        StorageClass: 'GLACIER_IR',
      }),
    )
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'deleted' }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'replaced', Body: 'new' }))
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts', Metadata: { of: 'upload' } }))
    const part = await s3.send(new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: 'part' }))
    const before = await s3.send(new HeadObjectCommand({ Bucket, Key: 'large', ChecksumMode: 'ENABLED' }))

    server.clock.time += 3_600_000
    await server.restart()
    s3 = server.client()

    expect((await s3.send(new ListBucketsCommand({}))).Buckets).toMatchObject([
      { Name: 'lake' },
      { Name: 'other', BucketRegion: 'eu-west-1' },
    ])
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents!.map(({ Key }) => Key)).toEqual([
      'a',
      'large',
      'replaced',
      '😀/ü',
    ])
    const { $metadata: _, ...after } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'large', ChecksumMode: 'ENABLED' }))
    expect(before).toMatchObject(after)
    for (const [Key, body] of [
      ['a', 'body of a'],
      ['😀/ü', 'body of 😀/ü'],
      ['replaced', 'new'],
    ] as const) {
      expect(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString()).toBe(body)
    }
    expect((await s3.send(new ListPartsCommand({ Bucket, Key: 'parts', UploadId }))).Parts).toMatchObject([
      { PartNumber: 1, ETag: part.ETag, Size: 4 },
    ])
    await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key: 'parts',
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag }] },
      }),
    )
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'parts' }))).toMatchObject({
      Metadata: { of: 'upload' },
      ContentLength: 4,
    })
  })

  it('removes bodies that nothing names, and never uses a number again', async () => {
    const s3 = server.client()
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept' }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept again' }))
    const orphan = join(server.dir, 'bodies', '0', '77')
    writeFileSync(orphan, 'half a body')
    await server.restart()
    expect(files(server.dir)).toHaveLength(1)
    expect(readFileSync(files(server.dir)[0]!, 'utf8')).toBe('kept again')
    const { file } = await server.service.files.put(Bucket, 'next', 'x')
    expect(Number(file.split('/').at(-1))).toBeGreaterThan(77)
  })

  it('compacts an index that is mostly history', async () => {
    const s3 = server.client()
    await s3.send(new CreateBucketCommand({ Bucket }))
    for (let at = 0; at < 1500; at++) await server.service.files.put(Bucket, `key-${at % 5}`, String(at))
    const index = join(server.dir, 'buckets', 'lake.ndjson')
    const lines = () => readFileSync(index, 'utf8').trimEnd().split('\n').length
    expect(lines()).toBe(1501)
    await server.restart()
    expect(lines()).toBe(6)
    await server.restart()
    expect(server.service.files.list(Bucket, '').map(({ key }) => key)).toEqual([0, 1, 2, 3, 4].map((at) => `key-${at}`))
    expect(readFileSync(server.service.files.head(Bucket, 'key-4')!.file, 'utf8')).toBe('1499')
  })
})

describe('a process that was killed', () => {
  it('leaves at most a torn last line, at whatever byte it was cut', () => {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-s3-journal-'))
    try {
      const file = join(dir, 'lake.ndjson')
      const index = openBucketIndex(file, () => {}, { name: 'lake', createdAt: 1, location: 'us-east-1' })
      const record = { size: 1, etag: '"x"', lastModified: 1, storageClass: 'STANDARD', metadata: {}, content: {} }
      index.put({ ...record, key: 'first', body: 1 })
      const complete = readFileSync(file).length
      index.put({ ...record, key: 'ünïcode', body: 2 })
      index.close()
      const bytes = readFileSync(file)
      for (let length = complete; length < bytes.length; length++) {
        writeFileSync(file, bytes)
        truncateSync(file, length)
        const reopened = openBucketIndex(file, () => {})
        expect([reopened.get('first')?.body, reopened.get('ünïcode')]).toEqual([1, undefined])
        reopened.put({ ...record, key: 'after', body: 3 })
        reopened.close()
        const again = openBucketIndex(file, () => {})
        expect([again.size, again.get('after')?.body]).toEqual([2, 3])
        again.close()
      }
      writeFileSync(file, Buffer.concat([bytes, Buffer.from('{"put":\n')]))
      const reopened = openBucketIndex(file, () => {})
      expect(reopened.size).toBe(2)
      reopened.close()
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  it('makes no damaged index look like a torn one', async () => {
    await server.client().send(new CreateBucketCommand({ Bucket }))
    await server.service.files.put(Bucket, 'a', 'x')
    const dir = server.dir
    await server.service.close()
    appendFileSync(join(dir, 'buckets', 'lake.ndjson'), 'garbage\n{"delete":"a"}\n')
    const { authorizer } = recordingAuthorizer()
    const error = await createS3Service({ dir, clock: { now: () => 0 }, authorizer }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'PIPE_LOCAL_S3_INDEX', details: { line: 3 } })
    // The directory is free again.
    await expect(createS3Service({ dir, clock: { now: () => 0 }, authorizer })).rejects.toMatchObject({
      code: 'PIPE_LOCAL_S3_INDEX',
    })
    writeFileSync(join(dir, 'buckets', 'lake.ndjson'), '')
    await server.restart()
  })

  it('loses nothing that it acknowledged', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-s3-kill-'))
    try {
      const script = join(dir, 'writer.mjs')
      await build({
        stdin: {
          contents: `
            import { createS3Service } from './src/s3/service'
            const authorizer = { authorize() {}, isAllowed: () => true }
            const { files } = await createS3Service({ dir: process.argv[2], clock: Date, authorizer })
            for (let at = 0; ; at++) {
              await files.put('lake', 'key-' + at, 'x'.repeat((at * 7919) % 300000))
              process.stdout.write(at + '\\n')
            }`,
          resolveDir: join(import.meta.dirname, '../..'),
          loader: 'ts',
        },
        bundle: true,
        platform: 'node',
        format: 'esm',
        conditions: ['pipe-source'],
        outfile: script,
        external: ['fast-xml-parser'],
      })
      const data = join(dir, 'data')
      const store = openStore(data, () => 0)
      store.createBucket('lake')
      store.close()
      const child = spawn(process.execPath, [script, data], { stdio: ['ignore', 'pipe', 'inherit'] })
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.length > 2000) child.kill('SIGKILL')
      })
      await new Promise((resolve) => child.once('close', resolve))
      const acknowledged = output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number)
      expect(acknowledged.length).toBeGreaterThan(300)
      const { authorizer } = recordingAuthorizer()
      // The lock still names the dead process.
      const service = await createS3Service({ dir: data, clock: Date, authorizer })
      const objects = service.files.list('lake', '')
      expect(objects.length).toBeGreaterThanOrEqual(acknowledged.length)
      for (const at of acknowledged) {
        const object = service.files.head('lake', `key-${at}`)!
        expect(object.size).toBe((at * 7919) % 300000)
        expect(readFileSync(object.file).length).toBe(object.size)
      }
      expect(files(data)).toHaveLength(objects.length)
      await service.close()
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})

describe('the directory', () => {
  it('has one owner at a time', async () => {
    const { authorizer } = recordingAuthorizer()
    const options = { dir: server.dir, clock: { now: () => 0 }, authorizer }
    const error = await createS3Service(options).catch((reason: unknown) => reason)
    expect(PipeError.isInstance(error) && error.code).toBe('PIPE_LOCAL_DIR_IN_USE')
    await server.service.close()
    const parent = process.ppid
    writeFileSync(join(server.dir, 'lock'), String(parent))
    await expect(createS3Service(options)).rejects.toMatchObject({ code: 'PIPE_LOCAL_DIR_IN_USE', details: { dir: server.dir } })
    // No process has this number: the holder is gone.
    writeFileSync(join(server.dir, 'lock'), '4194999')
    const service = await createS3Service(options)
    await service.close()
    await service.close()
    await server.restart()
  })

  it('refuses unknown options by name', async () => {
    const { authorizer } = recordingAuthorizer()
    await expect(createS3Service({ dir: 'x', clock: { now: () => 0 }, authorizer, directory: 'y' } as never)).rejects.toThrow(
      'directory',
    )
  })
})
