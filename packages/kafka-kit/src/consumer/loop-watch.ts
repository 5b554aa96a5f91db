import type { ConsumerEvent } from './consumer-event'

/** Notices when the event loop stands still: no timer can then send heartbeats. */
export interface LoopWatch {
  close(): void
}

/** Makes the watch. It reports from a third of the session timeout on. */
export function createLoopWatch(sessionTimeoutMs: number, onEvent: (event: ConsumerEvent) => void): LoopWatch {
  const everyMs = Math.min(1000, sessionTimeoutMs / 10)
  let expectedMs = performance.now() + everyMs
  const timer = setInterval(() => {
    const blockedMs = performance.now() - expectedMs
    expectedMs = performance.now() + everyMs
    if (blockedMs > sessionTimeoutMs / 3) onEvent({ kind: 'event-loop-blocked', blockedMs, sessionTimeoutMs })
  }, everyMs)
  timer.unref()
  return { close: () => clearInterval(timer) }
}
