import { setMaxListeners } from 'node:events'
import { type Deadline, PipeError, type Window } from '@pipe/core'
import { chainOf, compactWindow, describe, isSettled, noWork, type Shared, type WindowResult } from './compact-window'
import type { RequestCount } from './counting-store'
import type { CompactionProgress } from './engine/engine'
import { WindowsFailedError } from './errors'
import type { RunContext } from './execute'
import { surveyWindows, type UnplacedObject, windowsAt } from './select'

/** What {@link Compactor.run} takes. */
export interface RunOptions {
  /** The scheduled time: never the wall clock, so that a retry does the same work. */
  readonly at: Date
  /** An abort rejects with its own `reason`; what is committed stays committed. */
  readonly signal?: AbortSignal | undefined
  /** When it comes, work stops and the outcome is `partial`; what is committed stays committed. */
  readonly deadline?: Deadline | undefined
  /** Told how far the work is. */
  readonly onProgress?: ((progress: CompactionProgress) => void) | undefined
}

/** The window that ended last at the given time, and what else the run did. */
export interface RunResult extends WindowResult {
  readonly engine: string
  readonly elapsedMs: number
  /** Requests to S3, without retries; those that Athena makes are not seen. */
  readonly requests: number
  /** Statements of the Athena engine. */
  readonly statements: number
  /** Windows of the sweep with which something happened: late objects, missed ticks, results that were not published yet. */
  readonly sweep: readonly WindowResult[]
  /** Ids of windows that the deadline left for the next run. */
  readonly remaining: readonly string[]
  /** Source objects that belong to no window, at most 100 of them. */
  readonly unplaced: readonly UnplacedObject[]
  readonly unplacedCount: number
}

/** How many unplaced objects a result names. */
const maxUnplaced = 100

/** Compacts the window that ended last at `at`, then what the windows of the sweep still hold. */
export async function runAt(
  context: RunContext,
  shared: Shared,
  count: RequestCount,
  { at, signal, deadline }: Pick<RunOptions, 'at' | 'signal' | 'deadline'>,
): Promise<RunResult> {
  const { compaction, engine, athena } = context
  const startedAt = performance.now()
  const statementsBefore = engine.statements
  const cutOff = stopAt(deadline, signal)
  try {
    const { last, sweep } = windowsAt(compaction, at)
    context.onProgress({ phase: 'select', done: 0, total: sweep.length + 1, unit: 'windows' })
    const survey = await surveyWindows(compaction, context, context.keys, [...sweep, last], signal)
    // The window of this tick first: a sweep that takes long must not delay it.
    const states = [last, ...sweep].map(({ id }) => survey.windows.get(id)!)
    const { results, remaining } = await compactEach(context, shared, cutOff, states, 1)

    const state = survey.windows.get(last.id)!
    const main =
      results.find(({ window }) => window === last.id) ??
      describe(context, last, {
        ...noWork,
        chain: await chainOf(context, shared.cache, state),
        isPartial: remaining.includes(last.id),
        published: athena !== undefined && state.commits.length > 0,
      })
    return {
      ...main,
      engine: engine.name,
      elapsedMs: Math.round(performance.now() - startedAt),
      requests: count.requests,
      statements: engine.statements - statementsBefore,
      sweep: results.filter(({ window }) => window !== last.id),
      remaining,
      unplaced: survey.unplaced.slice(0, maxUnplaced),
      unplacedCount: survey.unplaced.length,
    }
  } finally {
    cutOff.clear()
  }
}

/**
 * Compacts windows in the given order, at most `concurrency` at once; settled ones cost nothing. Looking and telling go on at the deadline;
 * work does not.
 *
 * @throws {@link WindowsFailedError} when windows failed while others went on.
 */
export async function compactEach(
  context: RunContext,
  shared: Shared,
  cutOff: CutOff,
  states: readonly Parameters<typeof compactWindow>[2][],
  concurrency: number,
  onResult: (window: Window) => void = () => {},
): Promise<{ readonly results: readonly WindowResult[]; readonly remaining: readonly string[] }> {
  const working: RunContext = { ...context, signal: cutOff.signal }
  const results: WindowResult[] = []
  const remaining: string[] = []
  const failures: { readonly window: string; readonly error: unknown }[] = []
  let next = 0
  let fatal: { readonly error: unknown } | undefined
  async function work(): Promise<void> {
    while (next < states.length && fatal === undefined) {
      const state = states[next++]!
      const { id } = state.window
      if (!isSettled(state, context.athena !== undefined)) {
        try {
          if (cutOff.hasCome()) remaining.push(id)
          else {
            const result = await compactWindow(working, shared, state, () => !cutOff.hasCome())
            results.push(result)
            if (result.outcome === 'partial') remaining.push(id)
          }
        } catch (error) {
          if (context.signal?.aborted) fatal ??= { error: context.signal.reason }
          else if (cutOff.hasCome()) remaining.push(id)
          else if (endsRun(error)) fatal ??= { error }
          else failures.push({ window: id, error })
        }
      }
      onResult(state.window)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, states.length) }, work))
  if (fatal !== undefined) throw (fatal as { readonly error: unknown }).error
  if (failures.length > 0) {
    throw new WindowsFailedError(
      failures,
      results.map(({ window }) => window),
    )
  }
  return { results, remaining }
}

/** Failures that no other window can escape. */
function endsRun(error: unknown): boolean {
  return (
    PipeError.isInstance(error) &&
    /^PIPE_(IAM_DENIED|ATHENA_DENIED|OBJECT_BUCKET|CONFIG|CLOSED|COMPACT_DUCKDB|COMPACT_TABLES|COMPACT_COLUMN)$/.test(error.code)
  )
}

/** The moment after which no work is begun. */
export interface CutOff {
  /** Aborts with the caller's signal or when the deadline comes. */
  readonly signal: AbortSignal | undefined
  hasCome(): boolean
  clear(): void
}

/** Makes a signal of a deadline. */
export function stopAt(deadline: Deadline | undefined, signal: AbortSignal | undefined): CutOff {
  if (deadline === undefined && signal === undefined) return { signal, hasCome: () => false, clear: () => {} }
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const wait = (left: Deadline) => {
    const ms = left.remainingMs()
    if (ms > 0) timer = setTimeout(wait, Math.min(ms, 2 ** 31 - 1), left)
    else controller.abort(new PipeError('PIPE_COMPACT_DEADLINE', 'The deadline of the run has come.', { retryable: true }))
  }
  if (deadline !== undefined) timer = setTimeout(wait, 0, deadline)
  const either = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal])
  // Every request under way listens to it.
  setMaxListeners(0, either)
  return {
    signal: either,
    hasCome: () => controller.signal.aborted || (deadline !== undefined && deadline.remainingMs() <= 0),
    clear: () => clearTimeout(timer),
  }
}
