import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { LifecycleConfiguration, LifecycleRule, RuleTransition } from './configuration'
import { LifecycleError } from './errors'
import type { AgeTransition, CheckedRule, DateTransition, LifecycleRuleOptions, NoncurrentActions, UtcDate } from './rule-check'
import { filterOf, type Mistake } from './scope'
import type { MinimumSizeMode } from './storage-class'
import { validateLifecycle } from './validate'

/** A rule whose id is known to the compiler. */
export interface NamedRule<Id extends string = string> extends LifecycleRule {
  readonly ID: Id
}

/**
 * One rule, in the form of the S3 API. What AWS would reject does not compile, and is refused at run time when it was hidden from the
 * compiler (values that are no literals).
 *
 * @throws {@link ConfigError} `PIPE_LIFECYCLE_RULE` with AWS's own text.
 * @example
 * ```ts
 * lifecycleRule('age-logs', {
 *   scope: keyPrefix('log-'),
 *   transitions: [{ afterDays: 30, to: 'STANDARD_IA' }, { afterDays: 180, to: 'DEEP_ARCHIVE' }],
 *   expireAfterDays: 365,
 * })
 * ```
 */
export function lifecycleRule<const Id extends string, const R extends LifecycleRuleOptions>(
  id: Id,
  options: R & CheckedRule<R>,
): NamedRule<Id> {
  const rule = ruleOf(id, options)
  refuseErrors(`lifecycleRule ${JSON.stringify(id)}`, { Rules: [rule] })
  return rule as NamedRule<Id>
}

function ruleOf(id: string, options: LifecycleRuleOptions): LifecycleRule {
  const where = `lifecycleRule ${JSON.stringify(id)}`
  if (typeof id !== 'string' || id === '')
    throw new ConfigError('lifecycleRule: a rule needs an id.', { code: 'PIPE_LIFECYCLE_RULE' })
  checkOptions(where, options, {
    required: ['scope'],
    optional: [
      'enabled',
      'transitions',
      'expireAfterDays',
      'expireOn',
      'removeExpiredMarkers',
      'noncurrent',
      'abortUploadsAfterDays',
    ],
  })
  const { scope, enabled = true, transitions, noncurrent, abortUploadsAfterDays } = options
  if (scope?.kind !== 'scope') {
    throw new ConfigError(`${where}: the scope must be made by keyPrefix(…) or wholeBucket().`, { code: 'PIPE_LIFECYCLE_SCOPE' })
  }
  const expiration = {
    ...(options.expireAfterDays !== undefined && { Days: options.expireAfterDays }),
    ...(options.expireOn !== undefined && { Date: midnightOf(where, options.expireOn) }),
    ...(options.removeExpiredMarkers === true && { ExpiredObjectDeleteMarker: true }),
  }
  return {
    ID: id,
    Status: enabled ? 'Enabled' : 'Disabled',
    Filter: filterOf(scope),
    ...(transitions !== undefined && { Transitions: transitions.map((step) => transitionOf(where, step)) }),
    ...(Object.keys(expiration).length > 0 && { Expiration: expiration }),
    ...(noncurrent !== undefined && noncurrentOf(where, noncurrent)),
    ...(abortUploadsAfterDays !== undefined && {
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortUploadsAfterDays },
    }),
  }
}

function transitionOf(where: string, step: AgeTransition | DateTransition): RuleTransition {
  checkOptions(`${where}: a transition`, step, { required: ['to'], optional: ['afterDays', 'on'] })
  return {
    ...('afterDays' in step && step.afterDays !== undefined && { Days: step.afterDays }),
    ...('on' in step && step.on !== undefined && { Date: midnightOf(where, step.on) }),
    StorageClass: step.to,
  }
}

function noncurrentOf(where: string, noncurrent: NoncurrentActions): Partial<LifecycleRule> {
  checkOptions(`${where}: noncurrent`, noncurrent, { optional: ['transitions', 'expireAfterDays', 'keepNewest'] })
  const { transitions, expireAfterDays, keepNewest } = noncurrent
  const kept = (count: number | undefined) => (count === undefined ? {} : { NewerNoncurrentVersions: count })
  return {
    ...(transitions !== undefined && {
      NoncurrentVersionTransitions: transitions.map((step) => {
        checkOptions(`${where}: a noncurrent transition`, step, { required: ['afterDays', 'to'], optional: ['keepNewest'] })
        return { NoncurrentDays: step.afterDays, ...kept(step.keepNewest), StorageClass: step.to }
      }),
    }),
    ...((expireAfterDays !== undefined || keepNewest !== undefined) && {
      NoncurrentVersionExpiration: {
        ...(expireAfterDays !== undefined && { NoncurrentDays: expireAfterDays }),
        ...kept(keepNewest),
      },
    }),
  }
}

function midnightOf(where: string, date: UtcDate): Date {
  const time = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date) {
    throw new ConfigError(`${where}: ${JSON.stringify(date)} is no date.`, {
      code: 'PIPE_LIFECYCLE_RULE',
      hint: "Write it like '2027-01-31'; it stands for midnight UTC.",
    })
  }
  return new Date(time)
}

type CheckedIds<R extends readonly LifecycleRule[], Seen = never> = R extends readonly [
  infer Head extends NamedRule,
  ...infer Rest extends readonly LifecycleRule[],
]
  ? string extends Head['ID']
    ? readonly [Head, ...CheckedIds<Rest, Seen>]
    : Head['ID'] extends Seen
      ? readonly [Mistake<`two rules have the id "${Head['ID']}"`>, ...CheckedIds<Rest, Seen>]
      : readonly [Head, ...CheckedIds<Rest, Seen | Head['ID']>]
  : R

/** Options of {@link defineLifecycle}. */
export interface LifecycleOptions {
  /** Which objects below 128 KiB move. Default: not said; a plan then keeps what the bucket has, everything else takes S3's default. */
  readonly minimumSize?: MinimumSizeMode | undefined
}

/**
 * Rules of a bucket, checked together. A pure value, in the form of the S3 API.
 *
 * @throws {@link ConfigError} `PIPE_LIFECYCLE_RULE` for two rules of one id, more than 1 000 rules, and everything that
 * {@link validateLifecycle} calls an error.
 */
export function defineLifecycle<const R extends readonly LifecycleRule[]>(
  rules: R & CheckedIds<R>,
  options: LifecycleOptions = {},
): LifecycleConfiguration {
  checkOptions('defineLifecycle', options, { optional: ['minimumSize'] })
  const configuration: LifecycleConfiguration = {
    Rules: [...rules],
    ...(options.minimumSize !== undefined && { TransitionDefaultMinimumObjectSize: options.minimumSize }),
  }
  if (rules.length > 0) refuseErrors('defineLifecycle', configuration)
  return configuration
}

/** Refuses what AWS would reject. */
export function refuseErrors(where: string, configuration: LifecycleConfiguration): void {
  const errors = validateLifecycle(configuration).filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (first === undefined) return
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  throw new LifecycleError('PIPE_LIFECYCLE_RULE', `${where}: ${first.path}: ${first.code}: ${first.message}${more}.`, {
    details: { findings: errors },
  })
}
