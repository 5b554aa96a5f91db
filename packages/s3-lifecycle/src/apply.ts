import { type Duration, durationMs, sleep } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { minimumSizeModeOf } from './compiled-rule'
import type { LifecycleConfiguration } from './configuration'
import { readConfiguration, writeConfiguration } from './configuration-store'
import { LifecycleError } from './errors'
import { sameConfiguration, sameRule } from './normal-form'
import { canDelete, isEmptyPlan, type LifecyclePlan, type RuleChange } from './plan'
import { type BucketCalls, bucketCalls, type S3Options, s3OptionNames } from './s3-call'

/** What {@link applyLifecycle} takes beside the plan. */
export interface ApplyLifecycleOptions extends S3Options {
  /**
   * So many objects may be deleted by the plan's look-ahead by rules that it adds or changes. Default 0: a plan that deletes must say so.
   * Infinity also takes plans whose deletions were not counted.
   */
  readonly maxDelete?: number | undefined
  /** How long to wait until S3 shows the rules. Default `'2 minutes'`. */
  readonly timeout?: Duration | undefined
  /** Reads in a row that must show them, as S3 may show the old ones again. Default 3. */
  readonly stableReads?: number | undefined
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: {
        readonly phase: 'check' | 'write' | 'verify'
        readonly done: number
        readonly total: number
        readonly unit: 'reads'
      }) => void)
    | undefined
}

/** What {@link applyLifecycle} did. */
export interface AppliedLifecycle {
  /** `unchanged`: nothing was to do. */
  readonly outcome: 'applied' | 'unchanged'
  readonly changes: readonly RuleChange[]
  readonly elapsedMs: number
}

/**
 * Writes the rules of a plan. It reads the bucket again just before and refuses when anything changed since the plan was made (a PUT
 * replaces everybody's rules, and S3 has no conditional one); it refuses to delete more than `maxDelete`; afterwards it waits until S3 shows
 * the owner's rules in several reads in a row.
 *
 * Needs `s3:PutLifecycleConfiguration` and `s3:GetLifecycleConfiguration`.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_REFUSED`, `PIPE_LIFECYCLE_MAX_DELETE`, `PIPE_LIFECYCLE_CHANGED` (nothing was written);
 * `PIPE_LIFECYCLE_UNVERIFIED` (written, not shown yet). {@link PipeError} `PIPE_IAM_DENIED`.
 * @example
 * ```ts
 * await applyLifecycle(plan, { maxDelete: 1000 })
 * ```
 */
export async function applyLifecycle(plan: LifecyclePlan, options: ApplyLifecycleOptions = {}): Promise<AppliedLifecycle> {
  checkOptions('applyLifecycle', options, { optional: ['maxDelete', 'timeout', 'stableReads', 'onProgress', ...s3OptionNames] })
  if (plan?.kind !== 'lifecycle-plan')
    throw new LifecycleError('PIPE_LIFECYCLE_REFUSED', 'applyLifecycle takes a plan made by planLifecycle.')
  const startedAt = Date.now()
  const { changes } = plan
  checkGate(plan, options.maxDelete ?? 0)
  if (isEmptyPlan(plan)) return { outcome: 'unchanged', changes, elapsedMs: 0 }
  const { bucket } = plan
  const stableReads = options.stableReads ?? 3
  const calls = bucketCalls('applyLifecycle', bucket, options)
  try {
    options.onProgress?.({ phase: 'check', done: 0, total: 1, unit: 'reads' })
    const now = await readConfiguration(calls)
    if (!sameConfiguration(now, plan.observed ?? undefined)) {
      throw new LifecycleError(
        'PIPE_LIFECYCLE_CHANGED',
        `The lifecycle configuration of ${bucket} changed since the plan was made. Nothing was written.`,
        {
          hint: 'Plan again and look at the difference.',
          details: { bucket },
        },
      )
    }
    options.onProgress?.({ phase: 'write', done: 0, total: 1, unit: 'reads' })
    await writeConfiguration(calls, plan.desired)
    await verify(calls, plan, {
      stableReads,
      deadlineMs: startedAt + durationMs(options.timeout ?? '2 minutes'),
      signal: options.signal,
      report: (done) => options.onProgress?.({ phase: 'verify', done, total: stableReads, unit: 'reads' }),
    })
    return { outcome: 'applied', changes, elapsedMs: Date.now() - startedAt }
  } finally {
    calls.close()
  }
}

function checkGate(plan: LifecyclePlan, maxDelete: number): void {
  const { bucket, refused, deletes } = plan
  if (refused.length > 0) {
    throw new LifecycleError(
      'PIPE_LIFECYCLE_REFUSED',
      `The plan for ${bucket} is refused:\n${refused.map(({ text }) => `  ${text}`).join('\n')}\n`,
      {
        details: { bucket, rules: refused.flatMap(({ rules }) => rules) },
      },
    )
  }
  if (deletes === undefined) {
    if (maxDelete === Number.POSITIVE_INFINITY || !canDelete(plan)) return
    throw new LifecycleError('PIPE_LIFECYCLE_MAX_DELETE', `The plan for ${bucket} deletes, and nobody counted how much.`, {
      hint: 'Plan with a listing, or give maxDelete: Infinity.',
      details: { bucket },
    })
  }
  if (deletes.objects <= maxDelete) return
  throw new LifecycleError(
    'PIPE_LIFECYCLE_MAX_DELETE',
    `The plan for ${bucket} would delete ${deletes.objects} objects (${deletes.bytes} bytes) within its look-ahead; maxDelete is ${maxDelete}.`,
    { hint: 'Look at the first keys of plan.effect. Raise maxDelete if you mean it.', details: { bucket, ...deletes } },
  )
}

/** Ours are there, and what we removed is gone. Others' rules never make it fail: they may change at any time. */
function isShown(now: LifecycleConfiguration | undefined, plan: LifecyclePlan): boolean {
  if (plan.desired.Rules.length === 0) return now === undefined || now.Rules.every(({ ID }) => !ID?.startsWith(`${plan.owner}:`))
  if (now === undefined || minimumSizeModeOf(now) !== minimumSizeModeOf(plan.desired)) return false
  const isOurs = ({ ID }: { readonly ID?: string | undefined }) => ID?.startsWith(`${plan.owner}:`) === true
  const ours = plan.desired.Rules.filter(isOurs)
  const shown = now.Rules.filter(isOurs)
  return shown.length === ours.length && ours.every((rule) => shown.some((other) => sameRule(rule, other)))
}

async function verify(
  calls: BucketCalls,
  plan: LifecyclePlan,
  options: {
    readonly stableReads: number
    readonly deadlineMs: number
    readonly signal: AbortSignal | undefined
    readonly report: (done: number) => void
  },
): Promise<void> {
  let inRow = 0
  for (let pause = 50; ; pause = Math.min(pause * 2, 1000)) {
    inRow = isShown(await readConfiguration(calls), plan) ? inRow + 1 : 0
    options.report(inRow)
    if (inRow >= options.stableReads) return
    if (Date.now() + pause > options.deadlineMs) {
      throw new LifecycleError(
        'PIPE_LIFECYCLE_UNVERIFIED',
        `The rules were written to ${plan.bucket}, but S3 does not show them yet.`,
        {
          hint: 'Plan again after a while: an empty plan means that they are there.',
          retryable: true,
          details: { bucket: plan.bucket },
        },
      )
    }
    await sleep(pause, options.signal)
  }
}
