import { type CompiledRule, matches } from './compiled-rule'
import { dayMs, dueAfterDays, dueAt, midnightFrom } from './due'
import { type KeyState, newerNoncurrent, type Versioning, type VersionState } from './key-state'
import { canTransition, isTooSmall, type MinimumSizeMode, type TransitionClass, transitionPreference } from './storage-class'
import { isReplicationBlocked } from './stored-object'

/** What lifecycle does to a version. */
export type LifecycleAction =
  /** To another class. */
  | 'transition'
  /** Deletes for good. */
  | 'delete'
  /** Makes the current version noncurrent. */
  | 'add-delete-marker'
  /** Takes a marker away that hides nothing. */
  | 'remove-delete-marker'

/** An action that will be due on a version as things stand. */
export interface Candidate {
  readonly action: LifecycleAction
  readonly rule: CompiledRule
  readonly dueMs: number
  readonly to: TransitionClass | undefined
  /** The time that days are counted from. */
  readonly baseMs: number
  /** `undefined` for an action by date, or that needs no age. */
  readonly days: number | undefined
}

/** Where a simulation takes place. */
export interface Setting {
  readonly rules: readonly CompiledRule[]
  readonly versioning: Versioning
  readonly mode: MinimumSizeMode
}

/** All actions that will be due on the version at a place, as things stand. What can never be is left out. */
export function candidatesOf(setting: Setting, state: KeyState, place: number): Candidate[] {
  const version = state.versions[place]!
  if (isReplicationBlocked(version.replicationStatus)) return []
  const found: Candidate[] = []
  const object = { key: state.key, sizeBytes: version.sizeBytes, tags: version.tags }
  for (const rule of setting.rules) {
    if (!matches(rule, object)) continue
    if (place > 0) addNoncurrent(found, setting, state, place, rule)
    else if (version.isDeleteMarker) addMarkerRemoval(found, state, version, rule)
    else addCurrent(found, setting, version, rule)
  }
  return found
}

function addCurrent(found: Candidate[], setting: Setting, version: VersionState, rule: CompiledRule): void {
  const baseMs = version.lastModifiedMs
  for (const step of rule.transitions) {
    if (!mayMove(setting, version, rule, step.to)) continue
    const days = step.kind === 'days' ? step.days : undefined
    found.push({ action: 'transition', rule, dueMs: dueAt(step, baseMs), to: step.to, baseMs, days })
  }
  if (rule.expiration === undefined) return
  const days = rule.expiration.kind === 'days' ? rule.expiration.days : undefined
  const isForGood = expiresForGood(setting.versioning, version)
  const dueMs = dueAt(rule.expiration, baseMs)
  if (isForGood && version.lockedUntilMs === Number.POSITIVE_INFINITY) return
  found.push({
    action: isForGood ? 'delete' : 'add-delete-marker',
    rule,
    dueMs: isForGood ? afterLock(version, dueMs) : dueMs,
    to: undefined,
    baseMs,
    days,
  })
}

/** In a suspended bucket the marker has the version id null and replaces a current version of that id. */
export function expiresForGood(versioning: Versioning, version: VersionState): boolean {
  return versioning === 'unversioned' || (versioning === 'suspended' && version.versionId === 'null')
}

function addMarkerRemoval(found: Candidate[], state: KeyState, marker: VersionState, rule: CompiledRule): void {
  if (state.versions.length > 1) return
  const baseMs = marker.lastModifiedMs
  // It must also have become lone before the run: decisions of a midnight are taken on the state before it.
  const loneDueMs = dueAfterDays(marker.loneSinceMs, 0)
  if (rule.expiration !== undefined) {
    const days = rule.expiration.kind === 'days' ? rule.expiration.days : undefined
    const dueMs = Math.max(dueAt(rule.expiration, baseMs), loneDueMs)
    found.push({ action: 'remove-delete-marker', rule, dueMs, to: undefined, baseMs, days })
  }
  if (rule.removesExpiredMarkers) {
    found.push({ action: 'remove-delete-marker', rule, dueMs: loneDueMs, to: undefined, baseMs, days: undefined })
  }
}

