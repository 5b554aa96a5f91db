import { type CompiledRule, matches } from './compiled-rule'
import type { Setting } from './decide'
import { dueAfterDays, dueAt } from './due'
import { type KeyState, newerNoncurrent, type VersionState } from './key-state'
import { canTransition, isTooSmall, isTransitionClass, smallObjectBytes, type TransitionClass } from './storage-class'
import { isReplicationBlocked } from './stored-object'

/** Something that a rule asks for and that does not happen. */
export interface Stay {
  readonly versionId: string
  readonly reason: 'too-small' | 'replication-pending' | 'replication-failed' | 'locked' | 'kept-newest' | 'class'
  readonly rule: string
  readonly why: string
}

/** What is due before `toMs` on the versions that are left, and is held back. */
export function staysOf(setting: Setting, state: KeyState, toMs: number): readonly Stay[] {
  const stays: Stay[] = []
  state.versions.forEach((version, place) => {
    for (const rule of setting.rules) {
      if (!matches(rule, { key: state.key, sizeBytes: version.sizeBytes, tags: version.tags })) continue
      const asked = askedFor(rule, state, version, place, toMs)
      if (asked.length === 0) continue
      const note = (reason: Stay['reason'], why: string) =>
        stays.push({ versionId: version.versionId, reason, rule: rule.id, why })
      if (isReplicationBlocked(version.replicationStatus)) {
        const reason = version.replicationStatus === 'FAILED' ? 'replication-failed' : 'replication-pending'
        note(reason, `replication is ${version.replicationStatus}: lifecycle neither moves nor deletes it`)
        continue
      }
      for (const action of asked) noteHeld(setting, rule, version, action, note)
    }
  })
  return stays
}

interface Asked {
  readonly to: TransitionClass | undefined
  readonly isKept: boolean
  readonly isForGood: boolean
}

/** The actions of a rule that are due on a version before `toMs`. */
function askedFor(rule: CompiledRule, state: KeyState, version: VersionState, place: number, toMs: number): Asked[] {
  const asked: Asked[] = []
  if (place === 0) {
    if (version.isDeleteMarker) return asked
    for (const step of rule.transitions)
      if (dueAt(step, version.lastModifiedMs) < toMs) asked.push({ to: step.to, isKept: false, isForGood: false })
    if (rule.expiration !== undefined && dueAt(rule.expiration, version.lastModifiedMs) < toMs)
      asked.push({ to: undefined, isKept: false, isForGood: true })
    return asked
  }
  const base = version.noncurrentSinceMs!
  const newer = newerNoncurrent(state, place)
  for (const step of version.isDeleteMarker ? [] : rule.noncurrentTransitions)
    if (dueAfterDays(base, step.days) < toMs) asked.push({ to: step.to, isKept: newer < step.newer, isForGood: false })
  const expiration = rule.noncurrentExpiration
  if (expiration !== undefined && dueAfterDays(base, expiration.days) < toMs)
    asked.push({ to: undefined, isKept: newer < expiration.newer, isForGood: true })
  return asked
}

function noteHeld(
  setting: Setting,
  rule: CompiledRule,
  version: VersionState,
  asked: Asked,
  note: (reason: Stay['reason'], why: string) => void,
): void {
  const { to } = asked
  if (asked.isKept) note('kept-newest', 'it is one of the newest noncurrent versions that the rule keeps')
  else if (to !== undefined && canTransition(version.storageClass, to)) {
    if (!rule.hasSizeFilter && isTooSmall(version.sizeBytes, to, setting.mode)) {
      const small = smallObjectBytes.toLocaleString('en')
      note(
        'too-small',
        `it stays in ${version.storageClass} and does not move to ${to}: ${version.sizeBytes} B is less than ${small} B (${setting.mode})`,
      )
    }
  } else if (to !== undefined && to !== version.storageClass && !hasPassed(version.storageClass, to)) {
    note('class', `it is in ${version.storageClass}, which cannot become ${to}`)
  } else if (asked.isForGood && version.lockedUntilMs > 0) {
    const until =
      version.lockedUntilMs === Number.POSITIVE_INFINITY
        ? 'by a legal hold'
        : `until ${new Date(version.lockedUntilMs).toISOString()}`
    note('locked', `it is locked ${until}`)
  }
}

/** Whether an object in this class has been in, or gone past, the other. */
function hasPassed(storageClass: string, to: TransitionClass): boolean {
  return isTransitionClass(storageClass) && canTransition(to, storageClass)
}
