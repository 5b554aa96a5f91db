import { checkOptions } from '@pipe/core/internal'
import { LifecycleError } from './errors'
import type { IsWhole } from './number-order'
import type { Mistake, Scope } from './scope'
import type { ObjectClass } from './storage-class'

/** What a rule leaves out: objects of any of the prefixes or with any of the tags. */
export interface ReplicationExclusion {
  readonly prefixes?: readonly string[] | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** What {@link replicationRule} takes. */
export interface ReplicationRuleOptions {
  /** By prefix and tags; sizes cannot be replicated by. */
  readonly scope: Scope
  /** Needs a client of version 3.1173 or newer. */
  readonly except?: ReplicationExclusion | undefined
  /** Of rules to one destination the highest wins. Unique. Default: the rule's place in the list, the first highest. */
  readonly priority?: number | undefined
  /** Default `true`. */
  readonly enabled?: boolean | undefined
  /** Where the replicas go, and in which class. */
  readonly destination: ReplicationDestination
  /** Also replicates delete markers. Not with tags. Default `false`. */
  readonly deleteMarkers?: boolean | undefined
  /** Replicates metadata changes of replicas back. Default `false`. */
  readonly replicaModifications?: boolean | undefined
  /** Replicates objects that are encrypted with KMS; `destination.kmsKeyArn` is needed then. Default `false`: such objects are skipped. */
  readonly kmsObjects?: boolean | undefined
}

/** Where replicas go. */
export interface ReplicationDestination {
  readonly bucket: string
  /** Account of the bucket when it is another one. */
  readonly account?: string | undefined
  /** The replica belongs to the owner of the destination bucket. Only with `account`. Default `false`. */
  readonly ownerOverride?: boolean | undefined
  /** Default: the class of the source. */
  readonly storageClass?: ObjectClass | undefined
  /** Key that replicas are encrypted with. Only with `kmsObjects`. */
  readonly kmsKeyArn?: string | undefined
  /** S3 Replication Time Control: 99.99 % within 15 minutes, with metrics. Costs extra. Default `false`. */
  readonly timeControl?: boolean | undefined
  /** Metrics without time control. Default `false`. */
  readonly metrics?: boolean | undefined
}

type CheckedReplication<R extends ReplicationRuleOptions> = {
  readonly [K in keyof R]: K extends 'deleteMarkers'
    ? R[K] extends true
      ? R['scope'] extends Scope<'prefix'>
        ? R['except'] extends { readonly tags: object }
          ? Mistake<'delete markers have no tags: leave deleteMarkers or the tags out'>
          : R[K]
        : Mistake<'delete markers have no tags: leave deleteMarkers or the tags out'>
      : R[K]
    : K extends 'kmsObjects'
      ? R[K] extends true
        ? R['destination'] extends { readonly kmsKeyArn: string }
          ? R[K]
          : Mistake<'kmsObjects needs destination.kmsKeyArn'>
        : R[K]
      : K extends 'destination'
        ? CheckedDestination<R>
        : K extends 'priority'
          ? R[K] extends number
            ? IsWhole<R[K]> extends true
              ? R[K]
              : Mistake<'a priority is a whole number'>
            : R[K]
          : K extends 'scope' | 'except' | 'enabled' | 'replicaModifications'
            ? R[K]
            : Mistake<`a replication rule has no "${K & string}"`>
}

type CheckedDestination<R extends ReplicationRuleOptions> = R['destination'] extends { readonly ownerOverride: true }
  ? R['destination'] extends { readonly account: string }
    ? R['destination']
    : Mistake<'ownerOverride needs the account of the destination'>
  : R['destination'] extends { readonly kmsKeyArn: string }
    ? R extends { readonly kmsObjects: true }
      ? R['destination']
      : Mistake<'kmsKeyArn needs kmsObjects: true'>
    : R['destination']

/** A rule, still without its final priority. */
export interface ReplicationRule extends ReplicationRuleOptions {
  readonly id: string
}

/** Replication of a bucket. Always of version 2 in S3's sense: filter, priority and delete marker replication are written out. */
export interface Replication {
  readonly kind: 'replication'
  /** Role that S3 assumes; see {@link replicationPolicies}. */
  readonly roleArn: string
  readonly rules: readonly ReplicationRule[]
}

/**
 * One rule of a replication. What S3 would reject does not compile.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_RULE`
 * @example
 * ```ts
 * replicationRule('to-archive', {
 *   scope: keyPrefix('compacted/'),
 *   destination: { bucket: 'lake-archive', account: '222222222222', ownerOverride: true },
 * })
 * ```
 */
export function replicationRule<const R extends ReplicationRuleOptions>(
  id: string,
  options: R & CheckedReplication<R>,
): ReplicationRule {
  const where = `replicationRule ${JSON.stringify(id)}`
  checkOptions(where, options, {
    required: ['scope', 'destination'],
    optional: ['except', 'priority', 'enabled', 'deleteMarkers', 'replicaModifications', 'kmsObjects'],
  })
  checkOptions(`${where}: destination`, options.destination, {
    required: ['bucket'],
    optional: ['account', 'ownerOverride', 'storageClass', 'kmsKeyArn', 'timeControl', 'metrics'],
  })
  const rule: ReplicationRule = { ...(options as ReplicationRuleOptions), id }
  const mistake = mistakeIn(rule)
  if (mistake !== undefined) throw ruleError(`${where}: ${mistake}.`)
  return rule
}

function mistakeIn({ id, scope, except, priority, destination, deleteMarkers, kmsObjects }: ReplicationRule): string | undefined {
  const { account, ownerOverride, kmsKeyArn } = destination
  const hasTags = Object.keys({ ...scope.filter?.tags, ...except?.tags }).length > 0
  if (id === '' || id.length > 255) return 'an id has 1 to 255 characters'
  if (scope?.kind !== 'scope') return 'the scope must be made by keyPrefix(…) or wholeBucket()'
  if (scope.filter.largerThanBytes !== undefined || scope.filter.smallerThanBytes !== undefined)
    return 'replication has no filter by size'
  if (priority !== undefined && (!Number.isInteger(priority) || priority < 0))
    return `the priority ${priority} is no whole number of at least 0`
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(destination.bucket))
    return `${JSON.stringify(destination.bucket)} cannot name a bucket`
  if (account !== undefined && !/^\d{12}$/.test(account)) return `${JSON.stringify(account)} is no account of 12 digits`
  if (ownerOverride && account === undefined) return 'ownerOverride needs the account of the destination'
  if (deleteMarkers && hasTags) return 'delete markers have no tags: leave deleteMarkers or the tags out'
  if (kmsObjects && kmsKeyArn === undefined) return 'kmsObjects needs destination.kmsKeyArn'
  if (kmsKeyArn !== undefined && !kmsObjects) return 'kmsKeyArn needs kmsObjects: true'
  if (kmsKeyArn !== undefined && !/^arn:[\w-]+:kms:[\w-]+:\d{12}:(key|alias)\/.+$/.test(kmsKeyArn))
    return `${JSON.stringify(kmsKeyArn)} is no ARN of a KMS key (an id alone is looked up in the wrong account)`
  if (except !== undefined && (except.prefixes?.length ?? 0) + Object.keys(except.tags ?? {}).length === 0)
    return 'except leaves nothing out'
  return undefined
}

