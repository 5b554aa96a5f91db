import { ConfigError, type Deadline, type Window, windowsBetween } from '@pipe/core'
import type { Shared, WindowResult } from './compact-window'
import type { CompactionProgress } from './engine/engine'
import type { RunContext } from './execute'
import { compactEach, stopAt } from './run'
import { surveyWindows, type UnplacedObject } from './select'

/** What {@link Compactor.backfill} takes. */
export interface BackfillOptions {
  /** Windows whose start lies in `from ≤ start < to`. */
  readonly from: Date
  /** End of the span, not included. */
  readonly to: Date
  /** Windows at once. Default 2: each takes the memory of one conversion. */
  readonly concurrency?: number | undefined
  /** An abort rejects with its own `reason`; what is committed stays committed. */
  readonly signal?: AbortSignal | undefined
  /** No window is begun that would not end before it; those left are named in the result. */
  readonly deadline?: Deadline | undefined
  /** Told how far the work is. */
  readonly onProgress?: ((progress: CompactionProgress) => void) | undefined
}

/** What a backfill did. */
export interface BackfillResult {
  /** Windows looked at. */
  readonly windows: number
  /** Those with which something happened, oldest first. */
  readonly results: readonly WindowResult[]
  /** Ids of windows that the deadline left. */
  readonly remaining: readonly string[]
  readonly unplaced: readonly UnplacedObject[]
}

/** Windows that are listed together. */
const windowsAtOnce = 288

/** Compacts a range of windows: the same steps as a run's, window by window. */
export async function backfillWindows(context: RunContext, shared: Shared, options: BackfillOptions): Promise<BackfillResult> {
  const { compaction, keys } = context
  const { from, to, concurrency = 2, signal, deadline } = options
  for (const [name, value] of Object.entries({ from, to })) {
    if (!(value instanceof Date) || Number.isNaN(value.getTime()))
      throw new ConfigError(`backfill: "${name}" must be a valid Date.`)
  }
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64) {
    throw new ConfigError(`backfill: concurrency must be a whole number from 1 to 64, not ${concurrency}.`)
  }
  const total = Math.max(0, Math.ceil((to.getTime() - from.getTime()) / compaction.windowMs))
  const cutOff = stopAt(deadline, signal)
  const results: WindowResult[] = []
  const remaining: string[] = []
  const unplaced = new Map<string, UnplacedObject>()
  let done = 0
  try {
    for (const windows of chunks(windowsBetween(compaction.window, from, to))) {
      const survey = await surveyWindows(compaction, context, keys, windows, signal)
      for (const object of survey.unplaced) unplaced.set(object.uri, object)
      const states = windows.map(({ id }) => survey.windows.get(id)!)
      const part = await compactEach(context, shared, cutOff, states, concurrency, () => {
        context.onProgress({ phase: 'select', done: ++done, total, unit: 'windows' })
      })
      results.push(...part.results)
      remaining.push(...part.remaining)
    }
  } finally {
    cutOff.clear()
  }
  results.sort((a, b) => a.start.getTime() - b.start.getTime())
  return { windows: done, results, remaining: remaining.sort(), unplaced: [...unplaced.values()] }
}

function* chunks(windows: Iterable<Window>): Generator<Window[]> {
  let chunk: Window[] = []
  for (const window of windows) {
    chunk.push(window)
    if (chunk.length === windowsAtOnce) {
      yield chunk
      chunk = []
    }
  }
  if (chunk.length > 0) yield chunk
}
