import { describe, expect, it } from 'vitest'
import { applyRestore, archivedPartitions, listBucket, planRestore, type StoredObject, waitForRestore } from '../src/index'
import { type FakeObject, fakeS3, s3Error } from './fake-s3'

const GiB = 1024 ** 3
const at = new Date('2012-10-15T10:30:00Z')
const stored = (key: string, storageClass: string, more: Partial<StoredObject> = {}): StoredObject => ({
  key,
  sizeBytes: GiB,
  lastModified: new Date('2012-01-01'),
  storageClass,
  ...more,
})

describe('planRestore', () => {
  it('counts, times and prices; copies of 2012-10-15 10:30 for 3 days go on 2012-10-19 (user guide)', async () => {
    const objects = [
      stored('a', 'GLACIER'),
      stored('b', 'DEEP_ARCHIVE'),
      stored('c', 'STANDARD_IA'),
      stored('d', 'GLACIER', { restore: 'in-progress' }),
      stored('e', 'GLACIER', { restore: { until: new Date('2012-11-01') } }),
    ]
    const plan = await planRestore({ bucket: 'lake', objects, tier: 'Standard', days: 3, at })
    expect(plan).toMatchObject({
      objects: 2,
      bytes: 2 * GiB,
      skipped: { readable: 1, restored: 1, inProgress: 1 },
      hours: { least: 0, most: 12 },
      copiesUntil: new Date('2012-10-19T00:00:00Z'),
    })
    expect(plan.price).toBeCloseTo(0.01 + 0.00005 + 0.02 + 0.0001 + (2 * 0.023 * 3) / 30, 9)
    expect(plan.warnings[0]).toContain('read_restored_glacier_objects')
    expect(await planRestore({ bucket: 'lake', objects: [stored('a', 'GLACIER')], days: 1, at })).toMatchObject({
      tier: 'Bulk',
      hours: { least: 5, most: 12 },
    })
  })

  it('refuses Expedited for DEEP_ARCHIVE, days that are none, more than it should do by hand', async () => {
    await expect(
      planRestore({ bucket: 'lake', objects: [stored('a', 'DEEP_ARCHIVE')], tier: 'Expedited', days: 1 }),
    ).rejects.toThrow(/no tier Expedited/)
    await expect(planRestore({ bucket: 'lake', objects: [], days: 0 })).rejects.toThrow(/at least 1/)
    await expect(
      planRestore({ bucket: 'lake', objects: [stored('a', 'GLACIER'), stored('b', 'GLACIER')], days: 1, maxObjects: 1 }),
    ).rejects.toThrow(/more than 1/)
  })
})

describe('applyRestore and waitForRestore', () => {
  const object = (Key: string, more: Partial<FakeObject> = {}): FakeObject => ({
    Key,
    Size: GiB,
    LastModified: new Date(),
    StorageClass: 'GLACIER',
    ...more,
  })

  it('asks once for each, goes on after a break, waits by LIST', async () => {
    const lake = { objects: [object('x/a'), object('x/b'), object('x/c'), object('x/d'), object('y')] }
    const { client, calls } = fakeS3({ lake })
    const plan = await planRestore({ bucket: 'lake', objects: listBucket({ bucket: 'lake', prefix: 'x/', client }), days: 2 })
    lake.objects[1]!.RestoreStatus = { IsRestoreInProgress: true }
    lake.objects.splice(2, 1)
    expect(await applyRestore(plan, { client, perSecond: 1000 })).toEqual({ requested: 2, already: 1, gone: ['x/c'] })
    expect(calls.find(({ command }) => command === 'RestoreObjectCommand')!.input).toMatchObject({
      RestoreRequest: { Days: 2, GlacierJobParameters: { Tier: 'Bulk' } },
    })
    expect(await applyRestore(plan, { client, perSecond: 1000 })).toMatchObject({ requested: 0, already: 3 })

    lake.objects.push(object('x/c', { StorageClass: 'STANDARD' }))
    await expect(waitForRestore(plan, { client, every: '5 ms', timeout: '20 ms' })).rejects.toMatchObject({
      code: 'PIPE_LIFECYCLE_UNVERIFIED',
    })
    const seen: number[] = []
    await waitForRestore(plan, {
      client,
      every: '1 ms',
      onProgress: ({ done }) => {
        seen.push(done)
        const next = lake.objects.find(({ RestoreStatus }) => RestoreStatus?.IsRestoreInProgress)
        if (next) next.RestoreStatus = { IsRestoreInProgress: false, RestoreExpiryDate: new Date('2030-01-01') }
      },
    })
    expect(seen).toEqual([1, 2, 3, 4])
    const heads = calls.filter(({ command }) => command === 'HeadObjectCommand')
    expect(heads).toEqual([])
  })

  it('keeps to the rate, tries throttled calls again, names a missing permission', async () => {
    const lake = { objects: Array.from({ length: 21 }, (_, i) => object(`k${i}`)) }
    let throttled = 1
    const { client } = fakeS3({ lake }, (command) => {
      if (command === 'RestoreObjectCommand' && throttled-- > 0) throw s3Error('SlowDown', 503)
    })
    const plan = await planRestore({ bucket: 'lake', objects: listBucket({ bucket: 'lake', client }), days: 1 })
    const startedAt = Date.now()
    expect(await applyRestore(plan, { client, perSecond: 100 })).toMatchObject({ requested: 21 })
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(195)
    await expect(applyRestore(plan, { client, perSecond: 1001 })).rejects.toThrow(/at most 1 000/)
    const denied = fakeS3({ lake }, () => {
      throw s3Error('AccessDenied', 403)
    })
    await expect(applyRestore(plan, { client: denied.client })).rejects.toMatchObject({
      code: 'PIPE_IAM_DENIED',
      details: { action: 's3:RestoreObject' },
    })
  })
})

describe('archivedPartitions', () => {
  it('names partitions whose objects Athena passes over without an error', async () => {
    const found = await archivedPartitions(
      [
        stored('t/dt=2026-01-01/hour=00/a.parquet', 'DEEP_ARCHIVE'),
        stored('t/dt=2026-01-01/hour=00/b.parquet', 'STANDARD'),
        stored('t/dt=2026-01-02/hour=00/a.parquet', 'GLACIER', { restore: { until: new Date('2030-01-01') } }),
        stored('t/dt=2026-01-03/hour=00/a.parquet', 'GLACIER_IR'),
        stored('other/dt=2026-01-03/a', 'GLACIER'),
      ],
      { prefix: 't/' },
    )
    expect(
      found.map(({ partition, archived, readable, restored }) => [
        partition,
        archived.objects,
        readable.objects,
        restored.objects,
      ]),
    ).toEqual([
      ['dt=2026-01-01/hour=00', 1, 1, 0],
      ['dt=2026-01-02/hour=00', 0, 0, 1],
    ])
  })
})
