import { checkOptions } from '@pipe/core/internal'
import { compileRules, minimumSizeModeOf } from './compiled-rule'
import type { LifecycleConfiguration } from './configuration'
import type { LifecycleAction, Setting } from './decide'
import { LifecycleError } from './errors'
import { evaluatorOf, type Verdict, verdictOfKey } from './evaluator'
import type { Versioning } from './key-state'
import type { TransitionClass } from './storage-class'
import { checkObject, type StoredObject } from './stored-object'

/** Objects counted. */
export interface ObjectCount {
  readonly objects: number
  readonly bytes: number
}

/** An object by name, with the date on which something is due. */
export interface AffectedObject {
  readonly key: string
  readonly versionId: string | undefined
  readonly sizeBytes: number
  readonly lastModified: Date
  /** Midnight UTC. */
  readonly dueAt: Date
}

/** What one rule does, or would do if it could. */
export interface AffectedGroup extends ObjectCount {
  readonly action: LifecycleAction | 'stays'
  /** Why it stays: too small, replication pending or failed, locked. */
  readonly reason: Verdict['reason']
  readonly rule: string
  readonly to: TransitionClass | undefined
  /** The first ten in the order of the listing. */
  readonly first: readonly AffectedObject[]
  readonly earliestDue: Date
  readonly latestDue: Date
  /** Up to the first slash of the key, most objects first; `log-` matches `log-archive/…` too. At most 100; see `otherPrefixes`. */
  readonly prefixes: readonly ({ readonly prefix: string } & ObjectCount)[]
  /** Objects below prefixes that are not listed. */
  readonly otherPrefixes: ObjectCount
}

/** What {@link wouldAffect} found. */
export interface Affected {
  readonly at: Date
  readonly scanned: ObjectCount
  /** By rule and action, in the order in which they were first met. */
  readonly groups: readonly AffectedGroup[]
  /** Deleted for good. */
  readonly deletes: ObjectCount
  /** Hidden behind a new delete marker. */
  readonly deleteMarkers: ObjectCount
  readonly transitions: ObjectCount
  /** Would move, but is too small. */
  readonly tooSmall: ObjectCount
  /** Noncurrent versions whose successor was not beside them in the listing: nothing can be said about them. */
  readonly unplaced: ObjectCount
}

/** Options of {@link wouldAffect}. */
export interface WouldAffectOptions {
  /** The moment that is asked about: what is due by then. */
  readonly at: Date
  /** Default: `'enabled'` when the listing has versions, else `'unversioned'`. */
  readonly versioning?: Versioning | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: { readonly phase: 'evaluate'; readonly done: number; readonly unit: 'objects' }) => void)
    | undefined
}

/**
 * What rules would do to the objects of a listing or an inventory at a moment: streamed, with memory that does not grow with the listing.
 * Of several actions that are due on an object only the one that S3 takes first is counted.
 *
 * Versions of one key must stand together, newest first.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INPUT` for something that is no object.
 * @example
 * ```ts
 * const { deletes, groups } = await wouldAffect(rules, listBucket({ bucket: 'lake' }), { at: new Date() })
 * ```
 */
export async function wouldAffect(
  configuration: LifecycleConfiguration,
  listing: AsyncIterable<StoredObject> | Iterable<StoredObject>,
  options: WouldAffectOptions,
): Promise<Affected> {
  checkOptions('wouldAffect', options, { required: ['at'], optional: ['versioning', 'signal', 'onProgress'] })
  const { at, signal, onProgress } = options
  if (!(at instanceof Date) || Number.isNaN(at.getTime()))
    throw new LifecycleError('PIPE_LIFECYCLE_INPUT', 'wouldAffect: at is no valid Date.')
  const count = createCounter(configuration, options)
  let done = 0
  const take = (object: StoredObject) => {
    count.add(object)
    if (++done % progressEvery === 0) {
      signal?.throwIfAborted()
      onProgress?.({ phase: 'evaluate', done, unit: 'objects' })
    }
  }
  // `for await` costs a promise an object, also of what is at hand.
  if (Symbol.iterator in listing) for (const object of listing) take(object)
  else for await (const object of listing) take(object)
  signal?.throwIfAborted()
  onProgress?.({ phase: 'evaluate', done, unit: 'objects' })
  return count.result()
}

const progressEvery = 65_536
const firstObjects = 10
const listedPrefixes = 100
/** Distinct prefixes that are counted one by one; a bucket without folders has as many as objects. */
const heldPrefixes = 10_000

interface Group {
  readonly verdict: Verdict
  objects: number
  bytes: number
  first: AffectedObject[]
  earliestMs: number
  latestMs: number
  prefixes: Map<string, { objects: number; bytes: number }>
  other: { objects: number; bytes: number }
}

/** Counts objects one by one: the streaming part of {@link wouldAffect}. */
export interface AffectedCounter {
  add(object: StoredObject): void
  result(): Affected
}

