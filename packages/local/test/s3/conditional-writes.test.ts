import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  type S3ServiceException,
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

const put = (Key: string, Body: string | Buffer, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const read = async (Key: string) => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString()
const failure = (work: Promise<unknown>): Promise<S3ServiceException> =>
  work.then(
    () => {
      throw new Error('expected a failure')
    },
    (error: S3ServiceException) => error,
  )

describe('If-None-Match: *', () => {
  it.each([20, 400_000])('has one winner among 20 rivals with bodies of %i bytes', async (size) => {
    for (let round = 0; round < 5; round++) {
      const Key = `race/${size}/${round}`
      const rival = (at: number) => `${String(at).padStart(2, '0')}${'x'.repeat(size)}`
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, at) => put(Key, rival(at), { IfNoneMatch: '*' })))
      const winners = outcomes.flatMap((outcome, at) => (outcome.status === 'fulfilled' ? [at] : []))
      expect(winners).toHaveLength(1)
      expect(await read(Key)).toBe(rival(winners[0]!))
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } })
      }
    }
  })

  it('writes again after a delete', async () => {
    await put('again', '1', { IfNoneMatch: '*' })
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'again' }))
    await put('again', '2', { IfNoneMatch: '*' })
    expect(await read('again')).toBe('2')
  })
})

describe('If-Match', () => {
  it('lets a counter lose no step under contention', async () => {
    await put('counter', '0')
    let conflicts = 0
    const increment = async () => {
      for (;;) {
        const current = await s3.send(new GetObjectCommand({ Bucket, Key: 'counter' }))
        const next = Number(await current.Body!.transformToString()) + 1
        try {
          await put('counter', String(next), { IfMatch: current.ETag })
          return
        } catch (error) {
          expect(error).toMatchObject({ name: 'PreconditionFailed' })
          conflicts++
        }
      }
    }
    await Promise.all(Array.from({ length: 12 }, increment))
    expect(await read('counter')).toBe('12')
    expect(conflicts).toBeGreaterThan(0)
  })

  it('answers 404 for a missing key and 412 for another ETag', async () => {
    expect(await failure(put('nothing', 'x', { IfMatch: '"0123456789abcdef0123456789abcdef"' }))).toMatchObject({
      name: 'NoSuchKey',
      $metadata: { httpStatusCode: 404 },
    })
    await put('something', 'x')
    expect(await failure(put('something', 'y', { IfMatch: '"0123456789abcdef0123456789abcdef"' }))).toMatchObject({
      name: 'PreconditionFailed',
    })
    expect(await read('something')).toBe('x')
  })

  it('refuses what S3 does not take on a write', async () => {
    expect(await failure(put('something', 'y', { IfNoneMatch: '"abc"' }))).toMatchObject({ name: 'NotImplemented' })
    expect(await failure(put('something', 'y', { IfNoneMatch: '*', IfMatch: '"abc"' }))).toMatchObject({ name: 'NotImplemented' })
  })

  it('needs s3:GetObject as well', async () => {
    const { ETag } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'something' }))
    server.calls.length = 0
    await put('something', 'y', { IfMatch: ETag })
    expect(server.calls.map(({ action }) => action)).toEqual(['s3:PutObject', 's3:GetObject'])
  })
})
