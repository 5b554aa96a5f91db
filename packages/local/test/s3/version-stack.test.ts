import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type BucketIndex, openBucketIndex } from '../../src/s3/bucket-index'
import { isMarker, type VersionRecord } from '../../src/s3/object-record'

const dir = mkdtempSync(join(tmpdir(), 'pipe-versions-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const keys = ['a', 'a/b', 'ö']
type Step =
  | { readonly do: 'put' | 'mark'; readonly key: string; readonly id: string | undefined }
  | { readonly do: 'delete' | 'amend'; readonly key: string; readonly place: number }

const key = fc.constantFrom(...keys)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('put', 'put', 'mark'),
    key,
    id: fc.option(fc.constantFrom('1', '2', '3', '4'), { nil: undefined }),
  }),
  fc.record({ do: fc.constantFrom('delete', 'amend'), key, place: fc.nat(4) }),
)

const object = (at: number, name: string, id: string | undefined): VersionRecord => ({
  key: name,
  lastModified: at,
  ...(id !== undefined && { versionId: id }),
  size: 1,
  etag: '"x"',
  body: at,
  storageClass: 'STANDARD',
  metadata: {},
  content: {},
})

/** What versions are, written without any cleverness. */
function act(model: Map<string, VersionRecord[]>, one: Step, at: number): void {
  const list = model.get(one.key) ?? []
  if ('id' in one) {
    const fresh: VersionRecord =
      one.do === 'put'
        ? object(at, one.key, one.id)
        : { isMarker: true, key: one.key, lastModified: at, ...(one.id !== undefined && { versionId: one.id }) }
    const kept = list
      .map((version, i) => (i === 0 && version.noncurrentSince === undefined ? { ...version, noncurrentSince: at } : version))
      .filter(({ versionId }) => versionId !== one.id)
    model.set(one.key, [fresh, ...kept])
    return
  }
  const version = list[one.place]
  if (version === undefined) return
  if (one.do === 'amend') {
    if (!isMarker(version)) list[one.place] = { ...version, tags: { at: String(at) } }
    return
  }
  list.splice(one.place, 1)
  const [first] = list
  if (first?.noncurrentSince !== undefined) {
    const { noncurrentSince: _, ...current } = first
    list[0] = current as VersionRecord
  }
}

function play(index: BucketIndex, one: Step, at: number): void {
  if ('id' in one) {
    if (one.do === 'put') index.put(object(at, one.key, one.id) as never)
    else index.mark({ isMarker: true, key: one.key, lastModified: at, ...(one.id !== undefined && { versionId: one.id }) })
  } else {
    const version = index.versions(one.key)[one.place]
    if (version === undefined) return
    if (one.do === 'delete') index.delete(one.key, version.versionId)
    else if (!isMarker(version)) index.amend({ ...version, tags: { at: String(at) } })
  }
}

function check(index: BucketIndex, model: ReadonlyMap<string, readonly VersionRecord[]>): void {
  for (const name of keys) {
    const list = model.get(name) ?? []
    expect(index.versions(name)).toEqual(list)
    expect(index.get(name)).toEqual(list[0] && !isMarker(list[0]) ? list[0] : undefined)
  }
  const seen = (cursor: ReturnType<BucketIndex['seek']>) => {
    const found: string[] = []
    for (let name = cursor.key(); name !== undefined; name = cursor.key()) {
      found.push(name)
      cursor.next()
    }
    return found
  }
  const all = keys.filter((name) => (model.get(name) ?? []).length > 0)
  expect(seen(index.seekAll(''))).toEqual(all)
  expect(seen(index.seek(''))).toEqual(all.filter((name) => !isMarker(model.get(name)![0]!)))
  expect(index.isEmpty).toBe(all.length === 0)
}

describe('the versions of a bucket', () => {
  it('are what a plain list of them says, also when the journal is read again; every body is released once', () => {
    let file = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const path = join(dir, `${++file}.ndjson`)
        const released: number[] = []
        const index = openBucketIndex(path, (body) => released.push(body), { name: 'b', createdAt: 1, location: 'us-east-1' })
        const model = new Map<string, VersionRecord[]>()
        steps.forEach((one, i) => {
          play(index, one, i + 1)
          act(model, one, i + 1)
          check(index, model)
        })
        const live = [...index.bodies()].sort()
        const put = steps.flatMap((one, i) => (one.do === 'put' ? [i + 1] : []))
        expect([...released, ...live].sort()).toEqual([...put].sort())
        index.close()
        const again = openBucketIndex(path, () => {})
        check(again, model)
        again.close()
        rmSync(path)
      }),
      { numRuns: 40 },
    )
  })

  it('outlive the rewriting of a journal that is mostly history, with the configuration', () => {
    const path = join(dir, 'history.ndjson')
    const index = openBucketIndex(path, () => {}, { name: 'b', createdAt: 1, location: 'us-east-1', owner: '222222222222' })
    index.configure('versioning', 'Enabled')
    index.configure('policy', '{}')
    index.configure('policy', undefined)
    for (let i = 1; i <= 1100; i++) index.put(object(i, 'a', '1') as never)
    for (const id of ['2', '3']) index.put(object(5000 + Number(id), 'a', id) as never)
    index.delete('a', '2')
    index.mark({ isMarker: true, key: 'a', versionId: '4', lastModified: 6000 })
    const before = index.versions('a')
    expect(before.map(({ versionId, noncurrentSince }) => [versionId, noncurrentSince])).toEqual([
      ['4', undefined],
      ['3', 6000],
      // Its successor is gone; the time stays.
      ['1', 5002],
    ])
    index.close()
    for (let i = 0; i < 2; i++) {
      const again = openBucketIndex(path, () => {})
      expect(again.versions('a')).toEqual(before)
      expect([again.configuration, again.owner]).toEqual([{ versioning: 'Enabled' }, '222222222222'])
      again.close()
    }
    expect(readFileSync(path, 'utf8').trim().split('\n').length).toBeLessThan(10)
  })
})
