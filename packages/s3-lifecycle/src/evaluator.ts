import { checkOptions } from '@pipe/core/internal'
import { type CompiledRule, compileRules, hasTags, minimumSizeModeOf, type When } from './compiled-rule'
import type { LifecycleConfiguration } from './configuration'
import { candidatesOf, chooseAction, type LifecycleAction, type Setting } from './decide'
import { dueAt, dueBound, midnightBefore } from './due'
import { keyStateOf, type Versioning } from './key-state'
import { prefixIndex } from './prefix-index'
import { staysOf } from './stays'
import {
  canTransition,
  isTooSmall,
  type MinimumSizeMode,
  smallObjectBytes,
  type TransitionClass,
  transitionPreference,
} from './storage-class'
import { isReplicationBlocked, type StoredObject } from './stored-object'

/** What lifecycle does to an object at a moment, or why it does not. Many objects share one verdict: nothing is allocated. */
export interface Verdict {
  /** `stays`: a rule asks for something that does not happen, for `reason`. */
  readonly action: LifecycleAction | 'stays'
  readonly reason: 'too-small' | 'replication' | 'locked' | undefined
  /** Id of the rule. */
  readonly rule: string
  readonly to: TransitionClass | undefined
  /** When it was due for an object with that `lastModified`, in milliseconds. */
  dueMs(lastModifiedMs: number): number
}

/** Options of {@link lifecycleEvaluator}. */
export interface EvaluatorOptions {
  /** The moment that is asked about. */
  readonly at: Date
  /** Default `'unversioned'`. */
  readonly versioning?: Versioning | undefined
}

/** One action of a rule, ready to be compared. Steps are sorted: the first that applies is the one that S3 takes. */
interface Step {
  /** Due when `lastModified` is before this. */
  readonly before: number
  readonly larger: number
  readonly smaller: number
  readonly rule: CompiledRule
  /** `undefined` for an expiry. */
  readonly to: TransitionClass | undefined
  readonly hasTags: boolean
  readonly isByDate: boolean
  /** Other steps to the same end that may be due earlier, when one of them is by date. */
  rivals: readonly Step[] | undefined
  /** Smallest size that moves; 0 for an expiry. */
  readonly leastBytes: number
  readonly verdict: Verdict
  readonly tooSmall: Verdict
  readonly blocked: Verdict
}

/**
 * A function that tells what lifecycle does to the *current* version of an object at a moment. It looks prefixes up in an index and compares
 * numbers: made for listings of many millions. For noncurrent versions use `wouldAffect` or `simulateLifecycle`.
 *
 * @example
 * ```ts
 * const evaluate = lifecycleEvaluator(rules, { at: new Date() })
 * for await (const object of listing) if (evaluate(object)?.action === 'delete') …
 * ```
 */
export function lifecycleEvaluator(
  configuration: LifecycleConfiguration,
  options: EvaluatorOptions,
): (object: StoredObject) => Verdict | undefined {
  checkOptions('lifecycleEvaluator', options, { required: ['at'], optional: ['versioning'] })
  const { at, versioning = 'unversioned' } = options
  return evaluatorOf({ rules: compileRules(configuration), versioning, mode: minimumSizeModeOf(configuration) }, at.getTime())
}

/** See {@link lifecycleEvaluator}. */
export function evaluatorOf(setting: Setting, atMs: number): (object: StoredObject) => Verdict | undefined {
  // Whether an expiry deletes for good depends on the version id there.
  if (setting.versioning === 'suspended') return (object) => verdictOfKey(setting, [object], atMs)[0]
  const enabled = setting.rules.filter(({ isEnabled }) => isEnabled)
  const index = prefixIndex(enabled, (rules) => stepsOf(rules, setting, atMs))
  return (object) => {
    if (object.isDeleteMarker === true || object.isLatest === false) return undefined
    const steps = index.lookup(object.key)
    if (steps.length === 0) return undefined
    const modifiedMs = object.lastModified.getTime()
    const { sizeBytes, storageClass } = object
    let small: Verdict | undefined
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!
      if (!concerns(step, object, modifiedMs, sizeBytes, storageClass)) continue
      if (sizeBytes < step.leastBytes) {
        small ??= step.tooSmall
        continue
      }
      if (object.replicationStatus !== undefined && isReplicationBlocked(object.replicationStatus)) return step.blocked
      return step.rivals === undefined ? step.verdict : earliest(step, object, modifiedMs)
    }
    return small
  }
}

