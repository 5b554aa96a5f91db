import { type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type Affected, type ObjectCount, wouldAffect } from './affected'
import { compileRules, minimumSizeModeOf } from './compiled-rule'
import type { LifecycleConfiguration, LifecycleRule } from './configuration'
import { readConfiguration, readVersioning } from './configuration-store'
import { LifecycleError } from './errors'
import type { Finding } from './finding'
import type { Versioning } from './key-state'
import { listBucket } from './listing'
import { minimumSizeEffect } from './minimum-size-effect'
import { changedFields, sameRule } from './normal-form'
import { checkCost, type PlanCost, planCost } from './plan-cost'
import { populationCounter } from './population'
import { type PriceList, usEast1Prices } from './prices'
import { checkProtected, type PlanRefusal, type ProtectedPrefix } from './protected'
import { bucketCalls, type S3Options, s3OptionNames } from './s3-call'
import type { MinimumSizeMode } from './storage-class'
import type { StoredObject } from './stored-object'
import { validateLifecycle } from './validate'

/** What {@link planLifecycle} takes. */
export interface PlanLifecycleOptions extends S3Options {
  /** The bucket whose configuration is planned. */
  readonly bucket: string
  /** All rules of this owner; rules of the owner that are not among them are removed. `defineLifecycle([])` removes all. */
  readonly rules: LifecycleConfiguration
  /** Whose rules these are: their ids begin with it and a colon in the bucket. Default `'pipe'`. */
  readonly owner?: string | undefined
  /** Prefixes that no rule of the owner may delete from or move (see the compactor's `protectedPrefixes`). */
  readonly protected?: readonly ProtectedPrefix[] | undefined
  /**
   * The objects that the effect is counted over: a listing, an inventory, or `'none'` (then `applyLifecycle` cannot tell how much would be
   * deleted). Default: the bucket is listed, when a rule changes.
   */
  readonly listing?: AsyncIterable<StoredObject> | Iterable<StoredObject> | 'none' | undefined
  /** How far ahead the effect is counted: what is due by then. Default `'7 days'`. */
  readonly lookAhead?: Duration | undefined
  /** Default: asked of the bucket. */
  readonly versioning?: Versioning | undefined
  /** Turns foreign rules with a rule-level prefix (version 1) into version 2. Without it such a bucket is refused. Default `false`. */
  readonly convertV1?: boolean | undefined
  /** For the bill of the objects that are there. Default {@link usEast1Prices}. */
  readonly prices?: PriceList | undefined
  /** Takes transitions that cost more than they save; without it such a plan is refused. Default `false`. */
  readonly acceptCost?: boolean | undefined
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: { readonly phase: 'read' | 'evaluate'; readonly done: number; readonly unit: 'objects' }) => void)
    | undefined
}

/** One rule of the owner that changes. */
export type RuleChange =
  | { readonly change: 'add'; readonly id: string; readonly after: LifecycleRule }
  | { readonly change: 'remove'; readonly id: string; readonly before: LifecycleRule }
  | {
      readonly change: 'change'
      readonly id: string
      readonly fields: readonly string[]
      readonly before: LifecycleRule
      readonly after: LifecycleRule
    }

/** What has to change in a bucket. Data: may be kept as JSON and applied later. */
export interface LifecyclePlan {
  readonly kind: 'lifecycle-plan'
  readonly bucket: string
  readonly owner: string
  /** Milliseconds since the epoch. */
  readonly plannedAtMs: number
  /** What the bucket had; `null`: nothing. */
  readonly observed: LifecycleConfiguration | null
  /** What it will have: foreign rules as they were and where they were. Without rules, the configuration is deleted. */
  readonly desired: LifecycleConfiguration
  readonly changes: readonly RuleChange[]
  /** Ids of the rules of others, which stay as they are. */
  readonly foreign: readonly string[]
  /** Set when the mode changes: with the objects that move only because of it, or no longer. */
  readonly minimumSize:
    | { readonly before: MinimumSizeMode; readonly after: MinimumSizeMode; readonly affected: ObjectCount | undefined }
    | undefined
  /** What all rules together do by `lookAhead`; `undefined` when nothing was listed. */
  readonly effect: Affected | undefined
  /** What rules that are added or changed delete by then (or hide behind a delete marker). `undefined`: not counted. */
  readonly deletes: ObjectCount | undefined
  /** What transitions of rules that are added or changed cost and save; `undefined`: there are none, or nothing was listed. */
  readonly cost: PlanCost | undefined
  /** `applyLifecycle` refuses a plan that has any. */
  readonly refused: readonly PlanRefusal[]
  readonly warnings: readonly Finding[]
}

