import { setImmediate as nextTurn } from 'node:timers/promises'

/** Knows whether anything is under way. */
export interface Quietness {
  /** Counts `work` until it settles. Resolves or rejects as `work` does: its error belongs to whoever awaits the result. */
  add<T>(work: Promise<T>): Promise<T>
  /**
   * Resolves when nothing is under way, including what the ended work started: continuations of a promise run before it looks again.
   * Rejects with the signal's reason when that aborts first.
   */
  wait(signal?: AbortSignal): Promise<void>
}

/** A fresh count. */
export function createQuietness(): Quietness {
  const pending = new Set<Promise<unknown>>()
  return {
    add(work) {
      const settled: Promise<unknown> = work.then(ignore, ignore).then(() => pending.delete(settled))
      pending.add(settled)
      // A promise of its own: waiting must not count as handling, or an error that nobody awaits would vanish.
      return work.then((value) => value)
    },
    async wait(signal) {
      const aborted = signal && abortOf(signal)
      try {
        do {
          const settled = Promise.allSettled(pending)
          await (aborted ? Promise.race([settled, aborted.promise]) : settled)
          // One turn of the event loop: continuations, and calls that they make to this process, register themselves first.
          await nextTurn()
        } while (pending.size > 0)
      } finally {
        aborted?.forget()
      }
    },
  }
}

const ignore = () => {}

function abortOf(signal: AbortSignal): { readonly promise: Promise<never>; forget(): void } {
  let forget = () => {}
  const promise = new Promise<never>((_resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    forget = () => signal.removeEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  // Without work to wait for nobody may be racing it.
  promise.catch(() => {})
  return { promise, forget: () => forget() }
}
