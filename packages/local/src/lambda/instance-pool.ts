import type { Instance } from './instance'

/** The instances of one deployed function. */
export interface InstancePool {
  /**
   * A warm instance, or `undefined` when the caller is to start one itself (its place is reserved). Waits when all places are taken.
   *
   * @throws the signal's reason when it aborts first.
   */
  acquire(signal?: AbortSignal): Promise<Instance | undefined>
  /** Gives the place back, with the instance unless it is gone. */
  release(instance: Instance | undefined): void
  /** Ends idle instances now and busy ones when they are released. */
  retire(): Promise<void>
}

/** A pool that starts nothing by itself; the last instance used is the first to be used again. */
export function createInstancePool(maxInstances: number): InstancePool {
  const idle: Instance[] = []
  const waiting: (() => void)[] = []
  let taken = 0
  let retired = false

  return {
    async acquire(signal) {
      signal?.throwIfAborted()
      if (taken >= maxInstances) {
        await new Promise<void>((resolve, reject) => {
          const wake = () => {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          }
          const onAbort = () => {
            waiting.splice(waiting.indexOf(wake), 1)
            reject(signal?.reason)
          }
          waiting.push(wake)
          signal?.addEventListener('abort', onAbort, { once: true })
        })
      } else taken++
      for (let instance = idle.pop(); instance; instance = idle.pop()) {
        // One may have crashed while it was idle.
        if (instance.alive) return instance
      }
      return undefined
    },
    release(instance) {
      if (instance?.alive && !retired) {
        idle.push(instance)
      } else void instance?.end()
      // The place goes straight to who waits longest.
      const next = waiting.shift()
      if (next) next()
      else taken--
    },
    async retire() {
      retired = true
      await Promise.all(idle.splice(0).map((instance) => instance.end()))
    },
  }
}