/**
 * Compares the rules of one owner with those of a bucket. Reads only.
 *
 * Rules of others pass through unchanged, whatever they hold. The minimum-size mode is kept unless the rules name one.
 *
 * Needs `s3:GetLifecycleConfiguration`; to count the effect also `s3:GetBucketVersioning` and `s3:ListBucket` or `s3:ListBucketVersions`.
 *
 * @throws {@link PipeError} `PIPE_IAM_DENIED` with the permission that is missing; {@link LifecycleError} `PIPE_LIFECYCLE_BUCKET`,
 * `PIPE_LIFECYCLE_S3`.
 * @example
 * ```ts
 * const plan = await planLifecycle({ bucket: 'lake', rules, protected: ['compacted/_state/'] })
 * console.log(formatPlan(plan))
 * ```
 */
export async function planLifecycle(options: PlanLifecycleOptions): Promise<LifecyclePlan> {
  checkOptions('planLifecycle', options, {
    required: ['bucket', 'rules'],
    optional: [
      'owner',
      'protected',
      'listing',
      'lookAhead',
      'versioning',
      'convertV1',
      'prices',
      'acceptCost',
      'onProgress',
      ...s3OptionNames,
    ],
  })
  const { bucket, rules, owner = 'pipe', protected: guarded = [], convertV1 = false } = options
  if (!/^[\w.-]{1,64}$/.test(owner)) {
    throw new LifecycleError('PIPE_LIFECYCLE_RULE', `planLifecycle: ${JSON.stringify(owner)} cannot be an owner.`, {
      hint: 'Use letters, digits, ".", "_" and "-".',
    })
  }
  const lookAheadMs = durationMs(options.lookAhead ?? '7 days')
  const calls = bucketCalls('planLifecycle', bucket, options)
  try {
    const observed = await readConfiguration(calls)
    const merged = mergeRules(observed, rules, owner, convertV1)
    const { desired, changes, foreign } = merged
    const before = observed === undefined ? 'all_storage_classes_128K' : minimumSizeModeOf(observed)
    const after = minimumSizeModeOf(desired)
    const owned = desired.Rules.filter(({ ID }) => ID?.startsWith(`${owner}:`))
    const counts = await countEffect(options, calls, { observed, desired, changes, isModeChanged: before !== after, lookAheadMs })
    return {
      kind: 'lifecycle-plan',
      bucket,
      owner,
      plannedAtMs: Date.now(),
      observed: observed ?? null,
      desired,
      changes,
      foreign,
      minimumSize: before === after ? undefined : { before, after, affected: counts?.modeEffect },
      effect: counts?.effect,
      deletes: counts === undefined ? undefined : deletesOf(counts.effect, changes),
      cost: counts?.cost,
      refused: [
        ...merged.refused,
        ...checkProtected(owned, guarded),
        ...(options.acceptCost ? [] : checkCost(counts?.cost, changedIds(changes))),
      ],
      warnings: desired.Rules.length === 0 ? [] : validateLifecycle(desired).filter(({ severity }) => severity === 'warning'),
    }
  } finally {
    calls.close()
  }
}

/** The configuration with the owner's rules exchanged: others stay in their places, ours in theirs, new ones come last. */
export function mergeRules(
  observed: LifecycleConfiguration | undefined,
  rules: LifecycleConfiguration,
  owner: string,
  convertV1: boolean,
): Pick<LifecyclePlan, 'desired' | 'changes' | 'foreign' | 'refused'> {
  const wanted = new Map(rules.Rules.map((rule) => [`${owner}:${rule.ID}`, { ...rule, ID: `${owner}:${rule.ID}` }]))
  const changes: RuleChange[] = []
  const foreign: string[] = []
  const refused: PlanRefusal[] = []
  const kept: LifecycleRule[] = []
  for (const [at, rule] of (observed?.Rules ?? []).entries()) {
    const id = rule.ID ?? `#${at}`
    if (!id.startsWith(`${owner}:`)) {
      foreign.push(id)
      kept.push(convertV1 ? secondVersion(rule) : rule)
      continue
    }
    const after = wanted.get(id)
    wanted.delete(id)
    if (after === undefined) changes.push({ change: 'remove', id, before: rule })
    else if (sameRule(rule, after)) kept.push(rule)
    else {
      changes.push({ change: 'change', id, fields: changedFields(rule, after), before: rule, after })
      kept.push(after)
    }
  }
  for (const [id, after] of wanted) {
    changes.push({ change: 'add', id, after })
    kept.push(after)
  }
  const isFirst = kept.some(({ Prefix }) => Prefix !== undefined) && kept.some(({ Filter }) => Filter !== undefined)
  if (isFirst) {
    const old = kept.filter(({ Prefix }) => Prefix !== undefined).map(({ ID }) => ID ?? '')
    const text = `The bucket has rules of version 1 (a prefix on the rule itself), which S3 does not mix with others: ${old.join(', ')}. Plan with convertV1 to turn them into version 2; they keep their meaning.`
    refused.push({ what: 'version-1', rules: old, text })
  }
  if (kept.length > 1000)
    refused.push({
      what: 'too-many-rules',
      rules: [],
      text: `${kept.length} rules: a bucket has at most 1 000, those of others included.`,
    })
  const mode = rules.TransitionDefaultMinimumObjectSize ?? (observed === undefined ? undefined : minimumSizeModeOf(observed))
  const desired = { Rules: kept, ...(mode !== undefined && { TransitionDefaultMinimumObjectSize: mode }) }
  if (!isFirst && kept.length > 0 && kept.length <= 1000) refused.push(...invalidOf(desired, owner))
  return { desired, changes, foreign, refused }
}

