import type { Replica } from './replica'

/**
 * Waits until `isDone` holds, asked now and whenever one of the replicas changed.
 *
 * @returns false when it did not within the time, or the signal aborted.
 */
export function waitForChange(
  replicas: Iterable<Replica>,
  isDone: () => boolean,
  options: { readonly maxMs: number; readonly signal?: AbortSignal },
): Promise<boolean> {
  if (isDone()) return Promise.resolve(true)
  const { maxMs, signal } = options
  if (maxMs <= 0 || signal?.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const stops: (() => void)[] = []
    const end = (answer: boolean) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      for (const stop of stops) stop()
      resolve(answer)
    }
    const giveUp = () => end(false)
    const look = () => {
      if (isDone()) end(true)
    }
    const timer = setTimeout(giveUp, maxMs)
    signal?.addEventListener('abort', giveUp)
    for (const replica of replicas) stops.push(replica.onChange(look))
  })
}
