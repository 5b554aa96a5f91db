import { checkOptions } from '@pipe/core/internal'
import { compileRules, minimumSizeModeOf } from './compiled-rule'
import type { LifecycleConfiguration } from './configuration'
import { type Candidate, candidatesOf, chooseAction, type LifecycleAction, reasonOf, type Setting } from './decide'
import { dayMs, dueAfterDays, midnightFrom } from './due'
import { LifecycleError } from './errors'
import { type KeyState, keyStateOf, type Versioning, type VersionState } from './key-state'
import { type Stay, staysOf } from './stays'
import type { TransitionClass } from './storage-class'
import type { PendingUpload, StoredObject } from './stored-object'

/** Options of {@link simulateLifecycle}. */
export interface SimulateOptions {
  /** From when the rules are in force. What was due before acts at the first midnight from here. */
  readonly from: Date
  /** The last midnight that acts is the one before this. */
  readonly to: Date
  /** Default `'unversioned'`. */
  readonly versioning?: Versioning | undefined
}

/** Something that happens to one version. */
export interface LifecycleEvent {
  /** Midnight UTC. S3 may come days later; billing changes on this date. */
  readonly date: Date
  /** When it was due: `date`, or earlier when the rules were not yet in force. */
  readonly dueAt: Date
  readonly action: LifecycleAction
  /** Id of the rule, `#3` for the fourth rule when it has none. */
  readonly rule: string
  readonly why: string
  readonly key: string
  readonly versionId: string
  readonly sizeBytes: number
  /** Class before. */
  readonly from: string
  /** Class after; only of a transition. */
  readonly to: TransitionClass | undefined
  /** Days in the class that it leaves, for minimum storage durations. */
  readonly daysInClass: number
}

/** A version that is left at the end. */
export interface VersionAtEnd {
  readonly versionId: string
  readonly storageClass: string
  readonly sizeBytes: number
  readonly lastModified: Date
  readonly isLatest: boolean
  readonly isDeleteMarker: boolean
  readonly noncurrentSince: Date | undefined
}

/** What becomes of one key. */
export interface KeyOutcome {
  readonly key: string
  /** In the order of time. */
  readonly events: readonly LifecycleEvent[]
  /** Newest first; empty when nothing is left. */
  readonly versions: readonly VersionAtEnd[]
  /** Actions that a rule asks for and that do not happen, with the reason. */
  readonly stays: readonly Stay[]
}

/**
 * What lifecycle does to objects, midnight by midnight, key by key. Pure, lazy, memory of one key. All decisions of a midnight are taken on
 * the state before it; each version takes part in one action a day.
 *
 * Versions of one key must stand together, newest first, as ListObjectVersions gives them.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INPUT` for objects or times that make no sense.
 * @example
 * ```ts
 * for (const { key, events } of simulateLifecycle(rules, objects, { from, to })) {
 *   for (const { date, action, rule, why } of events) console.log(key, date.toISOString(), action, rule, why)
 * }
 * ```
 */
export function* simulateLifecycle(
  configuration: LifecycleConfiguration,
  objects: Iterable<StoredObject>,
  options: SimulateOptions,
): Generator<KeyOutcome, void, undefined> {
  checkOptions('simulateLifecycle', options, { required: ['from', 'to'], optional: ['versioning'] })
  const { versioning = 'unversioned' } = options
  const [fromMs, toMs] = [timeOf('from', options.from), timeOf('to', options.to)]
  const setting: Setting = { rules: compileRules(configuration), versioning, mode: minimumSizeModeOf(configuration) }
  let group: StoredObject[] = []
  for (const object of objects) {
    if (group.length > 0 && group[0]!.key !== object.key) {
      yield simulateKey(setting, keyStateOf(group, versioning), fromMs, toMs)
      group = []
    }
    group.push(object)
  }
  if (group.length > 0) yield simulateKey(setting, keyStateOf(group, versioning), fromMs, toMs)
}

function timeOf(name: string, date: Date): number {
  const time = date instanceof Date ? date.getTime() : Number.NaN
  if (Number.isNaN(time)) throw new LifecycleError('PIPE_LIFECYCLE_INPUT', `simulateLifecycle: ${name} is no valid Date.`)
  return time
}

function simulateKey(setting: Setting, state: KeyState, fromMs: number, toMs: number): KeyOutcome {
  const events: LifecycleEvent[] = []
  for (let midnightMs = midnightFrom(fromMs); ; ) {
    // Every candidate can act once it is due, so the next midnight that matters is that of the earliest.
    const candidates = state.versions.map((_, place) => candidatesOf(setting, state, place))
    const next = Math.min(...candidates.flat().map(({ dueMs }) => dueMs))
    midnightMs = Math.max(midnightMs, midnightFrom(next))
    if (!(midnightMs < toMs)) break
    runMidnight(setting, state, candidates, midnightMs, events)
    midnightMs += dayMs
  }
  return {
    key: state.key,
    events,
    versions: state.versions.map((version, place) => atEnd(version, place)),
    stays: staysOf(setting, state, toMs),
  }
}

