import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { realClock, virtualClock } from '../src/clock'

const start = '2026-11-24T00:00:00Z'
const t0 = Date.parse(start)
const minute = 60_000

describe('virtualClock', () => {
  it('stands still, then steps from due instant to due instant', async () => {
    const clock = virtualClock(start)
    const seen: string[] = []
    const every = (ms: number, name: string) => {
      const next = () => {
        seen.push(`${name}@${(clock.now() - t0) / minute}`)
        clock.schedule(clock.now() + ms, next)
      }
      clock.schedule(t0 + ms, next)
    }
    every(2 * minute, 'a')
    every(3 * minute, 'b')
    await delay(20)
    expect([clock.now(), seen]).toEqual([t0, []])
    await clock.advance('6 minutes')
    expect(seen).toEqual(['a@2', 'b@3', 'a@4', 'b@6', 'a@6'])
    expect(clock.now()).toBe(t0 + 6 * minute)
    await clock.advanceTo(new Date(t0 + 7.5 * minute))
    expect(clock.now()).toBe(t0 + 7.5 * minute)
  })

  it('waits for tracked work, and for what that work started, before the next task of the same instant', async () => {
    const clock = virtualClock(start)
    const seen: string[] = []
    clock.schedule(t0 + minute, () => {
      void clock.track(
        delay(20).then(() => {
          seen.push('first')
          void clock.track(
            delay(20).then(() => {
              seen.push('started by first')
              void clock.track(delay(5).then(() => seen.push(`last at ${clock.now() - t0}`)))
            }),
          )
        }),
      )
    })
    clock.schedule(t0 + minute, () => void seen.push('second task'))
    clock.schedule(t0 + 2 * minute, () => void seen.push(`third at ${clock.now() - t0}`))
    await clock.advance('2 minutes')
    expect(seen).toEqual(['first', 'started by first', 'last at 60000', 'second task', 'third at 120000'])
  })

  it('waits for work that was tracked before advance', async () => {
    const clock = virtualClock(start)
    let at = 0
    void clock.track(delay(30).then(() => (at = clock.now())))
    await clock.advance('1 hour')
    expect(at).toBe(t0)
  })

  it('runs tasks in time order, and in order of scheduling within an instant (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }), async (minutes) => {
        const clock = virtualClock(start)
        const seen: number[] = []
        for (const [i, at] of minutes.entries()) clock.schedule(t0 + at * minute, () => void seen.push(i))
        await clock.advance('20 minutes')
        const expected = minutes.map((at, i) => ({ at, i })).sort((a, b) => a.at - b.at || a.i - b.i)
        expect(seen).toEqual(expected.map(({ i }) => i))
      }),
      { numRuns: 50 },
    )
  })

  it('cancels, and sleeps in virtual time', async () => {
    const clock = virtualClock(start)
    const never = vi.fn()
    clock.schedule(t0 + minute, never)()
    let woken = 0
    void clock.sleep(90_000).then(() => (woken = clock.now()))
    const abort = new AbortController()
    const sleeping = clock.sleep(90_000, abort.signal)
    abort.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
    await expect(clock.sleep(1, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    await clock.advance('5 minutes')
    expect([never.mock.calls.length, woken]).toEqual([0, t0 + 90_000])
  })

  it('lets the error of a task out when the instant is quiet, and goes on afterwards', async () => {
    const clock = virtualClock(start)
    const seen: string[] = []
    clock.schedule(t0 + minute, () => {
      throw new Error('one')
    })
    clock.schedule(t0 + minute, async () => void seen.push('ran all the same'))
    clock.schedule(t0 + 2 * minute, async () => Promise.reject(new Error('two')))
    clock.schedule(t0 + 2 * minute, async () => Promise.reject(new Error('three')))
    await expect(clock.advance('1 hour')).rejects.toThrow('one')
    expect([clock.now(), seen]).toEqual([t0 + minute, ['ran all the same']])
    const both = await clock.advance('1 hour').catch((error: AggregateError) => error)
    expect((both as AggregateError).errors.map((error: Error) => error.message)).toEqual(['two', 'three'])
    await clock.advance('1 hour')
    expect(clock.now()).toBe(t0 + 62 * minute)
  })

  it('gives the error of tracked work to whoever tracks it', async () => {
    const clock = virtualClock(start)
    await expect(clock.track(Promise.reject(new Error('mine')))).rejects.toThrow('mine')
    await clock.advance('1 minute')
  })

  it('stops for a signal between instants and while it waits', async () => {
    const clock = virtualClock(start)
    const abort = new AbortController()
    let finish = () => {}
    clock.schedule(t0 + minute, () => {
      void clock.track(new Promise<void>((resolve) => (finish = resolve)))
      setTimeout(() => abort.abort(new Error('stop')), 10)
    })
    await expect(clock.advance('1 hour', { signal: abort.signal })).rejects.toThrow('stop')
    expect(clock.now()).toBe(t0 + minute)
    await expect(clock.advance('1 hour', { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early')
    finish()
    await clock.advance('1 hour')
    expect(clock.now()).toBe(t0 + 61 * minute)
  })

  it('reports progress', async () => {
    const clock = virtualClock(start)
    const seen: unknown[] = []
    clock.schedule(t0 + minute, () => {})
    clock.schedule(t0 + 3 * minute, () => {})
    await clock.advance('4 minutes', { onProgress: ({ phase, done, total, unit }) => seen.push([phase, done, total, unit]) })
    expect(seen).toEqual([
      ['advance', minute, 4 * minute, 'ms'],
      ['advance', 3 * minute, 4 * minute, 'ms'],
    ])
  })

  it('refuses two advances at once, the past, unknown options, and texts that are no instant', async () => {
    const clock = virtualClock(start)
    clock.schedule(t0 + 1, () => delay(20))
    const first = clock.advance('1 minute')
    await expect(clock.advance('1 minute')).rejects.toThrow('PIPE_CLOCK_BUSY')
    await first
    await expect(clock.advanceTo(t0)).rejects.toThrow('Its time is 2026-11-24T00:01:00.000Z')
    await expect(clock.advanceTo(Number.NaN)).rejects.toThrow('PIPE_CLOCK')
    await expect(clock.advance('1 minute', { quick: true } as never)).rejects.toThrow('quick')
    await expect(clock.advance('soon' as never)).rejects.toThrow('not a duration')
    expect(() => clock.schedule(Number.NaN, () => {})).toThrow('PIPE_CLOCK')
    for (const text of ['2026-11-24', '2026-11-24T00:00:00', 'yesterday', '2026-13-01T00:00:00Z']) {
      expect(() => virtualClock(text)).toThrow('PIPE_CLOCK')
    }
    clock.close()
    await expect(clock.advance('1 minute')).rejects.toThrow('PIPE_CLOCK_CLOSED')
    expect(() => clock.schedule(t0, () => {})).toThrow('PIPE_CLOCK_CLOSED')
  })
})

describe('realClock', () => {
  it('runs tasks in real time, in order, and cancels', async () => {
    const clock = realClock()
    const seen: string[] = []
    const now = Date.now()
    clock.schedule(now + 40, () => void seen.push('late'))
    clock.schedule(now + 10, () => void seen.push('early'))
    clock.schedule(now - 1000, () => void seen.push('overdue'))
    clock.schedule(now + 20, () => void seen.push('never'))()
    await delay(80)
    expect(seen).toEqual(['overdue', 'early', 'late'])
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(50)
    clock.schedule(Date.now() + 10, () => void seen.push('after close'))
    clock.schedule(Date.now() + 90 * 86_400_000, () => void seen.push('far'))
    clock.close()
    await delay(30)
    expect(seen).toEqual(['overdue', 'early', 'late'])
    expect(await clock.track(Promise.resolve(7))).toBe(7)
  })

  it('hands the error of a task to onError', async () => {
    const onError = vi.fn()
    const clock = realClock({ onError })
    clock.schedule(0, () => {
      throw new Error('sync')
    })
    clock.schedule(0, () => Promise.reject(new Error('async')))
    await delay(20)
    expect(onError.mock.calls.map(([error]) => error.message)).toEqual(['sync', 'async'])
    expect(() => realClock({ onerror: onError } as never)).toThrow('onError')
  })

  it('throws the error of a task as an uncaught exception without onError', async () => {
    const caught: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => caught.push(error))
    try {
      realClock().schedule(0, () => {
        throw new Error('loud')
      })
      await delay(30)
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
    expect(caught).toEqual([new Error('loud')])
  })
})

it('leaves the error of tracked work that nobody awaits an unhandled rejection', async () => {
  const caught: unknown[] = []
  const listeners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (error) => caught.push(error))
  try {
    const clock = virtualClock(start)
    clock.schedule(t0, () => void clock.track(Promise.reject(new Error('nobody looks'))))
    await clock.advance('1 minute')
    await delay(10)
  } finally {
    process.removeAllListeners('unhandledRejection')
    for (const listener of listeners) process.on('unhandledRejection', listener)
  }
  expect(caught).toEqual([new Error('nobody looks')])
})
