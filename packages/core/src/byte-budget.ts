import { ConfigError } from './error'

/** Bounded concurrency whose limit is bytes, not a count (`p-limit` does counts): downloads of objects of very different sizes. */
export interface ByteBudget {
  /** Bytes that are in use. */
  readonly usedBytes: number
  /**
   * Runs `work` once `bytes` are free, in the order of the calls. What is larger than the whole budget runs alone. Rejects with the
   * signal's reason when it aborts while waiting.
   */
  run<T>(bytes: number, work: () => Promise<T>, options?: { readonly signal?: AbortSignal | undefined }): Promise<T>
}

/**
 * Makes a budget of bytes.
 *
 * @throws {@link ConfigError} unless `maxBytes` is a positive number.
 */
export function createByteBudget({ maxBytes }: { readonly maxBytes: number }): ByteBudget {
  if (!(maxBytes > 0)) throw new ConfigError(`A byte budget needs a positive maxBytes, not ${maxBytes}.`)
  interface Waiting {
    readonly bytes: number
    start(): void
  }
  const queue: Waiting[] = []
  let used = 0

  function startWaiting(): void {
    while (queue.length > 0 && (used === 0 || used + queue[0]!.bytes <= maxBytes)) {
      const next = queue.shift()!
      used += next.bytes
      next.start()
    }
  }

  function acquire(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        queue.splice(queue.indexOf(waiting), 1)
        reject(signal!.reason)
        // The one that gave up may have held back smaller ones.
        startWaiting()
      }
      const waiting: Waiting = {
        bytes,
        start: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      queue.push(waiting)
      startWaiting()
    })
  }

  return {
    get usedBytes() {
      return used
    },
    async run(bytes, work, { signal } = {}) {
      if (!(bytes >= 0)) throw new ConfigError(`The weight of work in a byte budget must be at least 0, not ${bytes}.`)
      const weight = Math.min(bytes, maxBytes)
      await acquire(weight, signal)
      try {
        return await work()
      } finally {
        used -= weight
        startWaiting()
      }
    },
  }
}
