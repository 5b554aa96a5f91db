import { describe, expect, it } from 'vitest'
import { applyClassChange, listBucket, planClassChange, type StoredObject } from '../src/index'
import { type FakeObject, fakeS3, s3Error } from './fake-s3'

const GiB = 1024 ** 3
const at = new Date('2026-11-24T00:00:00Z')
const object = (Key: string, more: Partial<FakeObject> = {}): FakeObject => ({
  Key,
  Size: GiB,
  LastModified: new Date('2026-10-01'),
  StorageClass: 'STANDARD',
  ETag: `"${Key}"`,
  ...more,
})

describe('planClassChange', () => {
  const plan = (objects: readonly StoredObject[], to: 'STANDARD' | 'STANDARD_IA' | 'DEEP_ARCHIVE') =>
    planClassChange({ bucket: 'lake', objects, to, at })
  const stored = (key: string, more: Partial<StoredObject> = {}): StoredObject => ({
    key,
    sizeBytes: GiB,
    lastModified: new Date('2026-10-01'),
    ...more,
  })

  it('counts, prices and warns', async () => {
    const found = await plan(
      [
        stored('a'),
        stored('ia', { storageClass: 'STANDARD_IA', lastModified: new Date('2026-11-14T00:00:00Z') }),
        stored('deep', { storageClass: 'DEEP_ARCHIVE' }),
        stored('archived', { storageClass: 'GLACIER' }),
        stored('restored', { storageClass: 'GLACIER', restore: { until: new Date('2026-12-01') } }),
        stored('old', { isLatest: false, versionId: 'v' }),
        stored('gone', { isDeleteMarker: true, sizeBytes: 0 }),
      ],
      'DEEP_ARCHIVE',
    )
    expect(found).toMatchObject({ objects: 3, bytes: 3 * GiB, skipped: { already: 1, archived: 1, notCurrent: 2 } })
    // 3 PUT requests; retrieval of 1 GiB from IA and 1 GiB from GLACIER.
    expect(found.requestPrice).toBeCloseTo(3 * 0.00005 + 0.01 + 0.01, 9)
    // 10 of 30 days in IA, 54 of 90 in GLACIER (with its overhead).
    expect(found.earlyDeletePrice).toBeCloseTo(
      (0.0125 * 20) / 30 + ((0.0036 * (GiB + 32_768) + 0.023 * 8192) / GiB) * (36 / 30),
      9,
    )
    expect(found.savedPerMonth).toBeCloseTo(0.023 + 0.0125 + 0.0036 - 3 * 0.00099, 5)
    expect(found.warnings.join(' ')).toMatch(
      /2 objects leave their class .*at least 180 days.*1 objects are archived.*old version stays/,
    )
    const back = await plan([stored('ia', { storageClass: 'STANDARD_IA' })], 'STANDARD')
    expect(back.warnings[0]).toBe('The objects cost more in STANDARD than now.')
    const small = await plan([stored('s', { sizeBytes: 10 })], 'STANDARD_IA')
    expect(small.warnings[0]).toContain('billed as if they had that size')
  })

  it('refuses more than it should do by hand', async () => {
    await expect(
      planClassChange({ bucket: 'lake', objects: [stored('a'), stored('b')], to: 'GLACIER', maxObjects: 1 }),
    ).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_REFUSED' })
  })
})

