import { describe, expect, it } from 'vitest'
import { at, memoryLake } from './memory-lake'

const first = '2026-11-24T15:30:00Z'
const second = '2026-11-24T15:31:00Z'

describe('late objects', () => {
  it('are appended', async () => {
    const lake = await memoryLake()
    await lake.put(first, 0, 1)
    await lake.compactor().run({ at })
    await lake.put(second, 1, 2)
    expect(await lake.compactor().run({ at })).toMatchObject({ outcome: 'committed', seq: 1, files: 1, lateFiles: 1 })
    expect(await lake.seen()).toEqual([1, 2])
  })

  it('are put aside, and stay where they are', async () => {
    const lake = await memoryLake({ onLate: 'quarantine' })
    await lake.put(first, 0, 1)
    await lake.compactor().run({ at })
    await lake.put(second, 1, 2, 3)
    expect(await lake.compactor().run({ at })).toMatchObject({ outcome: 'committed', seq: 1, outputRows: 0, quarantinedRows: 2 })
    expect(await lake.seen()).toEqual([1])
    expect(await lake.compactor().run({ at })).toMatchObject({ outcome: 'already-committed', inputRows: 3, quarantinedRows: 2 })
  })

  it('have the window compacted anew, in place of what was there', async () => {
    const lake = await memoryLake({ onLate: 'recompact', publish: 'manifest' })
    await lake.put(first, 0, 1)
    await lake.compactor().run({ at })
    await lake.put(second, 1, 2)
    const result = await lake.compactor().run({ at })
    expect(result).toMatchObject({ outcome: 'committed', seq: 1, files: 2, outputRows: 2 })
    expect((await lake.commits())[1]).toMatchObject({ mode: 'recompact', replaces: [0] })
    expect(await lake.seen()).toEqual([1, 2])
    expect(await lake.compactor().run({ at })).toMatchObject({ outcome: 'already-committed', files: 2, outputRows: 2 })
  })

  it('are appended when the sources of the window are gone', async () => {
    const lake = await memoryLake({ onLate: 'recompact', publish: 'manifest' })
    const key = 'dt=2026-11-24/hour=15/device_logs-20261124T1530Z-0of10-0badcafe.ndjson'
    await lake.put(first, 0, 1)
    await lake.compactor().run({ at })
    await lake.raw.delete(key)
    await lake.put(second, 1, 2)
    expect(await lake.compactor().run({ at })).toMatchObject({ outcome: 'committed', seq: 1, files: 1 })
    expect(await lake.seen()).toEqual([1, 2])
  })
})

describe('overwritten objects', () => {
  it.each([
    ['quarantine', [1, 2]],
    ['append', [1, 2, 9]],
    ['recompact', [2, 9]],
  ] as const)('%s', async (onOverwrite, seen) => {
    const lake = await memoryLake({ onOverwrite, publish: 'manifest' })
    await lake.put(first, 0, 1)
    await lake.put(second, 1, 2)
    await lake.compactor().run({ at })
    await lake.put(first, 0, 9)
    const result = await lake.compactor().run({ at })
    expect(result).toMatchObject({ outcome: 'committed', seq: 1 })
    expect(result.overwritten).toHaveLength(1)
    expect(await lake.seen()).toEqual(seen)
    expect(await lake.compactor().run({ at })).toMatchObject({ outcome: 'already-committed', overwritten: [] })
    expect(await lake.compactor().verify('20261124T1530Z')).toMatchObject({ ok: true })
  })
})

describe('leases', () => {
  it('keep a second invocation from working at the same window', async () => {
    const lake = await memoryLake()
    await lake.put(first, 0, 1)
    let during: string | undefined
    const inner = lake.compactor({ lease: '15 minutes' }).engine
    const engine = {
      ...inner,
      async run(job: Parameters<typeof inner.run>[0]) {
        during = (await lake.compactor({ lease: '15 minutes' }).run({ at })).outcome
        return inner.run(job)
      },
    }
    expect(await lake.compactor({ lease: '15 minutes', engine }).run({ at })).toMatchObject({ outcome: 'committed' })
    expect(during).toBe('leased-elsewhere')
    expect(lake.keys('_pipe/device_logs/lease/')).toEqual([])
  })

  it.each([
    ['an hour ago', 3_600_000],
    ['by a clock that is an hour ahead', -3_600_000],
  ])('that were taken %s have run out', async (_, ms) => {
    const lake = await memoryLake()
    await lake.put(first, 0, 1)
    await lake.compacted.put('_pipe/device_logs/lease/20261124T1530Z.json', '{}')
    expect(await lake.compactor({ lease: '15 minutes' }).run({ at })).toMatchObject({ outcome: 'leased-elsewhere' })
    lake.s3.age(ms)
    expect(await lake.compactor({ lease: '15 minutes' }).run({ at })).toMatchObject({ outcome: 'committed' })
  })
})

describe('roll-up', () => {
  const hour = new Date('2026-11-24T16:00:00Z')

  it('makes the files of an hour into one, again when late rows came', async () => {
    const lake = await memoryLake({ publish: 'manifest' })
    const compactor = lake.compactor()
    await lake.put('2026-11-24T15:00:00Z', 0, 1)
    await lake.put('2026-11-24T15:30:00Z', 0, 2)
    await compactor.backfill({ from: new Date('2026-11-24T15:00:00Z'), to: hour })
    const manifest = () =>
      lake.s3.get('lake', 'compacted/manifest/dt=2026-11-24/hour=15/files')!.body.toString().split('\n').length - 1
    expect(manifest()).toBe(2)
    expect(await compactor.rollUp({ at: hour })).toMatchObject({ outcome: 'committed', filesBefore: 2, filesAfter: 1, rows: 2 })
    expect(manifest()).toBe(1)
    expect(await lake.seen()).toEqual([1, 2])
    expect(await compactor.rollUp({ at: hour })).toMatchObject({ outcome: 'nothing' })
    await lake.put('2026-11-24T15:31:00Z', 7, 3)
    await compactor.run({ at })
    expect(manifest()).toBe(2)
    expect(await compactor.rollUp({ at: hour })).toMatchObject({ outcome: 'committed', filesBefore: 2, rows: 3 })
    expect(await lake.seen()).toEqual([1, 2, 3])
    expect(await compactor.explain('dt=2026-11-24/hour=15/device_logs-20261124T1500Z-0of10-0badcafe.ndjson')).toMatchObject({
      status: 'committed',
      rollUp: 1,
      seq: 0,
    })
    expect(await compactor.verify('20261124T1530Z')).toMatchObject({ ok: true, live: [] })
  })

  it('is refused where it could show rows twice', async () => {
    await expect((await memoryLake()).compactor().rollUp({ at: hour })).rejects.toThrow(/publish: 'manifest'/)
    const lake = await memoryLake({ publish: 'manifest', onLate: 'recompact' })
    await expect(lake.compactor().rollUp({ at: hour })).rejects.toThrow(/does not go with 'recompact'/)
  })
})
