import type { S3Client } from '@aws-sdk/client-s3'
import type { Athena } from '@pipe/athena-query'
import { ConfigError, createObjectStore, type Duration, durationMs, type ObjectStore, type Window, windowOf } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type BackfillOptions, type BackfillResult, backfillWindows } from './backfill'
import { commitCache } from './commit-cache'
import type { Shared } from './compact-window'
import { type CostLimits, checkCost } from './cost'
import { countRequests, type RequestCount } from './counting-store'
import type { Compaction } from './define'
import type { CompactionProgress, Engine } from './engine/engine'
import type { RunContext } from './execute'
import { type Explanation, explainKey } from './explain'
import { partitionAt } from './partition-state'
import { planWindows, type WindowPlan } from './plan-preview'
import { type RollUpResult, rollUpPartition } from './roll-up'
import { type RunOptions, type RunResult, runAt } from './run'
import { surveyWindows, type UnplacedObject, windowsAt } from './select'
import { randomId, stateKeys } from './state'
import { type VerificationReport, verifyWindow } from './verify-window'

/** What {@link createCompactor} takes. */
export interface CompactorOptions {
  /** What is compacted, from where to where: {@link defineCompaction}. */
  readonly compaction: Compaction
  /** `athenaEngine({ athena })` or `inProcessEngine()`. Both write the same plans and commits, so they can be changed at any time. */
  readonly engine: Engine
  /** The client through which committed windows are published. Default: that of the engine; without any, nothing is published. */
  readonly athena?: Athena | undefined
  /** Default: made from the standard environment. A given client is not closed by `close()`. */
  readonly client?: S3Client | undefined
  /**
   * How long a process may work at a window before others do as well: two requests a window, which save the work of overlapping
   * invocations. Longer than the time-out of the function. Default: no leases; what is correct never depends on them.
   */
  readonly lease?: Duration | undefined
  /** Refuses batches that are expected to cost more, before anything starts. Default: no limits. */
  readonly limits?: CostLimits | undefined
}

/** Options of calls that only wait. */
export interface WaitOptions {
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** Compacts windows, exactly once. Made by {@link createCompactor}. */
export interface Compactor extends AsyncDisposable {
  readonly compaction: Compaction
  readonly engine: Engine
  /**
   * Compacts the window that ended last at `at` (less the grace), then whatever the windows of the sweep still hold.
   *
   * @throws {@link WindowsFailedError} when windows failed while others went on; the signal's reason when aborted.
   */
  run(options: RunOptions): Promise<RunResult>
  /** What {@link run} would compact at `at`: files, bytes, requests, dollars, statements. Reads only. */
  plan(options: { readonly at: Date } & WaitOptions): Promise<{
    readonly windows: readonly WindowPlan[]
    readonly unplaced: readonly UnplacedObject[]
  }>
  /** Compacts the windows of a range, several at once. Idempotent like {@link run}. */
  backfill(options: BackfillOptions): Promise<BackfillResult>
  /**
   * Makes the files of a partition (an hour, for `hourly()`) into one: of the partition that had ended at `at`. For `publish: 'manifest'`.
   *
   * @throws {@link ConfigError} when the compaction does not allow it.
   */
  rollUp(options: { readonly at: Date; readonly onProgress?: RunOptions['onProgress'] } & WaitOptions): Promise<RollUpResult>
  /**
   * Proves the commits of a window again, from S3 alone. `rows`: also reads sources and outputs and compares their rows; default `false`.
   *
   * @param window its id (`20261124T1530Z`), any instant in it, or the window.
   */
  verify(window: Window | Date | string, options?: { readonly rows?: boolean } & WaitOptions): Promise<VerificationReport>
  /** Says which commit consumed a source object, or why none has yet. The key may be relative to the source or `s3://…`. */
  explain(key: string, options?: WaitOptions): Promise<Explanation>
  /** Folders whose objects no lifecycle rule may expire or move to an archive: state, data and lists of files. */
  protectedPrefixes(): readonly string[]
  /** Closes the S3 client when it was made here. Idempotent. */
  close(): Promise<void>
}

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
  return assembleCompactor(options, randomId)
}