/** See {@link wouldAffect}. */
export function createCounter(
  configuration: LifecycleConfiguration,
  options: Pick<WouldAffectOptions, 'at' | 'versioning'>,
): AffectedCounter {
  const { at } = options
  const atMs = at.getTime()
  const rules = compileRules(configuration)
  const mode = minimumSizeModeOf(configuration)
  const setting = (versioning: Versioning): Setting => ({ rules, mode, versioning })
  const evaluate = evaluatorOf(setting(options.versioning ?? 'unversioned'), atMs)
  const versioned = setting(options.versioning ?? 'enabled')
  // Weak: verdicts of the index are few and stay, those of single keys go.
  const byVerdict = new WeakMap<Verdict, Group>()
  const groups = new Map<string, Group>()
  const scanned = { objects: 0, bytes: 0 }
  const unplaced = { objects: 0, bytes: 0 }
  let versions: StoredObject[] = []

  function note(verdict: Verdict, object: StoredObject): void {
    let group = byVerdict.get(verdict)
    if (group === undefined) {
      const name = `${verdict.action} ${verdict.reason} ${verdict.to} ${verdict.rule}`
      group = groups.get(name) ?? newGroup(verdict)
      groups.set(name, group)
      byVerdict.set(verdict, group)
    }
    addTo(group, verdict, object)
  }

  function finishKey(): void {
    if (versions.length === 0) return
    const key = versions
    versions = []
    if (key[0]!.isLatest === false && key[0]!.noncurrentSince === undefined) {
      for (const object of key) add(unplaced, object)
      return
    }
    verdictOfKey(versioned, key, atMs).forEach((verdict, i) => {
      if (verdict !== undefined) note(verdict, key[i]!)
    })
  }

  return {
    add(object) {
      if (scanned.objects < 1000) checkObject('wouldAffect', object)
      add(scanned, object)
      if (object.versionId === undefined && object.isLatest === undefined) {
        const verdict = evaluate(object)
        if (verdict !== undefined) note(verdict, object)
        return
      }
      if (versions.length > 0 && versions[0]!.key !== object.key) finishKey()
      versions.push(object)
    },
    result() {
      finishKey()
      const all = [...groups.values()].map(groupResult)
      const sum = (test: (group: AffectedGroup) => boolean) => {
        const total = { objects: 0, bytes: 0 }
        for (const group of all.filter(test)) {
          total.objects += group.objects
          total.bytes += group.bytes
        }
        return total
      }
      return {
        at,
        scanned,
        groups: all,
        deletes: sum(({ action }) => action === 'delete' || action === 'remove-delete-marker'),
        deleteMarkers: sum(({ action }) => action === 'add-delete-marker'),
        transitions: sum(({ action }) => action === 'transition'),
        tooSmall: sum(({ reason }) => reason === 'too-small'),
        unplaced,
      }
    },
  }
}

function newGroup(verdict: Verdict): Group {
  return {
    verdict,
    objects: 0,
    bytes: 0,
    first: [],
    earliestMs: Number.POSITIVE_INFINITY,
    latestMs: Number.NEGATIVE_INFINITY,
    prefixes: new Map(),
    other: { objects: 0, bytes: 0 },
  }
}

function add(total: { objects: number; bytes: number }, object: StoredObject): void {
  total.objects++
  total.bytes += object.sizeBytes
}

function addTo(group: Group, verdict: Verdict, object: StoredObject): void {
  add(group, object)
  const dueMs = verdict.dueMs(object.lastModified.getTime())
  if (dueMs < group.earliestMs) group.earliestMs = dueMs
  if (dueMs > group.latestMs) group.latestMs = dueMs
  if (group.first.length < firstObjects) {
    const { key, versionId, sizeBytes, lastModified } = object
    group.first.push({ key, versionId, sizeBytes, lastModified, dueAt: new Date(dueMs) })
  }
  const slash = object.key.indexOf('/')
  const prefix = slash < 0 ? '' : object.key.slice(0, slash + 1)
  const held = group.prefixes.get(prefix)
  if (held !== undefined) add(held, object)
  else if (group.prefixes.size < heldPrefixes) group.prefixes.set(prefix, { objects: 1, bytes: object.sizeBytes })
  else add(group.other, object)
}

function groupResult(group: Group): AffectedGroup {
  const { verdict, objects, bytes, first } = group
  const sorted = [...group.prefixes].map(([prefix, count]) => ({ prefix, ...count })).sort((a, b) => b.objects - a.objects)
  const other = { ...group.other }
  for (const rest of sorted.slice(listedPrefixes)) {
    other.objects += rest.objects
    other.bytes += rest.bytes
  }
  return {
    action: verdict.action,
    reason: verdict.reason,
    rule: verdict.rule,
    to: verdict.to,
    objects,
    bytes,
    first,
    earliestDue: new Date(group.earliestMs),
    latestDue: new Date(group.latestMs),
    prefixes: sorted.slice(0, listedPrefixes),
    otherPrefixes: other,
  }
}
