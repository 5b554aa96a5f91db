import { isMarker, type MarkerRecord, type ObjectRecord, type VersionRecord } from './object-record'
import { createSortedKeys, type KeyCursor, type SortedKeys } from './sorted-keys'

/**
 * All versions of all keys (ordered form). Current objects stand in a map of their own, as if there were no versions: a bucket that never had any pays
 * nothing. Everything else, newest first, stands behind: noncurrent versions, and a delete marker that is current.
 */
export interface VersionStack {
  /** Current objects only. */
  readonly objects: ReadonlyMap<string, ObjectRecord>
  /** How many versions and markers there are behind the current objects. */
  readonly otherCount: number
  /** Newest first; empty for a key that has nothing. */
  versions(ordered: string): readonly VersionRecord[]
  /** Makes a version the current one. A version of the same id goes and is returned; the one that was current becomes noncurrent. */
  push(ordered: string, version: VersionRecord): VersionRecord | undefined
  /** Puts a version in the place of the one of the same id, which is returned. */
  replace(ordered: string, version: VersionRecord): VersionRecord | undefined
  /** Takes a version away and returns it; the next one becomes current. */
  remove(ordered: string, versionId: string | undefined): VersionRecord | undefined
  /** A cursor over the current objects. */
  seek(ordered: string): KeyCursor
  /** A cursor over all keys that have a version or a marker. */
  seekAll(ordered: string): KeyCursor
  all(): Iterable<VersionRecord>
  /** Until then keys may be added in any order, and cursors are not there yet. */
  sort(): void
}

/** An empty stack. */
export function createVersionStack(): VersionStack {
  const objects = new Map<string, ObjectRecord>()
  const others = new Map<string, VersionRecord[]>()
  let otherCount = 0
  let keys: SortedKeys | undefined
  // Keys whose current version is a marker.
  let hidden: SortedKeys | undefined

  function setCurrent(ordered: string, object: ObjectRecord): void {
    if (!objects.has(ordered)) keys?.add(ordered)
    objects.set(ordered, object)
  }

  function dropCurrent(ordered: string): void {
    if (objects.delete(ordered)) keys?.delete(ordered)
  }

  function setOthers(ordered: string, list: VersionRecord[]): void {
    otherCount += list.length - (others.get(ordered)?.length ?? 0)
    if (list.length === 0) others.delete(ordered)
    else others.set(ordered, list)
    if (list.length > 0 && !objects.has(ordered)) hidden?.add(ordered)
    else hidden?.delete(ordered)
  }

  // The list decides everything: its first version is current.
  function setVersions(ordered: string, [first, ...rest]: readonly VersionRecord[]): void {
    if (first === undefined || isMarker(first)) {
      dropCurrent(ordered)
      setOthers(ordered, first === undefined ? [] : [first, ...rest])
    } else {
      setCurrent(ordered, current(first))
      setOthers(ordered, rest)
    }
  }

  function versions(ordered: string): readonly VersionRecord[] {
    const object = objects.get(ordered)
    const behind = others.get(ordered)
    if (object === undefined) return behind ?? []
    return behind === undefined ? [object] : [object, ...behind]
  }

  const at = (list: readonly VersionRecord[], versionId: string | undefined) =>
    list.findIndex((version) => version.versionId === versionId)

  return {
    objects,
    get otherCount() {
      return otherCount
    },
    versions,
    push(ordered, version) {
      const previous = objects.get(ordered)
      // The way of a bucket without versions.
      if (otherCount === 0 && !isMarker(version) && (previous === undefined || previous.versionId === version.versionId)) {
        setCurrent(ordered, version)
        return previous
      }
      const list = [...versions(ordered)]
      const place = at(list, version.versionId)
      const [replaced] = place < 0 ? [] : list.splice(place, 1)
      const [newest, ...older] = list
      // Only what was current stops being so; what stood behind a version that is replaced keeps its own time.
      const behind = newest === undefined ? [] : [place === 0 ? newest : noncurrent(newest, version.lastModified), ...older]
      setVersions(ordered, [version, ...behind])
      return replaced
    },
    replace(ordered, version) {
      const list = [...versions(ordered)]
      const place = at(list, version.versionId)
      if (place < 0) return undefined
      const [replaced] = list.splice(place, 1, version)
      setVersions(ordered, list)
      return replaced
    },
    remove(ordered, versionId) {
      const list = [...versions(ordered)]
      const place = at(list, versionId)
      if (place < 0) return undefined
      const [removed] = list.splice(place, 1)
      const [next, ...rest] = list
      setVersions(ordered, next === undefined ? [] : [current(next), ...rest])
      return removed
    },
    seek: (ordered) => keys!.seek(ordered),
    seekAll: (ordered) => merged(keys!.seek(ordered), hidden!.seek(ordered)),
    *all() {
      yield* objects.values()
      for (const list of others.values()) yield* list
    },
    sort() {
      keys = createSortedKeys([...objects.keys()])
      hidden = createSortedKeys([...others.keys()].filter((key) => !objects.has(key)))
    },
  }
}

function noncurrent(version: VersionRecord, since: number): VersionRecord {
  return { ...version, noncurrentSince: since }
}

function current<V extends MarkerRecord | ObjectRecord>(version: V): V {
  if (version.noncurrentSince === undefined) return version
  const { noncurrentSince: _, ...rest } = version
  return rest as V
}

/** Two cursors over different keys as one. */
function merged(a: KeyCursor, b: KeyCursor): KeyCursor {
  const first = (): KeyCursor => {
    const [keyA, keyB] = [a.key(), b.key()]
    return keyB === undefined || (keyA !== undefined && keyA < keyB) ? a : b
  }
  return { key: () => first().key(), next: () => first().next() }
}
