/** Timers of one broker: while it is paused none of them goes off, and they end with it. */
export interface BrokerTimers {
  /** Runs `task` after so many milliseconds of real time. Returns a function that cancels it. */
  after(ms: number, task: () => void): () => void
  pause(): void
  /** What fell due meanwhile runs now, in order. */
  resume(): void
  /** Cancels all. */
  clear(): void
}

/** Timers that keep no process alive. */
export function createBrokerTimers(): BrokerTimers {
  const handles = new Set<NodeJS.Timeout>()
  let paused = false
  let overdue: { task: () => void; cancelled: boolean }[] = []
  return {
    after(ms, task) {
      const entry = { task, cancelled: false }
      const handle = setTimeout(() => {
        handles.delete(handle)
        if (paused) overdue.push(entry)
        else task()
      }, ms).unref()
      handles.add(handle)
      return () => {
        entry.cancelled = true
        clearTimeout(handle)
        handles.delete(handle)
      }
    },
    pause() {
      paused = true
    },
    resume() {
      paused = false
      const due = overdue
      overdue = []
      for (const { task, cancelled } of due) if (!cancelled) task()
    },
    clear() {
      for (const handle of handles) clearTimeout(handle)
      handles.clear()
      overdue = []
    },
  }
}
