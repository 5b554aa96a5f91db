import { nextBatch, type OverwrittenObject, remainderOf } from './chain'
import type { CommitCache } from './commit-cache'
import { chainOf, isSettled } from './compact-window'
import { type Estimate, estimateBatch } from './cost'
import type { RunContext } from './execute'
import type { WindowSurvey } from './select'
import { type BatchMode, newAttempt } from './state'

/** What a run would do with a window. */
export interface WindowPlan {
  readonly window: string
  readonly start: Date
  readonly end: Date
  /** Sequence number that would be planned. */
  readonly seq: number
  /** Whether the window has a commit already, so that these objects are late. */
  readonly late: boolean
  readonly mode: BatchMode
  readonly files: number
  readonly bytes: number
  /** `s3://…`, in the order of their rows. */
  readonly inputs: readonly string[]
  readonly overwritten: readonly OverwrittenObject[]
  /** Requests, scanned bytes and dollars. */
  readonly estimate: Estimate
  /**
   * The statements of the Athena engine, word for word but for the random part of the attempt's names. Objects with lines that SQL cannot be
   * certain of lead to further ones. Empty for an engine that runs none.
   */
  readonly sql: readonly string[]
}

/** The windows that hold something to compact, oldest first. */
export async function planWindows(
  context: RunContext,
  cache: CommitCache,
  surveys: readonly WindowSurvey[],
): Promise<WindowPlan[]> {
  const { compaction, engine, source, target } = context
  const plans: WindowPlan[] = []
  for (const survey of surveys) {
    if (isSettled(survey, false)) continue
    const chain = await chainOf(context, cache, survey)
    const batch = nextBatch(compaction, survey.files, chain)
    if (batch === undefined) continue
    const { id, start, end } = survey.window
    const seq = (chain.at(-1)?.seq ?? -1) + 1
    const job = {
      compaction,
      attempt: newAttempt(compaction, survey.window, context.newId(), seq),
      inputs: batch.files,
      source,
      target,
    }
    plans.push({
      window: id,
      start,
      end,
      seq,
      late: chain.some(({ outcome }) => outcome === 'committed'),
      mode: batch.mode,
      files: batch.files.length,
      bytes: batch.files.reduce((sum, { size }) => sum + size, 0),
      inputs: batch.files.map(({ key }) => source.uri(key)),
      overwritten: remainderOf(survey.files, chain).overwritten,
      estimate: estimateBatch(compaction, engine, batch),
      sql: batch.mode === 'quarantine' ? [] : (engine.statementsFor?.(job) ?? []),
    })
  }
  return plans
}
