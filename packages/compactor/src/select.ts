import { type ObjectStore, type ObjectSummary, type Window, windowOf } from '@pipe/core'
import type { Compaction } from './define'
import { parseCommitKey, parseSettledKey, type SettledMarker, type StateKeys } from './state'

/** A raw object that belongs to no window, and why. Reported with every run that sees it; never compacted, never passed over silently. */
export interface UnplacedObject {
  /** `s3://bucket/key`. */
  readonly uri: string
  readonly reason: string
}

/** What one look at source and state shows of a window. */
export interface WindowSurvey {
  readonly window: Window
  /** The window's raw objects, in order of their keys. */
  readonly files: readonly ObjectSummary[]
  /** Sequence numbers that have a commit, ascending. */
  readonly commits: readonly number[]
  /** The markers of the window, in no order. */
  readonly markers: readonly SettledMarker[]
}

/** The windows a run looks at: the one that ended last at `at` (less the grace) and, oldest first, those of the sweep before it. */
export function windowsAt(compaction: Compaction, at: Date): { readonly last: Window; readonly sweep: readonly Window[] } {
  const { window, windowMs, graceMs } = compaction
  const last = windowOf(window, at.getTime() - graceMs - windowMs)
  const sweep: Window[] = []
  for (let back = compaction.sweep; back > 0; back--) sweep.push(windowOf(window, last.start.getTime() - back * windowMs))
  return { last, sweep }
}

/**
 * Looks at source and state of consecutive windows with three listings: the raw objects of the partitions that hold them, the commits and
 * the markers.
 */
export async function surveyWindows(
  compaction: Compaction,
  stores: { readonly source: ObjectStore; readonly target: ObjectStore },
  keys: StateKeys,
  windows: readonly Window[],
  signal: AbortSignal | undefined,
): Promise<{ readonly windows: ReadonlyMap<string, WindowSurvey>; readonly unplaced: readonly UnplacedObject[] }> {
  const first = windows[0]!
  const last = windows.at(-1)!
  const [sources, commits, markers] = await Promise.all([
    listSources(compaction, stores.source, first, last, signal),
    listState(stores.target, keys.commits, keys.commitsFrom(first.id), last.id, parseCommitKey, signal),
    listState(stores.target, keys.settled, keys.settledFrom(first.id), last.id, parseSettledKey, signal),
  ])
  const surveys = windows.map((window): [string, WindowSurvey] => [
    window.id,
    {
      window,
      files: sources.byWindow.get(window.id) ?? [],
      commits: (commits.get(window.id) ?? []).map(({ seq }) => seq).sort((a, b) => a - b),
      markers: markers.get(window.id) ?? [],
    },
  ])
  return { windows: new Map(surveys), unplaced: sources.unplaced }
}

/** The raw objects of a single window as they are now. */
export async function listWindow(
  compaction: Compaction,
  source: ObjectStore,
  window: Window,
  signal: AbortSignal | undefined,
): Promise<readonly ObjectSummary[]> {
  return (await listSources(compaction, source, window, window, signal)).byWindow.get(window.id) ?? []
}

async function listSources(
  compaction: Compaction,
  source: ObjectStore,
  first: Window,
  last: Window,
  signal: AbortSignal | undefined,
): Promise<{ readonly byWindow: ReadonlyMap<string, ObjectSummary[]>; readonly unplaced: readonly UnplacedObject[] }> {
  const { partitions } = compaction.table
  // Folders of partitions sort as their times do, so one listing from the first to the last names all between them.
  const from = partitions.pathOf(first.start)
  const to = partitions.pathOf(last.start)
  const byWindow = new Map<string, ObjectSummary[]>()
  const unplaced: UnplacedObject[] = []
  for await (const object of source.list({ prefix: commonFolder(from, to), startAfter: from, ...(signal && { signal }) })) {
    if (object.key > to && !object.key.startsWith(to)) break
    // A folder's placeholder, as consoles make them: it holds no data.
    if (object.key.endsWith('/') && object.size === 0) continue
    const at = compaction.keyTime(object.key)
    const reason = whyUnplaced(compaction, object.key, at)
    if (reason !== undefined) unplaced.push({ uri: source.uri(object.key), reason })
    else {
      const { id } = windowOf(compaction.window, at!)
      const files = byWindow.get(id)
      if (files) files.push(object)
      else byWindow.set(id, [object])
    }
  }
  return { byWindow, unplaced }
}

/** Why an object belongs to no window; `undefined` when it does. */
export function whyUnplaced({ table }: Compaction, key: string, at: Date | undefined): string | undefined {
  if (at === undefined || Number.isNaN(at.getTime())) return 'its key names no time'
  const folder = table.partitions.pathOf(at)
  if (!key.startsWith(folder)) return `its key names a time of ${folder}, but it lies elsewhere`
  // Athena passes over such names, so the two engines would disagree.
  if (/(?:^|\/)[_.][^/]*$/.test(key)) return 'its name starts with "_" or ".", which Athena does not read'
  return undefined
}

/** The longest folder that both paths lie in, with its slash; empty when there is none. */
function commonFolder(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return a.slice(0, a.lastIndexOf('/', length - 1) + 1)
}

async function listState<Entry extends { readonly window: string }>(
  target: ObjectStore,
  prefix: string,
  startAfter: string,
  lastWindow: string,
  parse: (key: string) => Entry | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Entry[]>> {
  const byWindow = new Map<string, Entry[]>()
  for await (const { key } of target.list({ prefix, startAfter, ...(signal && { signal }) })) {
    const entry = parse(key)
    if (!entry) continue
    if (entry.window > lastWindow) break
    const entries = byWindow.get(entry.window)
    if (entries) entries.push(entry)
    else byWindow.set(entry.window, [entry])
  }
  return byWindow
}