/** {@link createCompactor} with ids of attempts that the caller gives. */
export function assembleCompactor(options: CompactorOptions, newId: () => string): Compactor {
  checkOptions('createCompactor', options, {
    required: ['compaction', 'engine'],
    optional: ['athena', 'client', 'lease', 'limits'],
  })
  const { compaction, engine, client, limits } = options
  if (compaction.kind !== 'compaction') {
    throw new ConfigError('createCompactor: "compaction" was not made by defineCompaction.', {
      hint: 'Write compaction: defineCompaction({ … }).',
    })
  }
  if (limits !== undefined) checkOptions('limits', limits, { optional: ['maxCostUsd', 'maxScannedBytes'] })
  engine.check(compaction)
  const athena = options.athena ?? engine.athena
  const keys = stateKeys(compaction)
  const cache = commitCache()
  const shared: Shared = {
    cache,
    added: new Set(),
    leaseMs: options.lease === undefined ? undefined : durationMs(options.lease),
    guard: (batch) => void (limits && checkCost(compaction, engine, batch, limits)),
  }
  const stores = {
    source: createObjectStore({ location: compaction.source, client }),
    target: createObjectStore({ location: compaction.target, client }),
  }

  function contextOf(given: {
    readonly count?: RequestCount
    readonly signal?: AbortSignal | undefined
    readonly onProgress?: ((progress: CompactionProgress) => void) | undefined
  }): RunContext {
    const { count = { requests: 0 }, signal, onProgress = () => {} } = given
    const counted = (store: ObjectStore) => countRequests(store, count)
    const source = counted(stores.source)
    return { compaction, engine, athena, source, target: counted(stores.target), keys, signal, newId, onProgress }
  }

  async function close(): Promise<void> {
    stores.source.close()
    stores.target.close()
  }

  return {
    compaction,
    engine,
    async run(runOptions) {
      checkOptions('compactor.run', runOptions, { required: ['at'], optional: ['signal', 'deadline', 'onProgress'] })
      checkInstant(runOptions.at)
      runOptions.signal?.throwIfAborted()
      const count: RequestCount = { requests: 0 }
      return runAt(contextOf({ ...runOptions, count }), shared, count, runOptions)
    },
    async plan({ at, signal }) {
      checkInstant(at)
      const context = contextOf({ signal })
      const { last, sweep } = windowsAt(compaction, at)
      const survey = await surveyWindows(compaction, context, keys, [...sweep, last], signal)
      return { windows: await planWindows(context, cache, [...survey.windows.values()]), unplaced: survey.unplaced }
    },
    async backfill(given) {
      const optional = ['concurrency', 'signal', 'deadline', 'onProgress']
      checkOptions('compactor.backfill', given, { required: ['from', 'to'], optional })
      given.signal?.throwIfAborted()
      return backfillWindows(contextOf(given), shared, given)
    },
    async rollUp(given) {
      checkOptions('compactor.rollUp', given, { required: ['at'], optional: ['signal', 'onProgress'] })
      checkInstant(given.at)
      const { lengthMs } = compaction.table.partitions
      const partition = partitionAt(compaction, new Date(given.at.getTime() - compaction.graceMs - lengthMs))
      return rollUpPartition(contextOf(given), cache, partition, shared.added)
    },
    verify: async (window, given = {}) => {
      checkOptions('compactor.verify', given, { optional: ['rows', 'signal'] })
      return verifyWindow(contextOf(given), cache, windowFrom(compaction, window), { rows: given.rows ?? false })
    },
    explain: async (key, given = {}) => explainKey(contextOf(given), cache, key),
    protectedPrefixes: () => [
      `${compaction.target}_pipe/${compaction.table.name}/`,
      `${compaction.target}data/`,
      ...(compaction.publish === 'manifest' ? [`${compaction.target}manifest/`] : []),
    ],
    close,
    [Symbol.asyncDispose]: close,
  }
}

function checkInstant(at: unknown): void {
  if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new ConfigError('compactor: "at" must be a valid Date.')
}

function windowFrom({ window }: Compaction, given: Window | Date | string): Window {
  if (given instanceof Date) {
    checkInstant(given)
    return windowOf(window, given)
  }
  const id = typeof given === 'string' ? given : given.id
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})Z$/.exec(id)
  const found = match && windowOf(window, `${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:00Z`)
  if (!found || found.id !== id) {
    throw new ConfigError(`${JSON.stringify(id)} is not the id of a window of "${window}".`, {
      hint: 'Write it as 20261124T1530Z, the start of the window in UTC, or give any instant in it as a Date.',
    })
  }
  return found
}