function addNoncurrent(found: Candidate[], setting: Setting, state: KeyState, place: number, rule: CompiledRule): void {
  if (setting.versioning === 'unversioned') return
  const version = state.versions[place]!
  const baseMs = version.noncurrentSinceMs!
  const newer = newerNoncurrent(state, place)
  for (const step of rule.noncurrentTransitions) {
    if (version.isDeleteMarker || newer < step.newer || !mayMove(setting, version, rule, step.to)) continue
    found.push({ action: 'transition', rule, dueMs: dueAfterDays(baseMs, step.days), to: step.to, baseMs, days: step.days })
  }
  const expiration = rule.noncurrentExpiration
  if (expiration === undefined || newer < expiration.newer || version.lockedUntilMs === Number.POSITIVE_INFINITY) return
  const dueMs = afterLock(version, dueAfterDays(baseMs, expiration.days))
  found.push({ action: 'delete', rule, dueMs, to: undefined, baseMs, days: expiration.days })
}

function mayMove(setting: Setting, version: VersionState, rule: CompiledRule, to: TransitionClass): boolean {
  return canTransition(version.storageClass, to) && (rule.hasSizeFilter || !isTooSmall(version.sizeBytes, to, setting.mode))
}

function afterLock(version: VersionState, dueMs: number): number {
  return Math.max(dueMs, midnightFrom(version.lockedUntilMs))
}

const rank: Record<LifecycleAction, number> = { delete: 0, 'remove-delete-marker': 0, transition: 1, 'add-delete-marker': 2 }

/**
 * The one action of a midnight among those that are due: deletion before transition before delete marker; among transitions by
 * {@link transitionPreference}; then what was due first, then the first rule (user guide, "Conflicting lifecycle actions").
 */
export function chooseAction(candidates: readonly Candidate[], midnightMs: number): Candidate | undefined {
  let best: Candidate | undefined
  for (const candidate of candidates) {
    if (candidate.dueMs <= midnightMs && (best === undefined || goesBefore(candidate, best))) best = candidate
  }
  return best
}

function goesBefore(a: Candidate, b: Candidate): boolean {
  const byRank = rank[a.action] - rank[b.action]
  if (byRank !== 0) return byRank < 0
  if (a.to !== undefined && b.to !== undefined && a.to !== b.to)
    return transitionPreference.indexOf(a.to) < transitionPreference.indexOf(b.to)
  return a.dueMs !== b.dueMs ? a.dueMs < b.dueMs : a.rule.order < b.rule.order
}

/** Why an action is taken, as a sentence for people. */
export function reasonOf(chosen: Candidate, candidates: readonly Candidate[], midnightMs: number): string {
  const base = new Date(chosen.baseMs).toISOString()
  const since =
    chosen.action === 'delete' && chosen.rule.noncurrentExpiration !== undefined && chosen.rule.expiration === undefined
      ? 'it became noncurrent'
      : 'its base'
  const age =
    chosen.days === undefined
      ? chosen.rule.removesExpiredMarkers && chosen.action === 'remove-delete-marker'
        ? 'the marker is the only version left'
        : `the date of the rule has come`
      : `${chosen.days} ${chosen.days === 1 ? 'day' : 'days'} after ${since} (${base}), then the next midnight UTC`
  const late = Math.round((midnightMs - chosen.dueMs) / dayMs)
  const lateText = late > 0 ? `; due ${late} ${late === 1 ? 'day' : 'days'} before` : ''
  const losers = candidates.filter((other) => other !== chosen && other.dueMs <= midnightMs)
  const beaten = losers.map(({ action, to, rule }) => `${to === undefined ? action : `transition to ${to}`} of "${rule.id}"`)
  return `${age}${lateText}${beaten.length === 0 ? '' : `; goes before ${beaten.join(', ')}`}`
}