function secondVersion(rule: LifecycleRule): LifecycleRule {
  if (rule.Prefix === undefined) return rule
  const { Prefix, ...rest } = rule
  return { ...rest, Filter: { Prefix } }
}

/** Rules of the owner that S3 would reject. Others' rules were taken by S3 before; what this package knows of them is not asked. */
function invalidOf(desired: LifecycleConfiguration, owner: string): PlanRefusal[] {
  return validateLifecycle(desired)
    .filter(({ severity }) => severity === 'error')
    .flatMap(({ path, code, message }) => {
      const at = Number(/^Rules\[(\d+)\]/.exec(path)?.[1] ?? -1)
      const id = desired.Rules[at]?.ID
      if (!id?.startsWith(`${owner}:`)) return []
      return [{ what: 'invalid' as const, rules: [id], text: `${id}: ${path}: ${code}: ${message}.` }]
    })
}

async function countEffect(
  options: PlanLifecycleOptions,
  calls: ReturnType<typeof bucketCalls>,
  plan: {
    readonly observed: LifecycleConfiguration | undefined
    readonly desired: LifecycleConfiguration
    readonly changes: readonly RuleChange[]
    readonly isModeChanged: boolean
    readonly lookAheadMs: number
  },
): Promise<{ effect: Affected; modeEffect: ObjectCount | undefined; cost: PlanCost | undefined } | undefined> {
  const { listing, bucket, client, signal, expectedBucketOwner, onProgress } = options
  const isNeeded = plan.isModeChanged || plan.changes.some(({ change }) => change !== 'remove')
  if (listing === 'none' || (listing === undefined && !isNeeded)) return undefined
  const versioning = options.versioning ?? (await readVersioning(calls))
  const objects =
    listing ??
    listBucket({ bucket, versions: versioning !== 'unversioned', ...(client && { client }), signal, expectedBucketOwner })
  const at = new Date(Date.now() + plan.lookAheadMs)
  const mode = plan.isModeChanged
    ? minimumSizeEffect(
        plan.desired,
        plan.observed === undefined ? 'all_storage_classes_128K' : minimumSizeModeOf(plan.observed),
        at,
      )
    : undefined
  const populations = populationCounter(plan.desired, new Date())
  const watched = watch(objects, (object) => {
    mode?.add(object)
    if (object.isLatest !== false) populations.add(object)
  })
  const effect = await wouldAffect(plan.desired, watched, {
    at,
    versioning,
    signal,
    ...(onProgress && { onProgress }),
  })
  const cost = planCost(plan.desired, changedIds(plan.changes), populations.result(), options.prices ?? usEast1Prices)
  return { effect, modeEffect: mode?.count(), cost }
}

async function* watch(
  objects: AsyncIterable<StoredObject> | Iterable<StoredObject>,
  see: (object: StoredObject) => void,
): AsyncGenerator<StoredObject> {
  for await (const object of objects) {
    see(object)
    yield object
  }
}

function changedIds(changes: readonly RuleChange[]): readonly string[] {
  return changes.flatMap(({ change, id }) => (change === 'remove' ? [] : [id]))
}

function deletesOf(effect: Affected, changes: readonly RuleChange[]): ObjectCount {
  const ids = new Set(changes.map(({ id }) => id))
  const total = { objects: 0, bytes: 0 }
  for (const { action, rule, objects, bytes } of effect.groups) {
    if (!ids.has(rule) || (action !== 'delete' && action !== 'add-delete-marker')) continue
    total.objects += objects
    total.bytes += bytes
  }
  return total
}

/** Whether a plan changes something. */
export function isEmptyPlan(plan: LifecyclePlan): boolean {
  return plan.changes.length === 0 && plan.minimumSize === undefined
}

/** Whether rules of a plan that are added or changed delete at all, sooner or later. */
export function canDelete({ changes }: LifecyclePlan): boolean {
  const rules = changes.flatMap((change) => (change.change === 'remove' ? [] : [change.after]))
  return compileRules({ Rules: rules }).some((rule) => rule.expiration !== undefined || rule.noncurrentExpiration !== undefined)
}
