import type { BucketIndex } from '../bucket-index'
import type { Store } from '../store'
import { dayMs, dayOf } from './calendar'
import { runDay } from './run-day'

/** What the midnights need of a clock. */
export interface SchedulingClock {
  now(): number
  schedule(at: number, task: () => void): () => void
}

/** The midnights of a runtime. */
export interface Midnights {
  /** Has them come from now on, unless they do already. They end by themselves when no bucket has rules any more. */
  start(): void
  close(): void
}

/** Runs the lifecycle of all buckets at every midnight UTC of the clock. A bucket in which nothing has changed and nothing is due is not looked at. */
export function createMidnights(store: Store, clock: SchedulingClock): Midnights {
  // By the bucket itself: another one may come by the same name.
  const seen = new WeakMap<BucketIndex, { readonly revision: number; readonly nextDay: number }>()
  let cancel: (() => void) | undefined

  const ruled = () => store.buckets().filter(({ configuration }) => configuration.lifecycle !== undefined)

  function run(): void {
    const day = dayOf(clock.now())
    cancel = undefined
    for (const index of ruled()) {
      const before = seen.get(index)
      if (before && before.revision === index.revision && before.nextDay > day) continue
      const { nextDay } = runDay(store, index, day)
      seen.set(index, { revision: index.revision, nextDay })
    }
    if (ruled().length > 0) start()
  }

  function start(): void {
    cancel ??= clock.schedule((dayOf(clock.now()) + 1) * dayMs, run)
  }

  if (ruled().length > 0) start()
  return { start, close: () => cancel?.() }
}