/**
 * The replication of a bucket: a pure value.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_RULE` for no rules or more than 1 000, two of one id or one priority, a role that is none.
 */
export function defineReplication(options: {
  readonly roleArn: string
  readonly rules: readonly ReplicationRule[]
}): Replication {
  checkOptions('defineReplication', options, { required: ['roleArn', 'rules'] })
  const { roleArn, rules } = options
  if (!/^arn:[\w-]+:iam::\d{12}:role\/.+$/.test(roleArn))
    throw ruleError(`defineReplication: ${JSON.stringify(roleArn)} is no ARN of a role.`)
  if (rules.length === 0 || rules.length > 1000) throw ruleError(`defineReplication: ${rules.length} rules; S3 takes 1 to 1 000.`)
  const ids = rules.map(({ id }) => id)
  const twice = ids.find((id, i) => ids.indexOf(id) !== i)
  if (twice !== undefined) throw ruleError(`defineReplication: two rules have the id ${JSON.stringify(twice)}.`)
  const priorities = rules.map((_, i) => priorityOf(rules, i))
  const same = priorities.find((priority, i) => priorities.indexOf(priority) !== i)
  if (same !== undefined) throw ruleError(`defineReplication: two rules have the priority ${same}.`)
  return { kind: 'replication', roleArn, rules: [...rules] }
}

