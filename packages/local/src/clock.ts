import type { Clock } from '@pipe/core'

/** The clock of a runtime: real or virtual, with tasks that fire on it. */
export interface RuntimeClock extends Clock {
  readonly virtual: boolean
  /** Runs `task` when the clock reaches `at` (milliseconds). Returns a function that cancels it. Tasks of one instant run in order of scheduling. */
  schedule(at: number, task: () => void | Promise<void>): () => void
  /**
   * Marks work that belongs to the present instant (an invocation in flight, a running query). `advance` does not pass the instant while
   * any such work is unfinished.
   */
  track<T>(work: Promise<T>): Promise<T>
  close(): void
}
