import type { Athena } from '@pipe/athena-query'
import type { ObjectStore, ObjectSummary, Window } from '@pipe/core'
import { commitAborted, commitAttempt } from './commit'
import type { Compaction } from './define'
import type { CompactionProgress, Engine } from './engine/engine'
import { isSourceChanged } from './errors'
import { ensurePlan } from './plan'
import { createQuarantine } from './quarantine'
import { type Attempt, type CommitRecord, newAttempt, type PlanRecord, readCommit, type StateKeys } from './state'
import { verifyAttempt } from './verify'

/** What every step of one run shares. */
export interface RunContext {
  readonly compaction: Compaction
  readonly engine: Engine
  /** The client to publish through. Without it nothing is published. */
  readonly athena: Athena | undefined
  readonly source: ObjectStore
  readonly target: ObjectStore
  readonly keys: StateKeys
  readonly signal: AbortSignal | undefined
  onProgress(progress: CompactionProgress): void
}

/** How the work on one sequence number of a window ended. `replan`: a source changed before there was a plan. */
export type BatchOutcome = { readonly commit: CommitRecord; readonly isOurs: boolean } | 'replan'

/**
 * Takes the given objects of a window through plan, engine, verification and commit, as the given sequence number. When the plan was made
 * by somebody else, that plan is carried out, or its commit taken when it is there already.
 */
export async function compactBatch(
  context: RunContext,
  window: Window,
  seq: number,
  files: readonly ObjectSummary[],
): Promise<BatchOutcome> {
  const { compaction, engine, source, target, keys, signal } = context
  const report = (phase: CompactionProgress['phase'], done: number) =>
    context.onProgress({ phase, window: window.id, done, total: files.length, unit: 'files' })
  report('plan', 0)
  let planned: Awaited<ReturnType<typeof ensurePlan>>
  try {
    planned = await ensurePlan(
      compaction,
      { source, target },
      keys,
      { window, seq, files },
      { stamps: engine.needsStamps, signal },
    )
  } catch (error) {
    if (isSourceChanged(error)) return 'replan'
    throw error
  }
  if (!planned.isOurs) {
    const key = keys.commit(window.id, seq)
    const head = await target.head(key, signal ? { signal } : {})
    if (head !== undefined) return { commit: await readCommit(target, key, signal), isOurs: false }
  }
  const attempt = newAttempt(compaction, window, seq)
  try {
    return await runAttempt(context, planned.plan, attempt, report)
  } catch (error) {
    if (!isSourceChanged(error)) throw error
    return commitAborted(compaction, target, keys, attempt, engine.name, error.message, signal)
  }
}

async function runAttempt(
  context: RunContext,
  plan: PlanRecord,
  attempt: Attempt,
  report: (phase: CompactionProgress['phase'], done: number) => void,
): Promise<{ readonly commit: CommitRecord; readonly isOurs: boolean }> {
  const { compaction, engine, source, target, keys, signal } = context
  const { window } = attempt
  const quarantine = createQuarantine()
  try {
    // Says which places and scratch tables this attempt may leave behind, should it die.
    const record = {
      version: 1,
      engine: engine.name,
      data: attempt.dataPrefix,
      stage: attempt.stagePrefix,
      scratch: attempt.scratchName,
    }
    await target.put(keys.attempt(attempt), JSON.stringify(record), {
      contentType: 'application/json',
      ...(signal && { signal }),
    })
    const result = await engine.run({
      compaction,
      attempt,
      inputs: plan.inputs,
      source,
      target,
      quarantine,
      signal,
      onProgress: (progress) => context.onProgress({ ...progress, window: window.id }),
    })
    const saved = await quarantine.save(target, attempt.quarantineKey, signal)
    report('verify', 0)
    const work = { window, planned: plan.inputs, quarantinedRows: quarantine.rows }
    const verified = await verifyAttempt(compaction, { source, target }, work, result, signal)
    report('commit', plan.inputs.length)
    return await commitAttempt(compaction, target, keys, attempt, engine.name, verified, saved, signal)
  } finally {
    quarantine.dispose()
  }
}