function atEnd(version: VersionState, place: number): VersionAtEnd {
  return {
    versionId: version.versionId,
    storageClass: version.storageClass,
    sizeBytes: version.sizeBytes,
    lastModified: new Date(version.lastModifiedMs),
    isLatest: place === 0,
    isDeleteMarker: version.isDeleteMarker,
    noncurrentSince: version.noncurrentSinceMs === undefined ? undefined : new Date(version.noncurrentSinceMs),
  }
}

function runMidnight(
  setting: Setting,
  state: KeyState,
  candidates: readonly (readonly Candidate[])[],
  midnightMs: number,
  events: LifecycleEvent[],
): void {
  const before = [...state.versions]
  before.forEach((version, place) => {
    const chosen = chooseAction(candidates[place]!, midnightMs)
    // A marker with the id null may have replaced the version in the same run.
    if (chosen === undefined || !state.versions.includes(version)) return
    const note = (subject: VersionState, action: LifecycleAction, why: string) =>
      events.push({
        date: new Date(midnightMs),
        dueAt: new Date(chosen.dueMs),
        action,
        rule: chosen.rule.id,
        why,
        key: state.key,
        versionId: subject.versionId,
        sizeBytes: subject.sizeBytes,
        from: subject.storageClass,
        to: chosen.to,
        daysInClass: (midnightMs - subject.classSinceMs) / dayMs,
      })
    note(version, chosen.action, reasonOf(chosen, candidates[place]!, midnightMs))
    const replaced = apply(setting, state, version, chosen, midnightMs)
    if (replaced !== undefined) note(replaced, 'delete', 'the delete marker has the version id null, as this version had')
  })
  const [only] = state.versions
  if (state.versions.length === 1 && only!.isDeleteMarker && before.length > 1) only!.loneSinceMs = midnightMs
}

/** @returns another version that goes with it. */
function apply(
  setting: Setting,
  state: KeyState,
  version: VersionState,
  chosen: Candidate,
  midnightMs: number,
): VersionState | undefined {
  if (chosen.action === 'transition') {
    version.storageClass = chosen.to!
    version.classSinceMs = midnightMs
    return undefined
  }
  const isCurrent = version.noncurrentSinceMs === undefined
  if (chosen.action === 'add-delete-marker') version.noncurrentSinceMs = midnightMs
  else state.versions.splice(state.versions.indexOf(version), 1)
  const isExpiry = isCurrent && chosen.action !== 'remove-delete-marker'
  return isExpiry && setting.versioning !== 'unversioned' ? addMarker(setting, state, midnightMs) : undefined
}

/** In a suspended bucket the marker has the id null and replaces whatever has it, which is returned. */
function addMarker(setting: Setting, state: KeyState, midnightMs: number): VersionState | undefined {
  const isSuspended = setting.versioning === 'suspended'
  const place = isSuspended ? state.versions.findIndex(({ versionId }) => versionId === 'null') : -1
  const [replaced] = place < 0 ? [] : state.versions.splice(place, 1)
  state.versions.unshift({
    versionId: isSuspended ? 'null' : `marker-${new Date(midnightMs).toISOString().slice(0, 10)}`,
    sizeBytes: 0,
    lastModifiedMs: midnightMs,
    isDeleteMarker: true,
    tags: undefined,
    replicationStatus: undefined,
    lockedUntilMs: 0,
    storageClass: 'STANDARD',
    classSinceMs: midnightMs,
    noncurrentSinceMs: undefined,
    loneSinceMs: midnightMs,
  })
  return replaced
}

/** An upload that lifecycle aborts. */
export interface UploadOutcome {
  readonly upload: PendingUpload
  /** Midnight UTC; `undefined` when no rule aborts it before `to`. */
  readonly abortedAt: Date | undefined
  readonly rule: string | undefined
}

/**
 * When pending uploads are aborted: the earliest rule whose prefix matches.
 *
 * @example
 * ```ts
 * for (const { upload, abortedAt } of simulateUploads(rules, uploads, { from, to })) …
 * ```
 */
export function* simulateUploads(
  configuration: LifecycleConfiguration,
  uploads: Iterable<PendingUpload>,
  options: Omit<SimulateOptions, 'versioning'>,
): Generator<UploadOutcome, void, undefined> {
  checkOptions('simulateUploads', options, { required: ['from', 'to'] })
  const [fromMs, toMs] = [timeOf('from', options.from), timeOf('to', options.to)]
  const rules = compileRules(configuration).filter((rule) => rule.isEnabled && rule.abortAfterDays !== undefined)
  for (const upload of uploads) {
    let dueMs = Number.POSITIVE_INFINITY
    let rule: string | undefined
    for (const candidate of rules) {
      if (!upload.key.startsWith(candidate.prefix)) continue
      const due = dueAfterDays(upload.initiated.getTime(), candidate.abortAfterDays!)
      if (due < dueMs) [dueMs, rule] = [due, candidate.id]
    }
    const atMs = Math.max(dueMs, midnightFrom(fromMs))
    yield atMs < toMs ? { upload, abortedAt: new Date(atMs), rule } : { upload, abortedAt: undefined, rule: undefined }
  }
}