function priorityOf(rules: readonly ReplicationRule[], at: number): number {
  return rules[at]!.priority ?? rules.length - at
}

function ruleError(text: string): LifecycleError {
  return new LifecycleError('PIPE_LIFECYCLE_RULE', text)
}

/** A rule in the form of the S3 API. */
export interface ReplicationRuleDocument {
  readonly ID?: string | undefined
  readonly Priority?: number | undefined
  readonly Prefix?: string | undefined
  readonly Status: 'Enabled' | 'Disabled'
  readonly Filter?: object | undefined
  readonly DeleteMarkerReplication?: { readonly Status: 'Enabled' | 'Disabled' } | undefined
  readonly SourceSelectionCriteria?: object | undefined
  readonly Destination: { readonly Bucket: string; readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

/** A replication in the form of the S3 API. */
export interface ReplicationDocument {
  readonly Role: string
  readonly Rules: readonly ReplicationRuleDocument[]
}

/** The form that S3 takes. */
export function replicationDocument({ roleArn, rules }: Replication): ReplicationDocument {
  return { Role: roleArn, Rules: rules.map((rule, at) => ruleDocument(rule, priorityOf(rules, at))) }
}

const status = (isOn: boolean | undefined): { readonly Status: 'Enabled' | 'Disabled' } => ({
  Status: isOn ? 'Enabled' : 'Disabled',
})

function ruleDocument(rule: ReplicationRule, Priority: number): ReplicationRuleDocument {
  const { account, ownerOverride, storageClass, kmsKeyArn, timeControl, metrics, bucket } = rule.destination
  const criteria = {
    ...(rule.kmsObjects && { SseKmsEncryptedObjects: status(true) }),
    ...(rule.replicaModifications && { ReplicaModifications: status(true) }),
  }
  return {
    ID: rule.id,
    Priority,
    Status: status(rule.enabled ?? true).Status,
    Filter: filterDocument(rule),
    DeleteMarkerReplication: status(rule.deleteMarkers),
    ...(Object.keys(criteria).length > 0 && { SourceSelectionCriteria: criteria }),
    Destination: {
      Bucket: `arn:aws:s3:::${bucket}`,
      ...(account !== undefined && { Account: account }),
      ...(storageClass !== undefined && { StorageClass: storageClass }),
      ...(ownerOverride && { AccessControlTranslation: { Owner: 'Destination' } }),
      ...(kmsKeyArn !== undefined && { EncryptionConfiguration: { ReplicaKmsKeyID: kmsKeyArn } }),
      ...(timeControl && { ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } } }),
      ...((timeControl || metrics) && {
        Metrics: { Status: 'Enabled', ...(timeControl && { EventThreshold: { Minutes: 15 } }) },
      }),
    },
  }
}

function filterDocument({ scope, except }: ReplicationRule): object {
  const tags = tagList(scope.filter.tags)
  const not = except === undefined ? undefined : notDocument(except)
  const predicates = (scope.prefix === '' ? 0 : 1) + tags.length + (not === undefined ? 0 : 1)
  if (predicates === 0) return { Prefix: '' }
  if (predicates > 1)
    return {
      And: {
        ...(scope.prefix !== '' && { Prefix: scope.prefix }),
        ...(tags.length > 0 && { Tags: tags }),
        ...(not && { Not: not }),
      },
    }
  if (not !== undefined) return { Not: not }
  return tags.length > 0 ? { Tag: tags[0] } : { Prefix: scope.prefix }
}

function notDocument({ prefixes = [], tags }: ReplicationExclusion): object {
  const list = tagList(tags)
  if (prefixes.length === 1 && list.length === 0) return { Prefix: prefixes[0] }
  if (prefixes.length === 0 && list.length === 1) return { Tag: list[0] }
  return { Or: { ...(prefixes.length > 0 && { Prefixes: [...prefixes] }), ...(list.length > 0 && { Tags: list }) } }
}

function tagList(tags: Readonly<Record<string, string>> | undefined): { readonly Key: string; readonly Value: string }[] {
  return Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }))
}
