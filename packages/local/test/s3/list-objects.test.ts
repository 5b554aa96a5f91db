import {
  CreateBucketCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  paginateListObjectsV2,
  type S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type S3Server, startS3 } from './s3-server'

const Bucket = 'listed'
let server: S3Server
let s3: S3Client

beforeAll(async () => {
  server = await startS3()
  s3 = server.client()
  await s3.send(new CreateBucketCommand({ Bucket }))
  for (const key of ['a.txt', 'dt=1/h=0/a', 'dt=1/h=0/b', 'dt=1/h=1/a', 'dt=2/h=0/a', 'dt=2/z', 'e', 'é', '😀'])
    await server.service.files.put(Bucket, key, key)
})
afterAll(() => server.close())

async function all(input: Partial<ListObjectsV2CommandInput>, pageSize = 1000) {
  const keys: string[] = []
  const prefixes: string[] = []
  let pages = 0
  for await (const page of paginateListObjectsV2({ client: s3, pageSize }, { Bucket, ...input })) {
    pages++
    expect((page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0)).toBe(page.KeyCount)
    expect(page.KeyCount).toBeLessThanOrEqual(pageSize)
    keys.push(...(page.Contents ?? []).map((object) => object.Key!))
    prefixes.push(...(page.CommonPrefixes ?? []).map((common) => common.Prefix!))
  }
  return { keys, prefixes, pages }
}

describe('ListObjectsV2', () => {
  it('describes objects', async () => {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1, FetchOwner: true }))
    expect(page).toMatchObject({ Name: Bucket, KeyCount: 1, MaxKeys: 1, IsTruncated: true })
    expect(page.Contents).toMatchObject([
      {
        Key: 'a.txt',
        Size: 5,
        StorageClass: 'STANDARD',
        ChecksumAlgorithm: ['CRC64NVME'],
        LastModified: new Date('2026-11-24T12:00:00Z'),
        Owner: { DisplayName: 'local' },
      },
    ])
    expect((await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }))).Contents![0]!.Owner).toBeUndefined()
  })

  it('groups by the delimiter', async () => {
    expect(await all({ Delimiter: '/' })).toEqual({ keys: ['a.txt', 'e', 'é', '😀'], prefixes: ['dt=1/', 'dt=2/'], pages: 1 })
    expect(await all({ Delimiter: '/', Prefix: 'dt=1/' })).toEqual({ keys: [], prefixes: ['dt=1/h=0/', 'dt=1/h=1/'], pages: 1 })
    expect(await all({ Delimiter: '/', Prefix: 'dt=2/' })).toEqual({ keys: ['dt=2/z'], prefixes: ['dt=2/h=0/'], pages: 1 })
    expect(await all({ Delimiter: '=', Prefix: 'dt' })).toEqual({ keys: [], prefixes: ['dt='], pages: 1 })
    expect(await all({ Prefix: 'dt=1/h=0' })).toEqual({ keys: ['dt=1/h=0/a', 'dt=1/h=0/b'], prefixes: [], pages: 1 })
  })

  it('pages through keys and prefixes one at a time', async () => {
    expect(await all({ Delimiter: '/' }, 1)).toEqual({ keys: ['a.txt', 'e', 'é', '😀'], prefixes: ['dt=1/', 'dt=2/'], pages: 6 })
    expect((await all({}, 2)).keys).toHaveLength(9)
  })

  it('starts after a key, given or not existing', async () => {
    expect((await all({ StartAfter: 'dt=2/h=0/a' })).keys).toEqual(['dt=2/z', 'e', 'é', '😀'])
    expect((await all({ StartAfter: 'dt=15' })).keys[0]).toBe('dt=2/h=0/a')
    expect((await all({ StartAfter: 'zzz', Prefix: 'dt=' })).keys).toEqual([])
    expect(await all({ StartAfter: 'dt=1/', Delimiter: '/' })).toMatchObject({ prefixes: ['dt=2/'] })
  })

  it('answers MaxKeys 0 with an untruncated empty page, and refuses nonsense', async () => {
    expect(await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }))).toMatchObject({ KeyCount: 0, IsTruncated: false })
    const name = (more: object) =>
      s3.send(new ListObjectsV2Command({ Bucket, ...more })).then(
        () => 'ok',
        (error: S3ServiceException) => error.name,
      )
    expect(await name({ MaxKeys: -1 })).toBe('InvalidArgument')
    expect(await name({ ContinuationToken: 'nonsense' })).toBe('InvalidArgument')
    expect(await name({ EncodingType: 'base64' })).toBe('InvalidArgument')
  })

  it('sends the prefix and delimiter to the authorizer', async () => {
    server.calls.length = 0
    await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'dt=1/', Delimiter: '/', MaxKeys: 5 }))
    expect(server.calls).toEqual([
      {
        principal: 'root',
        action: 's3:ListBucket',
        resource: `arn:aws:s3:::${Bucket}`,
        context: { 's3:prefix': 'dt=1/', 's3:delimiter': '/', 's3:max-keys': '5' },
      },
    ])
  })

  it('agrees with a plain model on any keys, prefix, delimiter and page size', async () => {
    const piece = fc.constantFrom('a', 'b', '/', '//', '-', 'é', '\uffee', '😀', '%', '+', ' ')
    const key = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''))
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 30 }),
        fc.option(key),
        fc.constantFrom('', '/', 'a', '//'),
        fc.integer({ min: 1, max: 4 }),
        async (keys, prefix, delimiter, pageSize) => {
          const bucket = `model-${run++}`
          await s3.send(new CreateBucketCommand({ Bucket: bucket }))
          for (const each of keys) await server.service.files.put(bucket, each, '')
          const sorted = keys
            .filter((each) => each.startsWith(prefix ?? ''))
            .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
          const expected = { keys: [] as string[], prefixes: [] as string[] }
          for (const each of sorted) {
            const cut = delimiter === '' ? -1 : each.indexOf(delimiter, (prefix ?? '').length)
            if (cut < 0) expected.keys.push(each)
            else if (!expected.prefixes.includes(each.slice(0, cut + delimiter.length)))
              expected.prefixes.push(each.slice(0, cut + delimiter.length))
          }
          const input = {
            Bucket: bucket,
            ...(prefix === null ? {} : { Prefix: prefix }),
            ...(delimiter === '' ? {} : { Delimiter: delimiter }),
          }
          const { keys: listed, prefixes } = await all(input, pageSize)
          expect({ keys: listed, prefixes }).toEqual(expected)
          expect(server.service.files.list(bucket, prefix ?? '').map((object) => object.key)).toEqual(sorted)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('ListObjects', () => {
  it('pages by marker, with NextMarker only under a delimiter', async () => {
    const first = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2 }))
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'dt=1/', Marker: '' })
    const second = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2, Marker: first.NextMarker }))
    expect(second.CommonPrefixes).toEqual([{ Prefix: 'dt=2/' }])
    expect(second.Contents!.map(({ Key }) => Key)).toEqual(['e'])
    const plain = await s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 2 }))
    expect(plain.NextMarker).toBeUndefined()
    expect(plain.IsTruncated).toBe(true)
  })
})
