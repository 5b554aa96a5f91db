import { createObjectStore, type ObjectStore } from '@pipe/core'
import type { LiveCheck, LiveSuite } from '../check'

const claims: Readonly<Record<string, (store: ObjectStore) => Promise<string | undefined>>> = {
  'of 20 create-only PUTs at once, one wins, and the object is its': async (store) => {
    const rivals = Array.from({ length: 20 }, (_, i) =>
      store.putIfAbsent('race', `body ${i}`).then(({ outcome }) => ({ i, outcome })),
    )
    const winners = (await Promise.all(rivals)).filter(({ outcome }) => outcome === 'created')
    const stored = await textOf(store, 'race')
    return winners.length === 1 && stored === `body ${winners[0]!.i}`
      ? undefined
      : `${winners.length} winners, the object says "${stored}"`
  },
  'a PUT with If-Match replaces what was seen, and nothing else': async (store) => {
    const { etag } = await store.put('swap', 'one')
    const first = await store.putIfMatch('swap', 'two', etag)
    const second = await store.putIfMatch('swap', 'three', etag)
    return first.outcome === 'replaced' && second.outcome === 'changed' && (await textOf(store, 'swap')) === 'two'
      ? undefined
      : `${first.outcome}, then ${second.outcome}`
  },
  'a DELETE with If-Match removes what was seen, and nothing else': async (store) => {
    const { etag } = await store.put('remove', 'one')
    await store.put('remove', 'two')
    const stale = await store.deleteIfMatch('remove', etag)
    const head = await store.head('remove')
    const fresh = await store.deleteIfMatch('remove', head!.etag)
    return stale.outcome === 'changed' && fresh.outcome === 'deleted' ? undefined : `${stale.outcome}, then ${fresh.outcome}`
  },
  'what was written is listed at once, in the order of the keys, whatever their characters': async (store) => {
    const keys = ['list/a b', 'list/a+b', 'list/a%20b', 'list/ä', 'list/z?x=1&y'].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    for (const key of keys) await store.put(key, key)
    const listed: string[] = []
    for await (const { key } of store.list({ prefix: 'list/' })) listed.push(key)
    return JSON.stringify(listed) === JSON.stringify(keys) ? undefined : JSON.stringify(listed)
  },
  'metadata and ranges come back as they were written': async (store) => {
    await store.put('parts', '0123456789', { metadata: { rows: '10' } })
    const body = await store.get('parts', { range: { start: 3, end: 6 } })
    const text = body && Buffer.from(await body.bytes()).toString()
    const head = await store.head('parts')
    return text === '345' && head?.metadata['rows'] === '10' ? undefined : `${text}, ${JSON.stringify(head?.metadata)}`
  },
}

async function textOf(store: ObjectStore, key: string): Promise<string | undefined> {
  const body = await store.get(key)
  return body && Buffer.from(await body.bytes()).toString()
}

/** What the commit protocol stands on. */
export const objectStoreSuite: LiveSuite = {
  name: 'object store',
  cost: { puts: 60, gets: 40, queries: 0 },
  checks: () =>
    Object.entries(claims).map(
      ([claim, check]): LiveCheck => ({
        claim,
        async run({ location }) {
          await using store = createObjectStore({ location })
          return await check(store)
        },
      }),
    ),
}
