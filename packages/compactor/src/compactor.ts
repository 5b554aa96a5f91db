import { setMaxListeners } from 'node:events'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Athena } from '@pipe/athena-query'
import { ConfigError, createObjectStore, type Deadline, type ObjectStore, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { chainOf, commitCache, compactWindow, describe, isSettled, type WindowResult } from './compact-window'
import { countRequests, type RequestCount } from './counting-store'
import type { Compaction } from './define'
import type { CompactionProgress, Engine } from './engine/engine'
import { WindowsFailedError } from './errors'
import type { RunContext } from './execute'
import { planWindows, type WindowPlan } from './plan-preview'
import { surveyWindows, type UnplacedObject, windowsAt } from './select'
import { stateKeys } from './state'

/** What {@link createCompactor} takes. */
export interface CompactorOptions {
  readonly compaction: Compaction
  /** `athenaEngine({ athena })` or `inProcessEngine()`. Both write the same plans and commits, so they can be changed at any time. */
  readonly engine: Engine
  /** The client through which committed windows are published. Default: that of the engine; without any, nothing is published. */
  readonly athena?: Athena | undefined
  /** Default: made from the standard environment. A given client is not closed by `close()`. */
  readonly client?: S3Client | undefined
}

/** What {@link Compactor.run} takes. */
export interface RunOptions {
  /** The scheduled time: never the wall clock, so that a retry does the same work. */
  readonly at: Date
  readonly signal?: AbortSignal | undefined
  /** When it comes, work stops and the outcome is `partial`; what is committed stays committed. */
  readonly deadline?: Deadline | undefined
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

/** Compacts windows, exactly once. Made by {@link createCompactor}. */
export interface Compactor extends AsyncDisposable {
  readonly compaction: Compaction
  /**
   * Compacts the window that ended last at `at` (less the grace), then whatever the windows of the sweep still hold.
   *
   * @throws {@link WindowsFailedError} when windows failed while others went on; the signal's reason when aborted.
   */
  run(options: RunOptions): Promise<RunResult>
  /** What {@link run} would compact at `at`. Reads only. */
  plan(options: { readonly at: Date; readonly signal?: AbortSignal | undefined }): Promise<{
    readonly windows: readonly WindowPlan[]
    readonly unplaced: readonly UnplacedObject[]
  }>
  /** Closes the S3 client when it was made here. Idempotent. */
  close(): Promise<void>
}

/** How many unplaced objects a result names. */
const maxUnplaced = 100

/**
 * Creates a compactor. Nothing runs yet.
 *
 * @throws {@link ConfigError} for an unknown option or columns that the engine cannot carry.
 * @example
 * ```ts
 * const compactor = createCompactor({ compaction, engine: athenaEngine({ athena }) })
 * const { outcome, outputRows } = await compactor.run({ at: new Date('2026-11-24T15:35:00Z') })
 * ```
 */
export function createCompactor(options: CompactorOptions): Compactor {
  checkOptions('createCompactor', options, { required: ['compaction', 'engine'], optional: ['athena', 'client'] })
  const { compaction, engine, client } = options
  if (compaction.kind !== 'compaction') {
    throw new ConfigError('createCompactor: "compaction" was not made by defineCompaction.', {
      hint: 'Write compaction: defineCompaction({ … }).',
    })
  }
  engine.check(compaction)
  const athena = options.athena ?? engine.athena
  const keys = stateKeys(compaction)
  const cache = commitCache()
  const stores = {
    source: createObjectStore({ location: compaction.source, client }),
    target: createObjectStore({ location: compaction.target, client }),
  }

  function contextOf(count: RequestCount, signal: AbortSignal | undefined, onProgress?: RunOptions['onProgress']): RunContext {
    const counted = (store: ObjectStore) => countRequests(store, count)
    return {
      compaction,
      engine,
      athena,
      source: counted(stores.source),
      target: counted(stores.target),
      keys,
      signal,
      onProgress: onProgress ?? (() => {}),
    }
  }

  async function run(runOptions: RunOptions): Promise<RunResult> {
    checkOptions('compactor.run', runOptions, { required: ['at'], optional: ['signal', 'deadline', 'onProgress'] })
    const { at, signal, deadline, onProgress } = runOptions
    checkInstant(at)
    signal?.throwIfAborted()
    const startedAt = performance.now()
    const statementsBefore = engine.statements
    const count: RequestCount = { requests: 0 }
    const cutOff = stopAt(deadline, signal)
    try {
      const context = contextOf(count, signal, onProgress)
      // Looking and telling go on at the deadline; work does not.
      const working: RunContext = { ...context, signal: cutOff.signal }
      const { last, sweep } = windowsAt(compaction, at)
      context.onProgress({ phase: 'select', done: 0, total: sweep.length + 1, unit: 'windows' })
      const survey = await surveyWindows(compaction, context, keys, [...sweep, last], signal)

      const results: WindowResult[] = []
      const remaining: string[] = []
      const failures: { readonly window: string; readonly error: unknown }[] = []
      // The window of this tick first: a sweep that takes long must not delay it.
      for (const { id } of [last, ...sweep]) {
        const state = survey.windows.get(id)!
        if (isSettled(state, athena !== undefined)) continue
        if (cutOff.hasCome()) {
          remaining.push(id)
          continue
        }
        try {
          const result = await compactWindow(working, cache, state, () => !cutOff.hasCome())
          results.push(result)
          if (result.outcome === 'partial') remaining.push(id)
        } catch (error) {
          signal?.throwIfAborted()
          if (cutOff.hasCome()) remaining.push(id)
          else if (endsRun(error)) throw error
          else failures.push({ window: id, error })
        }
      }
      if (failures.length > 0)
        throw new WindowsFailedError(
          failures,
          results.map(({ window }) => window),
        )

      const state = survey.windows.get(last.id)!
      const main =
        results.find(({ window }) => window === last.id) ??
        describe(context, last, {
          chain: await chainOf(context, cache, state),
          ours: [],
          isPartial: remaining.includes(last.id),
          isOpen: false,
          overwritten: [],
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

  async function close(): Promise<void> {
    stores.source.close()
    stores.target.close()
  }

  return {
    compaction,
    run,
    async plan({ at, signal }) {
      checkInstant(at)
      const context = contextOf({ requests: 0 }, signal)
      const { last, sweep } = windowsAt(compaction, at)
      const survey = await surveyWindows(compaction, context, keys, [...sweep, last], signal)
      return { windows: await planWindows(context, cache, [...survey.windows.values()]), unplaced: survey.unplaced }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function checkInstant(at: unknown): void {
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new ConfigError('compactor: "at" must be a valid Date.')
}

/** Failures that no other window can escape. */
function endsRun(error: unknown): boolean {
  return (
    PipeError.isInstance(error) &&
    /^PIPE_(IAM_DENIED|ATHENA_DENIED|OBJECT_BUCKET|CONFIG|CLOSED|COMPACT_DUCKDB|COMPACT_TABLES|COMPACT_COLUMN)$/.test(error.code)
  )
}

interface CutOff {
  /** Aborts with the caller's signal or when the deadline comes. */
  readonly signal: AbortSignal | undefined
  hasCome(): boolean
  clear(): void
}

function stopAt(deadline: Deadline | undefined, signal: AbortSignal | undefined): CutOff {
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