/** Whether a step is due on an object that it is for, sizes of the default aside. */
function concerns(
  step: Step,
  object: StoredObject,
  modifiedMs: number,
  sizeBytes: number,
  storageClass: string | undefined,
): boolean {
  if (modifiedMs >= step.before || sizeBytes <= step.larger || sizeBytes >= step.smaller) return false
  if (step.to !== undefined && storageClass !== undefined && storageClass !== 'STANDARD' && !canTransition(storageClass, step.to))
    return false
  return step.hasTags ? hasTags(step.rule, object.tags) : true
}

/** As soon as one step is by date, which one is due first depends on the object. */
function earliest(step: Step, object: StoredObject, modifiedMs: number): Verdict {
  let best = step
  for (const rival of step.rivals!) {
    if (!concerns(rival, object, modifiedMs, object.sizeBytes, object.storageClass) || object.sizeBytes < rival.leastBytes)
      continue
    const sooner = rival.verdict.dueMs(modifiedMs) - best.verdict.dueMs(modifiedMs)
    if (sooner < 0 || (sooner === 0 && rival.rule.order < best.rule.order)) best = rival
  }
  return best.verdict
}

/**
 * The verdicts on all versions of one key, newest first, by the simulator's own rules.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INPUT` for versions that are not newest first.
 */
export function verdictOfKey(setting: Setting, objects: readonly StoredObject[], atMs: number): (Verdict | undefined)[] {
  const state = keyStateOf(objects, setting.versioning)
  const stays = staysOf(setting, state, atMs + 1)
  return state.versions.map((version, place) => {
    const chosen = chooseAction(candidatesOf(setting, state, place), midnightBefore(atMs))
    if (chosen !== undefined) {
      return { action: chosen.action, reason: undefined, rule: chosen.rule.id, to: chosen.to, dueMs: () => chosen.dueMs }
    }
    const stay = stays.find(({ versionId, reason }) => versionId === version.versionId && heldReasons[reason] !== undefined)
    if (stay === undefined) return undefined
    return { action: 'stays', reason: heldReasons[stay.reason], rule: stay.rule, to: undefined, dueMs: () => atMs }
  })
}

const heldReasons: Readonly<Record<string, Verdict['reason']>> = {
  'too-small': 'too-small',
  'replication-pending': 'replication',
  'replication-failed': 'replication',
  locked: 'locked',
}

/** The steps of the rules that match a prefix, in the order in which S3 prefers them (see `chooseAction`). */
function stepsOf(rules: readonly CompiledRule[], { versioning, mode }: Setting, atMs: number): readonly Step[] {
  const steps = rules.flatMap((rule) => [
    ...rule.transitions.map((when) => stepOf(rule, when, 'transition', when.to, mode, atMs)),
    ...(rule.expiration === undefined
      ? []
      : [stepOf(rule, rule.expiration, versioning === 'unversioned' ? 'delete' : 'add-delete-marker', undefined, mode, atMs)]),
  ])
  const due = steps.filter(({ before }) => before > Number.NEGATIVE_INFINITY)
  const place = (step: Step) =>
    step.to === undefined ? (versioning === 'unversioned' ? -1 : 9) : transitionPreference.indexOf(step.to)
  // By days, what is due earlier has the later bound.
  due.sort((a, b) => place(a) - place(b) || b.before - a.before || a.rule.order - b.rule.order)
  due.forEach((step, i) => {
    const others = due.slice(i + 1).filter((other) => other.to === step.to)
    if (others.some(({ isByDate }) => isByDate || step.isByDate)) step.rivals = others
  })
  return due
}

function stepOf(
  rule: CompiledRule,
  when: When,
  action: LifecycleAction,
  to: TransitionClass | undefined,
  mode: MinimumSizeMode,
  atMs: number,
): Step {
  const verdict = {
    action,
    reason: undefined,
    rule: rule.id,
    to,
    dueMs: (modifiedMs: number) => dueAt(when, modifiedMs),
  } as const
  return {
    before: dueBound(when, atMs),
    larger: rule.largerThanBytes,
    smaller: rule.smallerThanBytes,
    rule,
    to,
    hasTags: rule.tags.length > 0,
    isByDate: when.kind === 'date',
    rivals: undefined,
    leastBytes: to !== undefined && !rule.hasSizeFilter && isTooSmall(0, to, mode) ? smallObjectBytes : 0,
    verdict,
    tooSmall: { ...verdict, action: 'stays', reason: 'too-small' },
    blocked: { ...verdict, action: 'stays', reason: 'replication' },
  }
}