describe('applyClassChange', () => {
  it('copies in place with everything kept, leaves alone what changed, goes on after a break', async () => {
    const head = {
      ChecksumSHA256: 'x',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'key',
      BucketKeyEnabled: true,
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: at,
    }
    const lake = { objects: [object('a/ü b+', { head }), object('changed'), object('gone'), object('done'), object('broken')] }
    const { client, calls } = fakeS3({ lake }, (command, input) => {
      if (command === 'CopyObjectCommand' && input['Key'] === 'broken') throw s3Error('InvalidRequest', 400, 'no')
    })
    const plan = await planClassChange({ bucket: 'lake', objects: listBucket({ bucket: 'lake', client }), to: 'GLACIER', at })
    expect(plan.objects).toBe(5)
    lake.objects[1]!.ETag = '"other"'
    lake.objects.splice(2, 1)
    lake.objects.find(({ Key }) => Key === 'done')!.StorageClass = 'GLACIER'
    const done: number[] = []
    const result = await applyClassChange(plan, { client, concurrency: 2, onProgress: (progress) => done.push(progress.done) })
    expect(result).toMatchObject({
      changed: 1,
      already: 1,
      stale: ['changed', 'gone'],
      failed: [{ key: 'broken', error: expect.stringContaining('InvalidRequest') }],
    })
    expect(done).toEqual([1, 2, 3, 4, 5])
    const copy = calls.find(({ command, input }) => command === 'CopyObjectCommand' && input['Key'] === 'a/ü b+')!
    expect(copy.input).toMatchObject({
      CopySource: 'lake/a/%C3%BC%20b%2B',
      CopySourceIfMatch: '"a/ü b+"',
      MetadataDirective: 'COPY',
      TaggingDirective: 'COPY',
      StorageClass: 'GLACIER',
      ChecksumAlgorithm: 'SHA256',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'key',
      ObjectLockMode: 'GOVERNANCE',
    })
    expect(await applyClassChange(plan, { client })).toMatchObject({ changed: 0, already: 2 })
  })

  it('copies beyond 5 GB by parts, with metadata and tags, and takes parts away when it fails', async () => {
    const size = 5 * GiB + 1
    const head = {
      Metadata: { rows: '7' },
      ContentType: 'text/csv',
      tags: [{ Key: 'a b', Value: 'c&d' }],
      ChecksumCRC64NVME: 'x',
      ChecksumType: 'FULL_OBJECT',
    }
    const lake = { objects: [object('large', { Size: size, head })] }
    const { client, calls } = fakeS3({ lake })
    const plan = await planClassChange({ bucket: 'lake', objects: listBucket({ bucket: 'lake', client }), to: 'GLACIER', at })
    expect(await applyClassChange(plan, { client })).toMatchObject({ changed: 1, failed: [] })
    const of = (name: string) => calls.filter(({ command }) => command === name).map(({ input }) => input)
    expect(of('CreateMultipartUploadCommand')).toMatchObject([
      {
        Metadata: { rows: '7' },
        ContentType: 'text/csv',
        Tagging: 'a+b=c%26d',
        ChecksumAlgorithm: 'CRC64NVME',
        ChecksumType: 'FULL_OBJECT',
      },
    ])
    const ranges = of('UploadPartCopyCommand').map(({ CopySourceRange }) => CopySourceRange)
    expect(ranges).toHaveLength(11)
    expect(ranges[0]).toBe(`bytes=0-${512 * 1024 ** 2 - 1}`)
    expect(ranges.at(-1)).toBe(`bytes=${5 * GiB}-${5 * GiB}`)
    expect((of('CompleteMultipartUploadCommand')[0]!['MultipartUpload'] as { Parts: object[] }).Parts).toHaveLength(11)

    lake.objects[0]!.StorageClass = 'STANDARD'
    const failing = fakeS3({ lake }, (command, input) => {
      if (command === 'UploadPartCopyCommand' && input['PartNumber'] === 2) throw s3Error('PreconditionFailed', 412)
    })
    expect(await applyClassChange(plan, { client: failing.client })).toMatchObject({ changed: 0, stale: ['large'] })
    expect(failing.calls.at(-1)!.command).toBe('AbortMultipartUploadCommand')
  })

  it('stops at a missing permission and on a signal', async () => {
    const lake = { objects: [object('a'), object('b')] }
    const { client } = fakeS3({ lake }, (command) => {
      if (command === 'CopyObjectCommand') throw s3Error('AccessDenied', 403)
    })
    const plan = await planClassChange({ bucket: 'lake', objects: listBucket({ bucket: 'lake', client }), to: 'GLACIER', at })
    await expect(applyClassChange(plan, { client })).rejects.toMatchObject({
      code: 'PIPE_IAM_DENIED',
      details: { action: 's3:PutObject' },
    })
    const reason = new Error('stop')
    await expect(applyClassChange(plan, { client, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
