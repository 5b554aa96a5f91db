import type { BucketConfiguration } from '../bucket-configuration'
import { isMarker, type ObjectRecord, type VersionRecord } from '../object-record'
import { actionDay, dayMs, dueDay } from './calendar'
import type { LifecycleDocument, NoncurrentDocument, RuleDocument, TransitionDocument } from './document'
import { isInScope, type RuleScope, scopeOf } from './rule-scope'
import { isLargeEnough, mayFall, preferredClasses } from './storage-classes'

/** What lifecycle does to one version. */
export interface DueAction {
  readonly kind: 'delete' | 'transition' | 'mark'
  /** Class after a transition. */
  readonly to?: string
  /** Id of the rule. */
  readonly rule: string
  /** Number of the day at whose beginning it is due. */
  readonly day: number
}

/** A rule with its scope. */
interface ScopedRule {
  readonly rule: RuleDocument
  readonly scope: RuleScope
}

/** What decides over the versions of a key: rules that are enabled, versioning. */
export interface LifecyclePolicy {
  readonly rules: readonly ScopedRule[]
  readonly minimumSize: LifecycleDocument['minimumSize']
  readonly versioning: BucketConfiguration['versioning']
}

/** The policy of a bucket; undefined without rules that are enabled. */
export function lifecyclePolicy({ lifecycle, versioning }: BucketConfiguration): LifecyclePolicy | undefined {
  const rules = (lifecycle?.Rule ?? [])
    .filter((rule) => rule.Status === 'Enabled')
    .map((rule) => ({ rule, scope: scopeOf(rule) }))
  return rules.length === 0 ? undefined : { rules, minimumSize: lifecycle!.minimumSize, versioning }
}

/**
 * What is due, now or later, on the version at `place` among those of its key (newest first), as things stand. What can never happen is not in it.
 */
export function dueActions(policy: LifecyclePolicy, versions: readonly VersionRecord[], place: number): DueAction[] {
  const version = versions[place]!
  if (version.replication === 'PENDING' || version.replication === 'FAILED') return []
  const found: DueAction[] = []
  for (const { rule, scope } of policy.rules) {
    if (!isInScope(scope, version)) continue
    if (place > 0) noncurrentActions(found, policy, rule, scope, versions, place)
    else if (isMarker(version)) markerRemoval(found, rule, version.lastModified, versions.length)
    else currentActions(found, policy, rule, scope, version)
  }
  return found
}

function currentActions(
  found: DueAction[],
  policy: LifecyclePolicy,
  rule: RuleDocument,
  scope: RuleScope,
  object: ObjectRecord,
): void {
  const { ID = '', Transition = [], Expiration } = rule
  for (const step of Transition) {
    if (mayMove(policy, scope, object, step)) {
      found.push({ kind: 'transition', to: step.StorageClass, rule: ID, day: actionDay(step, object.lastModified) })
    }
  }
  if (Expiration === undefined || Expiration.ExpiredObjectDeleteMarker !== undefined) return
  const day = actionDay(Expiration, object.lastModified)
  if (isReplacedByMarker(policy, object)) found.push({ kind: 'mark', rule: ID, day })
  else found.push(...deletion(object, ID, day))
}

// In a suspended bucket a marker takes the place of the version null: that is a deletion.
function isReplacedByMarker({ versioning }: LifecyclePolicy, { versionId }: ObjectRecord): boolean {
  return versioning === 'Enabled' || (versioning === 'Suspended' && versionId !== undefined)
}

// A lock puts a deletion off to the first midnight at which it is over; a legal hold has no end.
function deletion(version: VersionRecord, rule: string, day: number): DueAction[] {
  if (isMarker(version)) return [{ kind: 'delete', rule, day }]
  if (version.legalHold) return []
  const free = version.retention ? Math.ceil(version.retention.until / dayMs) : 0
  return [{ kind: 'delete', rule, day: Math.max(day, free) }]
}

// A marker goes only when nothing is behind it.
function markerRemoval(found: DueAction[], { ID = '', Expiration }: RuleDocument, since: number, count: number): void {
  if (Expiration === undefined || count > 1) return
  if (Expiration.ExpiredObjectDeleteMarker === undefined) {
    found.push({ kind: 'delete', rule: ID, day: actionDay(Expiration, since) })
  } else if (Expiration.ExpiredObjectDeleteMarker) {
    found.push({ kind: 'delete', rule: ID, day: dueDay(since, 0) })
  }
}

function noncurrentActions(
  found: DueAction[],
  policy: LifecyclePolicy,
  rule: RuleDocument,
  scope: RuleScope,
  versions: readonly VersionRecord[],
  place: number,
): void {
  if (policy.versioning === undefined) return
  const version = versions[place]!
  const { ID = '', NoncurrentVersionTransition = [], NoncurrentVersionExpiration: expiration } = rule
  // Markers are no versions that a rule could keep.
  const newer = versions.slice(1, place).filter((one) => !isMarker(one)).length
  const day = ({ NoncurrentDays }: NoncurrentDocument) => dueDay(version.noncurrentSince!, NoncurrentDays)
  const isKept = ({ NewerNoncurrentVersions = 0 }: NoncurrentDocument) => newer < NewerNoncurrentVersions
  for (const step of NoncurrentVersionTransition) {
    if (!isMarker(version) && !isKept(step) && mayMove(policy, scope, version, step)) {
      found.push({ kind: 'transition', to: step.StorageClass!, rule: ID, day: day(step) })
    }
  }
  if (expiration && !isKept(expiration)) found.push(...deletion(version, ID, day(expiration)))
}

function mayMove(
  { minimumSize }: LifecyclePolicy,
  { above, below }: RuleScope,
  { size, storageClass }: ObjectRecord,
  { StorageClass: to }: TransitionDocument | NoncurrentDocument,
): boolean {
  const hasOwnSize = above !== undefined || below !== undefined
  return mayFall(storageClass, to!) && (hasOwnSize || isLargeEnough(size, to!, minimumSize))
}

const order: Readonly<Record<DueAction['kind'], number>> = { delete: 0, transition: 1, mark: 2 }

/** The one action of a day among those that are due by it: deletion, then transition, then delete marker; of two alike what was due first, else the first rule. */
export function actionOf(day: number, actions: readonly DueAction[]): DueAction | undefined {
  const [first] = actions
    .filter((action) => action.day <= day)
    .sort(
      (a, b) =>
        order[a.kind] - order[b.kind] ||
        preferredClasses.indexOf(a.to ?? '') - preferredClasses.indexOf(b.to ?? '') ||
        a.day - b.day,
    )
  return first
}
