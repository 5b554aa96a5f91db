/** Lets others wait until nothing runs. */
export interface IdleWatch {
  /** Something has ended: who waits is told when it was the last. */
  notice(): void
  /** Resolves with `true` once nothing runs, with `false` after `ms`. */
  wait(ms: number): Promise<boolean>
}

/** Makes the watch over a state that `isIdle` reads. */
export function createIdleWatch(isIdle: () => boolean): IdleWatch {
  let waiters: (() => void)[] = []
  return {
    notice() {
      if (waiters.length === 0 || !isIdle()) return
      const told = waiters
      waiters = []
      for (const tell of told) tell()
    },
    wait(ms) {
      if (isIdle()) return Promise.resolve(true)
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiters = waiters.filter((waiter) => waiter !== onIdle)
          resolve(false)
        }, ms)
        const onIdle = () => {
          clearTimeout(timer)
          resolve(true)
        }
        waiters.push(onIdle)
      })
    },
  }
}
