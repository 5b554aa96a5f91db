import type { Clock } from '@pipe/core'
import { describe, expect, it, vi } from 'vitest'
import { type Admitted, createScheduler, type SlotLimit } from '../src/scheduler'

const throttled = () =>
  Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } })
const slotsTaken = () =>
  Object.assign(new Error('too many'), {
    name: 'TooManyRequestsException',
    Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED',
    $metadata: { httpStatusCode: 400 },
  })
const broken = () => Object.assign(new Error('reset'), { code: 'ECONNRESET' })

/** Time stands still until somebody sleeps; then it passes at once, or only when told. */
function fakeClock({ passes }: { passes: boolean }) {
  let time = 0
  const slept: number[] = []
  const clock: Clock = {
    now: () => time,
    sleep: (ms) => {
      slept.push(ms)
      if (!passes) return new Promise(() => undefined)
      time += ms
      return Promise.resolve()
    },
  }
  return { clock, slept }
}

/** An account with this many slots. */
function account(slots: number, clock: Clock) {
  const scheduler = createScheduler(clock)
  const order: string[] = []
  let active = 0
  let attempts = 0
  const start = (name: string, lane: string, options: { limit?: SlotLimit; signal?: AbortSignal; errors?: Error[] } = {}) =>
    scheduler.submit({
      lane,
      limit: options.limit ?? { most: Number.POSITIVE_INFINITY, active: 0 },
      signal: options.signal ?? new AbortController().signal,
      onPause: () => undefined,
      attempt: async () => {
        attempts++
        const error = options.errors?.shift()
        if (error) throw error
        if (active >= slots) throw slotsTaken()
        active++
        order.push(name)
        return name
      },
    })
  const end = (admitted: Admitted<string>) => {
    active--
    admitted.release()
  }
  return { start, end, order, attempts: () => attempts }
}

describe('the queue', () => {
  it('takes turns between workgroups', async () => {
    const { clock } = fakeClock({ passes: false })
    const { start, end, order } = account(1, clock)
    const first = await start('first', 'a')
    const all = ['a1', 'a2', 'a3', 'b1', 'b2'].map((name) => start(name, name[0]!).then(end))
    end(first)
    await Promise.all(all)
    expect(order[0]).toBe('first')
    // b is not kept waiting until a is through.
    expect(order.indexOf('b1')).toBeLessThan(order.indexOf('a3'))
    expect(order.filter((name) => name.startsWith('a') || name === 'first')).toHaveLength(4)
  })

  it('with taken slots tries again when one of its own ends, without any time passing', async () => {
    const { clock } = fakeClock({ passes: false })
    const { start, end, order } = account(2, clock)
    const running = await Promise.all([start('1', 'a'), start('2', 'a')])
    const waiting = start('3', 'a')
    await vi.waitFor(() => expect(order).toEqual(['1', '2']))
    end(running[0]!)
    expect((await waiting).value).toBe('3')
  })

  it('with slots that others hold tries again after a while', async () => {
    const { clock, slept } = fakeClock({ passes: true })
    const { start } = account(5, clock)
    await start('1', 'a', { errors: [slotsTaken(), slotsTaken()] })
    expect(slept[0]).toBeGreaterThanOrEqual(500)
    expect(slept[1]).toBeGreaterThanOrEqual(1000)
  })

  it('pauses all when calls are throttled, and one when its connection breaks', async () => {
    const { clock, slept } = fakeClock({ passes: true })
    const { start, attempts } = account(5, clock)
    await Promise.all([start('1', 'a', { errors: [throttled()] }), start('2', 'a', { errors: [broken()] }), start('3', 'b')])
    expect(attempts()).toBe(5)
    expect(slept.every((ms) => ms <= 100)).toBe(true)
  })

  it('sends no more than a client may have', async () => {
    const { clock } = fakeClock({ passes: false })
    const { start, end, order } = account(10, clock)
    const limit = { most: 2, active: 0 }
    const admitted = await Promise.all([start('1', 'a', { limit }), start('2', 'a', { limit })])
    const third = start('3', 'a', { limit })
    await start('other', 'a')
    expect(order).toEqual(['1', '2', 'other'])
    end(admitted[0]!)
    await third
    expect(limit.active).toBe(2)
  })

  it('lets go at once who aborts while waiting, but asks for the id of what may run already', async () => {
    const { clock } = fakeClock({ passes: false })
    const { start } = account(0, clock)
    const controller = new AbortController()
    const waiting = start('1', 'a', { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')

    const passing = fakeClock({ passes: true })
    const other = account(5, passing.clock)
    const left = new AbortController()
    const lost = other.start('2', 'a', { signal: left.signal, errors: [broken(), throttled()] })
    left.abort(new Error('enough'))
    expect((await lost).value).toBe('2')
    expect(other.attempts()).toBe(3)
  })

  it('gives up in time: 30 minutes for slots, two for throttled calls', async () => {
    for (const [error, code] of [
      [slotsTaken, 'PIPE_ATHENA_BUSY'],
      [throttled, 'PIPE_ATHENA_UNAVAILABLE'],
    ] as const) {
      const { clock } = fakeClock({ passes: true })
      const errors = Array.from({ length: 500 }, error)
      await expect(account(5, clock).start('1', 'a', { errors })).rejects.toMatchObject({ code, retryable: true })
      expect(errors.length).toBeGreaterThan(0)
    }
  })
})
