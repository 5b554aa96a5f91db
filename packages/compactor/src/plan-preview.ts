import { type CommitCache, chainOf, isSettled } from './compact-window'
import type { RunContext } from './execute'
import { type OverwrittenObject, remainderOf } from './late'
import type { WindowSurvey } from './select'

/** What a run would do with a window. */
export interface WindowPlan {
  readonly window: string
  readonly start: Date
  readonly end: Date
  /** Sequence number that would be planned. */
  readonly seq: number
  /** Whether the window has a commit already, so that these objects are late. */
  readonly late: boolean
  readonly files: number
  readonly bytes: number
  /** `s3://…`, in the order of their rows. */
  readonly inputs: readonly string[]
  readonly overwritten: readonly OverwrittenObject[]
}

/** The windows that hold something to compact, oldest first. */
export async function planWindows(
  context: RunContext,
  cache: CommitCache,
  surveys: readonly WindowSurvey[],
): Promise<WindowPlan[]> {
  const plans: WindowPlan[] = []
  for (const survey of surveys) {
    if (isSettled(survey, false)) continue
    const chain = await chainOf(context, cache, survey)
    const { fresh, overwritten } = remainderOf(survey.files, chain)
    if (fresh.length === 0 && overwritten.length === 0) continue
    const { id, start, end } = survey.window
    plans.push({
      window: id,
      start,
      end,
      seq: (chain.at(-1)?.seq ?? -1) + 1,
      late: chain.some(({ outcome }) => outcome === 'committed'),
      files: fresh.length,
      bytes: fresh.reduce((sum, { size }) => sum + size, 0),
      inputs: fresh.map(({ key }) => context.source.uri(key)),
      overwritten,
    })
  }
  return plans
}
