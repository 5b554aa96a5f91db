import { describe, expect, it } from 'vitest'
import { defineLifecycle, keyPrefix, lifecycleRule, type StoredObject, wholeBucket, wouldAffect } from '../src/index'

const at = new Date('2026-11-24T12:00:00Z')
const aged = (days: number) => new Date(at.getTime() - days * 86_400_000)
const MiB = 1024 ** 2

const rules = defineLifecycle([
  lifecycleRule('logs', {
    scope: keyPrefix('log-'),
    transitions: [{ afterDays: 30, to: 'GLACIER' }],
    expireAfterDays: 365,
  }),
])

async function* listing(objects: readonly StoredObject[]): AsyncGenerator<StoredObject> {
  yield* objects
}

describe('wouldAffect', () => {
  it('counts by rule and action, with first keys, dates and top-level prefixes', async () => {
    const objects: StoredObject[] = [
      { key: 'log-2025/a', sizeBytes: 5 * MiB, lastModified: aged(400) },
      { key: 'log-2026/a', sizeBytes: 2 * MiB, lastModified: aged(40) },
      { key: 'log-2026/b', sizeBytes: 2 * MiB, lastModified: aged(31) },
      { key: 'log-2026/c', sizeBytes: 2 * MiB, lastModified: aged(3) },
      { key: 'log-2026/small', sizeBytes: 500, lastModified: aged(40) },
      { key: 'log-archive/keep-me', sizeBytes: MiB, lastModified: aged(40) },
      { key: 'other', sizeBytes: MiB, lastModified: aged(4000) },
    ]
    const found = await wouldAffect(rules, listing(objects), { at })
    expect(found).toMatchObject({
      scanned: { objects: 7 },
      deletes: { objects: 1, bytes: 5 * MiB },
      transitions: { objects: 3, bytes: 5 * MiB },
      tooSmall: { objects: 1, bytes: 500 },
      deleteMarkers: { objects: 0, bytes: 0 },
    })
    const moved = found.groups.find(({ action }) => action === 'transition')!
    expect(moved).toMatchObject({ rule: 'logs', to: 'GLACIER', objects: 3 })
    expect(moved.first[0]).toMatchObject({ key: 'log-2026/a', dueAt: new Date('2026-11-15T00:00:00Z') })
    expect(moved.earliestDue).toEqual(new Date('2026-11-15T00:00:00Z'))
    expect(moved.prefixes).toEqual([
      { prefix: 'log-2026/', objects: 2, bytes: 4 * MiB },
      { prefix: 'log-archive/', objects: 1, bytes: MiB },
    ])
    // The same from an array.
    expect(await wouldAffect(rules, objects, { at })).toEqual(found)
  })

  it('knows versions that stand together, and says when a successor is missing', async () => {
    const both = defineLifecycle([
      lifecycleRule('v', { scope: wholeBucket(), noncurrent: { expireAfterDays: 10 }, removeExpiredMarkers: true }),
    ])
    const version = (key: string, days: number, isLatest: boolean, more: Partial<StoredObject> = {}): StoredObject => ({
      key,
      sizeBytes: 10,
      lastModified: aged(days),
      versionId: `${days}`,
      isLatest,
      ...more,
    })
    const found = await wouldAffect(
      both,
      [
        version('a', 20, true),
        version('a', 90, false),
        version('b', 5, true),
        version('b', 90, false),
        version('c', 5, true, { isDeleteMarker: true, sizeBytes: 0 }),
        version('d', 90, false),
      ],
      { at },
    )
    expect(found).toMatchObject({ scanned: { objects: 6 }, deletes: { objects: 2, bytes: 10 }, unplaced: { objects: 1 } })
    expect(found.groups.map(({ action, first }) => `${action} ${first.map(({ key }) => key)}`)).toEqual([
      'delete a',
      'remove-delete-marker c',
    ])
  })

  it('says what replication holds back', async () => {
    const object = { key: 'log-a', sizeBytes: MiB, lastModified: aged(400), replicationStatus: 'FAILED' } as const
    const found = await wouldAffect(rules, [object], { at })
    expect(found.groups).toMatchObject([{ action: 'stays', reason: 'replication', rule: 'logs', objects: 1 }])
    expect(found.deletes.objects).toBe(0)
  })

  it('has a bounded number of prefixes and first keys', async () => {
    const objects = Array.from({ length: 12_000 }, (_, i) => ({ key: `log-${i}/a`, sizeBytes: 1, lastModified: aged(400) }))
    const [group] = (await wouldAffect(rules, objects, { at })).groups
    expect(group!.first).toHaveLength(10)
    expect(group!.prefixes).toHaveLength(100)
    expect(group!.otherPrefixes.objects).toBe(11_900)
  })

  it('reports progress, stops on a signal, refuses what is no object', async () => {
    const abort = new AbortController()
    function* endless(): Generator<StoredObject> {
      for (let i = 0; ; i++) yield { key: `k${i}`, sizeBytes: 1, lastModified: at }
    }
    const seen: number[] = []
    const running = wouldAffect(rules, endless(), {
      at,
      signal: abort.signal,
      onProgress: ({ done }) => {
        seen.push(done)
        if (seen.length === 2) abort.abort(new Error('enough'))
      },
    })
    await expect(running).rejects.toThrow('enough')
    expect(seen).toEqual([65_536, 131_072])
    await expect(wouldAffect(rules, [{ key: 'a' } as never], { at })).rejects.toThrow(/is no object/)
    await expect(wouldAffect(rules, [], { at: new Date('x') })).rejects.toThrow(/no valid Date/)
  })
})
