import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type S3Server, startS3 } from './s3-server'

let server: S3Server
let s3: S3Client
const Bucket = 'lake'

beforeEach(async () => {
  server = await startS3()
  s3 = server.client()
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterEach(() => server.close())

const keepVersions = (Status: 'Enabled' | 'Suspended') =>
  s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }))
const put = async (Key: string, Body: string) => (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId
const read = async (Key: string, VersionId?: string) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body!.transformToString()
const remove = (Key: string, VersionId?: string) => s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))
const failure = (work: Promise<unknown>) =>
  work.then(
    () => Promise.reject(new Error('no failure')),
    (error: unknown) => error,
  )

/** All versions and markers as `key id latest`, markers with a minus. */
async function versions(): Promise<string[]> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }))
  return [
    ...Versions.map(({ Key, VersionId, IsLatest }) => `${Key} ${VersionId} ${IsLatest}`),
    ...DeleteMarkers.map(({ Key, VersionId, IsLatest }) => `-${Key} ${VersionId} ${IsLatest}`),
  ]
}

describe('versioning', () => {
  it('is off, then enabled or suspended, and never off again', async () => {
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined()
    expect(await put('k', 'x')).toBeUndefined()
    await keepVersions('Enabled')
    await server.restart()
    s3 = server.client()
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled')
    await keepVersions('Suspended')
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Suspended')
  })

  it('keeps what is overwritten and deleted, and gives it back by its id, also after a restart', async () => {
    await put('k', 'before')
    await keepVersions('Enabled')
    const first = await put('k', 'first')
    const second = await put('k', 'second')
    const marker = await remove('k')
    expect(marker).toMatchObject({ DeleteMarker: true })
    const gone = await failure(read('k'))
    expect(gone).toMatchObject({ name: 'NoSuchKey' })
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0)
    await server.restart()
    s3 = server.client()
    expect(await Promise.all([read('k', first), read('k', second), read('k', 'null')])).toEqual(['first', 'second', 'before'])
    expect(await versions()).toEqual([`k ${second} false`, `k ${first} false`, 'k null false', `-k ${marker.VersionId} true`])
    // Without its marker the object is back.
    expect(await remove('k', marker.VersionId)).toMatchObject({ DeleteMarker: true, VersionId: marker.VersionId })
    expect(await read('k')).toBe('second')
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).VersionId).toBe(second)
    await remove('k', second)
    expect(await read('k')).toBe('first')
  })

  it('suspended: the version null is replaced, by objects and by markers; others stay', async () => {
    await keepVersions('Enabled')
    const kept = await put('k', 'kept')
    await keepVersions('Suspended')
    await put('k', 'null 1')
    await put('k', 'null 2')
    expect(await versions()).toEqual(['k null true', `k ${kept} false`])
    expect((await remove('k')).VersionId).toBe('null')
    expect(await versions()).toEqual([`k ${kept} false`, '-k null true'])
    await put('k', 'null 3')
    expect([await read('k'), await versions()]).toEqual(['null 3', ['k null true', `k ${kept} false`]])
  })

  it('answers a marker, a version that is not there and an id that is none as S3 does', async () => {
    await keepVersions('Enabled')
    const { VersionId } = await remove('never')
    expect(await failure(read('never', VersionId))).toMatchObject({
      name: 'MethodNotAllowed',
      $metadata: { httpStatusCode: 405 },
    })
    expect(await failure(read('never', 'A'.repeat(32)))).toMatchObject({ name: 'NoSuchVersion' })
    expect(await failure(read('never', 'x'))).toMatchObject({ name: 'InvalidArgument' })
    expect((await remove('never', 'A'.repeat(32))).$metadata.httpStatusCode).toBe(204)
  })

  it('copies a version, also onto its own key', async () => {
    await keepVersions('Enabled')
    const old = await put('k', 'old')
    await put('k', 'new')
    const copy = await s3.send(new CopyObjectCommand({ Bucket, Key: 'k', CopySource: `${Bucket}/k?versionId=${old}` }))
    expect(copy.CopySourceVersionId).toBe(old)
    expect(await read('k')).toBe('old')
    const marker = await remove('k')
    expect(
      await failure(
        s3.send(new CopyObjectCommand({ Bucket, Key: 'c', CopySource: `${Bucket}/k?versionId=${marker.VersionId}` })),
      ),
    ).toMatchObject({ name: 'InvalidRequest' })
  })

  it('deletes many versions at once; a bucket with a version left is not empty', async () => {
    await keepVersions('Enabled')
    const ids = [await put('a', '1'), await put('a', '2'), await put('b', '3')]
    await remove('b')
    expect(await failure(s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({ name: 'BucketNotEmpty' })
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }))
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key: Key!, VersionId }))
    expect(Objects).toHaveLength(4)
    const { Deleted = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted.map(({ VersionId, DeleteMarker }) => [VersionId, DeleteMarker ?? false])).toEqual([
      [ids[1], false],
      [ids[0], false],
      [ids[2], false],
      [DeleteMarkers[0]!.VersionId, true],
    ])
    await s3.send(new DeleteBucketCommand({ Bucket }))
  })
})

describe('ListObjectVersions', () => {
  it('pages over versions and prefixes in the order of S3, whatever the page size', async () => {
    await keepVersions('Enabled')
    const keys = ['a', 'a/1', 'a/2', 'b', 'b/x', 'ö', '\u{1f600}']
    for (const key of keys) for (const body of ['1', '2']) await put(key, body)
    for (const key of ['a/1', 'b']) await remove(key)
    const list = async (Delimiter: string | undefined, MaxKeys: number) => {
      const found: string[] = []
      let [KeyMarker, VersionIdMarker]: (string | undefined)[] = []
      do {
        const page: ListObjectVersionsCommandOutput = await s3.send(
          new ListObjectVersionsCommand({ Bucket, Delimiter, MaxKeys, KeyMarker, VersionIdMarker }),
        )
        const { Versions = [], DeleteMarkers = [], CommonPrefixes = [] } = page
        expect(Versions.length + DeleteMarkers.length + CommonPrefixes.length).toBeLessThanOrEqual(MaxKeys)
        for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) found.push(`${Key} ${VersionId}`)
        for (const { Prefix } of CommonPrefixes) found.push(Prefix!)
        ;[KeyMarker, VersionIdMarker] = page.IsTruncated ? [page.NextKeyMarker, page.NextVersionIdMarker] : []
      } while (KeyMarker !== undefined)
      return found.sort()
    }
    for (const delimiter of [undefined, '/']) {
      const whole = await list(delimiter, 1000)
      expect(whole).toHaveLength(delimiter === undefined ? 16 : 11)
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 7 }), async (size) => {
          expect(await list(delimiter, size)).toEqual(whole)
        }),
        { numRuns: 5 },
      )
    }
  })
})
