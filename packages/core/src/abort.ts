/**
 * Waits `ms` of real time; rejects with `signal.reason`, unwrapped, as soon as the signal aborts.
 *
 * @example
 * ```ts
 * await sleep(250, AbortSignal.timeout(100)) // rejects with a TimeoutError after 100 ms
 * ```
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** One signal that aborts when any of the given ones does; `undefined` when none was given. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined)
  return given.length < 2 ? given[0] : AbortSignal.any(given)
}

/** A moment after which work should have stopped, in milliseconds since the epoch (as `Date.now()`). */
export interface Deadline {
  /** Milliseconds left, never negative. */
  remainingMs(): number
}

/** A deadline that lies `ms` ahead of now (real time: time-outs of a handler are real even under a virtual clock). */
export function deadlineIn(ms: number): Deadline {
  const end = Date.now() + ms
  return { remainingMs: () => Math.max(0, end - Date.now()) }
}
