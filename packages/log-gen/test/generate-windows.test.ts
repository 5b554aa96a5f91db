import type { ObjectStore, PutOptions } from '@pipe/core'
import {
  catchUp,
  generateWindow,
  generateWindows,
  groundTruth,
  logGeneratorHandler,
  missingFiles,
  type Progress,
  toStore,
} from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { fleet } from './fleet'

/** The part of an object store that sink and gap list use, in memory. */
function memoryStore() {
  const objects = new Map<string, string>()
  const state = { puts: 0, failAt: Number.NaN, lists: [] as string[] }
  const store = {
    uri: (key: string) => `s3://lake/raw/${key}`,
    put: async (key: string, body: Uint8Array, options: PutOptions) => {
      options.signal?.throwIfAborted()
      if (++state.puts === state.failAt) throw new Error('the store is full')
      objects.set(key, Buffer.from(body).toString('base64'))
      return { etag: '"1"' }
    },
    list: async function* ({ prefix = '' }: { prefix?: string }) {
      state.lists.push(prefix)
      for (const key of objects.keys()) if (key.startsWith(prefix)) yield { key }
    },
  } as unknown as ObjectStore
  return { store, objects, state }
}

const range = { from: '2026-11-24T14:50:00Z', to: '2026-11-24T15:10:00Z' }
const log = fleet({ devices: 6 })

describe('generateWindows', () => {
  it('writes what the ticks wrote live, in shards too, and says how far it is', async () => {
    const live = memoryStore()
    for (let at = Date.parse(range.from) + 60_000; at <= Date.parse(range.to); at += 60_000) {
      for (let index = 0; index < 3; index++) {
        await generateWindow({ log, sink: toStore(live.store), at, shard: { index, of: 3 } })
      }
    }
    const { store, objects } = memoryStore()
    const seen: Progress[] = []
    const result = await generateWindows({
      log,
      sink: toStore(store),
      ...range,
      shards: 3,
      onProgress: (progress) => seen.push(progress),
    })
    expect(new Map([...objects].sort())).toEqual(new Map([...live.objects].sort()))
    const truth = groundTruth(log, { ...range, shards: 3 })
    expect(result).toMatchObject({ files: truth.files.length, rows: truth.generatedRows })
    expect(result.files + result.empty).toBe(60)
    expect(seen.map(({ done }) => done)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect(seen[0]).toEqual({ phase: 'generate', done: 1, total: 60, unit: 'files' })
  })

  it('stops at an error of the sink, and passes it on', async () => {
    const { store, state } = memoryStore()
    state.failAt = 5
    await expect(generateWindows({ log, sink: toStore(store), ...range })).rejects.toThrow('the store is full')
    expect(state.puts).toBeLessThan(12)
  })

  it('refuses shards that are none', async () => {
    const sink = toStore(memoryStore().store)
    await expect(generateWindows({ log, sink, ...range, shards: 0 })).rejects.toThrow('"shards" must be a whole number')
    await expect(generateWindow({ log, sink, at: range.to, shard: { index: 2, of: 2 } })).rejects.toThrow(
      'a whole number from 0 to 1',
    )
    await expect(generateWindows({ log, sink, ...range, concurrency: 0 })).rejects.toThrow('"concurrency" must be')
  })
})

describe('catching up', () => {
  it('fills the gaps that missed ticks left, which the gap list names, and changes nothing else', async () => {
    const { store, objects, state } = memoryStore()
    const sink = toStore(store)
    await generateWindows({ log, sink, ...range })
    const whole = new Map(objects)
    const [gone, also] = [...objects.keys()].slice(-3) as [string, string]
    objects.delete(gone)
    objects.delete(also)
    const missing = await missingFiles({ log, store, ...range })
    expect(missing.map(({ key }) => key)).toEqual([gone, also])
    expect(missing[0]?.minute).toEqual(new Date('2026-11-24T15:07:00Z'))
    // One LIST a partition.
    expect(state.lists).toEqual(['dt=2026-11-24/hour=14/', 'dt=2026-11-24/hour=15/'])
    const { windows, left } = await catchUp({ log, sink, at: range.to, files: 5 })
    expect(windows.map(({ window }) => window.start.getUTCMinutes())).toEqual([9, 8, 7, 6, 5])
    expect(left).toBe(0)
    expect(new Map([...objects].sort())).toEqual(new Map([...whole].sort()))
    expect(await missingFiles({ log, store, ...range })).toEqual([])
  })

  it('leaves the older files to the next call when the time is over', async () => {
    const { store, objects } = memoryStore()
    let calls = 0
    const deadline = { remainingMs: () => (++calls > 3 ? 0 : 60_000) }
    const { windows, left } = await catchUp({ log, sink: toStore(store), at: range.to, files: 10, deadline })
    expect(windows).toHaveLength(3)
    expect(left).toBe(7)
    expect(objects.size).toBe(3)
    const none = { remainingMs: () => 0 }
    await expect(catchUp({ log, sink: toStore(store), at: range.to, files: 2, deadline: none })).rejects.toThrow('PIPE_DEADLINE')
  })

  it('is an option of the handler, as is the shard', async () => {
    const { store, objects } = memoryStore()
    const handler = logGeneratorHandler({ log, sink: toStore(store), catchUp: 3, shard: { index: 1, of: 2 } })
    const { body } = await handler({ time: '2026-11-24T15:02:00Z' })
    expect(JSON.parse(body)).toMatchObject({ outcome: 'written', minute: '2026-11-24T15:01:00.000Z', caughtUp: 2, left: 0 })
    expect([...objects.keys()].map((key) => /-(\d{8}T\d{4})Z-(\d+of\d+)-/.exec(key)?.slice(1).join(' '))).toEqual([
      '20261124T1501 1of2',
      '20261124T1500 1of2',
      '20261124T1459 1of2',
    ])
    expect(() => logGeneratorHandler({ log, sink: toStore(store), catchUp: 0 })).toThrow('"catchUp" must be a whole number')
  })
})
