import type { LifecycleConfiguration, LifecycleRule } from './configuration'
import { LifecycleError } from './errors'
import type { MinimumSizeMode, TransitionClass } from './storage-class'

/** When an action is due: so many days after its base, or at a date. */
export type When = { readonly kind: 'days'; readonly days: number } | { readonly kind: 'date'; readonly atMs: number }

/** A transition of a compiled rule. */
export type CompiledTransition = When & { readonly to: TransitionClass }

/** An action on noncurrent versions. */
export interface NoncurrentWhen {
  readonly days: number
  /** So many newer noncurrent versions must exist. */
  readonly newer: number
}

/** A rule with everything looked up, numbers instead of dates. */
export interface CompiledRule {
  /** Place in the configuration: ties go to the first. */
  readonly order: number
  /** The id, or `#3` for the fourth rule when it has none. */
  readonly id: string
  readonly isEnabled: boolean
  readonly prefix: string
  readonly tags: readonly { readonly key: string; readonly value: string }[]
  /** −1 when the rule has no such filter: every size is larger. */
  readonly largerThanBytes: number
  /** Infinity when the rule has no such filter. */
  readonly smallerThanBytes: number
  /** Switches the 128 KiB default off. */
  readonly hasSizeFilter: boolean
  readonly isWholeBucket: boolean
  readonly transitions: readonly CompiledTransition[]
  readonly expiration: When | undefined
  readonly removesExpiredMarkers: boolean
  readonly noncurrentTransitions: readonly (NoncurrentWhen & { readonly to: TransitionClass })[]
  readonly noncurrentExpiration: NoncurrentWhen | undefined
  /** `undefined`: uploads are left alone. */
  readonly abortAfterDays: number | undefined
}

/** The mode in force: what the configuration says, else S3's default. */
export function minimumSizeModeOf(configuration: LifecycleConfiguration): MinimumSizeMode {
  return configuration.TransitionDefaultMinimumObjectSize ?? 'all_storage_classes_128K'
}

/** The rules of a configuration that is free of errors; disabled ones too. */
export function compileRules(configuration: LifecycleConfiguration): readonly CompiledRule[] {
  return configuration.Rules.map((rule, order) => compileRule(rule, order))
}

function compileRule(rule: LifecycleRule, order: number): CompiledRule {
  const { Filter: filter = {}, Expiration: expiration } = rule
  const and = filter.And ?? {}
  const tags = [...(filter.Tag ? [filter.Tag] : []), ...(and.Tags ?? [])]
  const larger = filter.ObjectSizeGreaterThan ?? and.ObjectSizeGreaterThan
  const smaller = filter.ObjectSizeLessThan ?? and.ObjectSizeLessThan
  const prefix = rule.Prefix ?? filter.Prefix ?? and.Prefix ?? ''
  const hasSizeFilter = larger !== undefined || smaller !== undefined
  return {
    order,
    id: rule.ID || `#${order}`,
    isEnabled: rule.Status === 'Enabled',
    prefix,
    tags: tags.map(({ Key, Value }) => ({ key: Key, value: Value ?? '' })),
    largerThanBytes: larger ?? -1,
    smallerThanBytes: smaller ?? Number.POSITIVE_INFINITY,
    hasSizeFilter,
    isWholeBucket: prefix === '' && tags.length === 0 && !hasSizeFilter,
    transitions: (rule.Transitions ?? []).map((step) => ({ ...whenOf(step, order), to: step.StorageClass! })),
    expiration:
      expiration === undefined || (expiration.Days === undefined && expiration.Date === undefined)
        ? undefined
        : whenOf(expiration, order),
    removesExpiredMarkers: expiration?.ExpiredObjectDeleteMarker === true,
    noncurrentTransitions: (rule.NoncurrentVersionTransitions ?? []).map((step) => ({
      days: step.NoncurrentDays ?? 0,
      newer: step.NewerNoncurrentVersions ?? 0,
      to: step.StorageClass!,
    })),
    noncurrentExpiration: rule.NoncurrentVersionExpiration && {
      days: rule.NoncurrentVersionExpiration.NoncurrentDays ?? 0,
      newer: rule.NoncurrentVersionExpiration.NewerNoncurrentVersions ?? 0,
    },
    abortAfterDays: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
  }
}

function whenOf(step: { readonly Days?: number | undefined; readonly Date?: Date | string | undefined }, order: number): When {
  if (step.Days !== undefined) return { kind: 'days', days: step.Days }
  const atMs = new Date(step.Date ?? Number.NaN).getTime()
  if (Number.isNaN(atMs)) {
    throw new LifecycleError('PIPE_LIFECYCLE_RULE', `Rules[${order}] has neither days nor a date.`, {
      hint: 'Run validateLifecycle on it.',
    })
  }
  return { kind: 'date', atMs }
}

/** Whether an object has all tags of a rule. */
export function hasTags(rule: CompiledRule, tags: Readonly<Record<string, string>> | undefined): boolean {
  return rule.tags.every(({ key, value }) => tags !== undefined && Object.hasOwn(tags, key) && tags[key] === value)
}

/** Whether a rule is for an object (or a version of one). Delete markers have size 0 and no tags. */
export function matches(
  rule: CompiledRule,
  object: { readonly key: string; readonly sizeBytes: number; readonly tags?: Readonly<Record<string, string>> | undefined },
): boolean {
  return (
    rule.isEnabled &&
    object.key.startsWith(rule.prefix) &&
    object.sizeBytes > rule.largerThanBytes &&
    object.sizeBytes < rule.smallerThanBytes &&
    (rule.tags.length === 0 || hasTags(rule, object.tags))
  )
}
