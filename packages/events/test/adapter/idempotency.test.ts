import { describe, expect, it } from 'vitest'
import { createIdempotency } from '../../src/index'
import { memoryStore } from './memory-store'

describe('createIdempotency', () => {
  it('does work once, and gives its result again', async () => {
    let calls = 0
    const { once } = createIdempotency({ store: memoryStore() })
    const work = async () => ({ calls: ++calls })
    expect(await once('a', work)).toEqual({ value: { calls: 1 }, repeated: false })
    expect(await once('a', work)).toEqual({ value: { calls: 1 }, repeated: true })
    expect(await once('b', work)).toEqual({ value: { calls: 2 }, repeated: false })
  })

  it('frees the key when the work fails', async () => {
    const store = memoryStore()
    const { once } = createIdempotency({ store })
    await expect(once('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(store.objects.size).toBe(0)
    expect(await once('a', async () => 1)).toEqual({ value: 1, repeated: false })
  })

  it('lets one of many at a time work, until its lease or the deadline is over', async () => {
    let now = 1_000_000
    const { once } = createIdempotency({ store: memoryStore(), lease: '10 seconds', clock: { now: () => now } })
    let finish = (_value: number) => {}
    const first = once(
      'a',
      () =>
        new Promise<number>((resolve) => {
          finish = resolve
        }),
      { remainingMs: 3000 },
    )
    await expect
      .poll(() => once('a', async () => 2).catch((error: { code: string }) => error.code))
      .toBe('PIPE_IDEMPOTENCY_RUNNING')
    now += 3001
    expect(await once('a', async () => 2)).toEqual({ value: 2, repeated: false })
    finish(1)
    await expect(first).rejects.toMatchObject({ code: 'PIPE_IDEMPOTENCY_LOST' })
    expect(await once('a', async () => 3)).toEqual({ value: 2, repeated: true })
  })
})
