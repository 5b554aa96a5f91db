import { describe, expect, test } from 'vitest'
import { createByteBudget } from '../src/byte-budget'
import type { Clock } from '../src/clock'
import { PipeError } from '../src/error'
import { isRetryable, retry } from '../src/retry'

const failure = new PipeError('PIPE_X', 'later', { retryable: true })

function recordingClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = []
  return { waits, now: () => 0, sleep: async (ms) => void waits.push(ms) }
}

describe('retry', () => {
  test('waits with full jitter under a bound that doubles up to its limit', async () => {
    const clock = recordingClock()
    const options = { attempts: 6, firstDelay: '100 ms', maxDelay: '1 second', clock, random: () => 0.5 } as const
    await expect(retry(() => Promise.reject(failure), options)).rejects.toBe(failure)
    expect(clock.waits).toEqual([50, 100, 200, 400, 500])
  })

  test('returns the first success', async () => {
    const result = await retry(async (attempt) => (attempt < 3 ? Promise.reject(failure) : attempt), { clock: recordingClock() })
    expect(result).toBe(3)
  })

  test.each([new Error('unknown'), new TypeError('bug'), 'text', undefined])('never retries %s', async (error) => {
    let calls = 0
    const work = () => {
      calls++
      return Promise.reject(error)
    }
    await expect(retry(work, { clock: recordingClock() })).rejects.toBe(error)
    expect(calls).toBe(1)
  })

  test('an abort ends it with the reason itself, also while it waits', async () => {
    const controller = new AbortController()
    const reason = 'any value'
    const waiting = retry(() => Promise.reject(failure), {
      firstDelay: '1 hour',
      maxDelay: '1 hour',
      random: () => 0.9,
      signal: controller.signal,
    })
    setTimeout(() => controller.abort(reason), 20)
    await expect(waiting).rejects.toBe(reason)
    await expect(retry(async () => 1, { attempts: 0 })).rejects.toThrow('whole number of attempts')
  })

  test.each([
    [{ $metadata: { httpStatusCode: 503 } }, true],
    [{ $metadata: { httpStatusCode: 429 } }, true],
    [{ name: 'SlowDown' }, true],
    [{ code: 'ECONNRESET' }, true],
    [{ $metadata: { httpStatusCode: 403 } }, false],
    [{ name: 'AbortError', $metadata: { httpStatusCode: 503 } }, false],
    [failure, true],
    [null, false],
  ])('%j may be retried: %s', (error, expected) => {
    expect(isRetryable(error)).toBe(expected)
  })
})

describe('byte budget', () => {
  test('never exceeds its bytes, keeps the order, and lets what is too large run alone', async () => {
    const budget = createByteBudget({ maxBytes: 100 })
    const started: number[] = []
    let used = 0
    let peak = 0
    const sizes = [60, 30, 50, 500, 10, 90, 1]
    await Promise.all(
      sizes.map((bytes) =>
        budget.run(bytes, async () => {
          started.push(bytes)
          used += Math.min(bytes, 100)
          peak = Math.max(peak, used)
          await new Promise((resolve) => setTimeout(resolve, 3))
          used -= Math.min(bytes, 100)
        }),
      ),
    )
    expect(started).toEqual(sizes)
    expect(peak).toBe(100)
    expect(budget.usedBytes).toBe(0)
  })

  test('one that gives up waiting frees those behind it', async () => {
    const budget = createByteBudget({ maxBytes: 10 })
    let release = () => {}
    const first = budget.run(6, () => new Promise<void>((resolve) => (release = resolve)))
    const controller = new AbortController()
    const second = budget.run(9, async () => 2, { signal: controller.signal })
    const third = budget.run(4, async () => 3)
    const reason = new Error('mine')
    controller.abort(reason)
    await expect(second).rejects.toBe(reason)
    expect(await third).toBe(3)
    release()
    await first
    await expect(budget.run(-1, async () => 1)).rejects.toThrow('at least 0')
    expect(() => createByteBudget({ maxBytes: 0 })).toThrow('positive maxBytes')
  })

  test('failed work gives its bytes back', async () => {
    const budget = createByteBudget({ maxBytes: 10 })
    await expect(budget.run(10, () => Promise.reject(failure))).rejects.toBe(failure)
    expect(budget.usedBytes).toBe(0)
  })
})
