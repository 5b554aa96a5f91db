import type { Window } from '@pipe/core'
import { compactBatch, type RunContext } from './execute'
import { type OverwrittenObject, remainderOf } from './late'
import { publishWindow } from './publish'
import { listWindow, type WindowSurvey } from './select'
import { type CommitRecord, inputsDigest, readCommit } from './state'

/**
 * How a window ended:
 *
 * - `committed`: this call compacted something of it;
 * - `already-committed`: nothing was left to do, or another process was first;
 * - `empty`: it holds no objects;
 * - `leased-elsewhere`: another process works on it;
 * - `aborted`: its sources kept changing; the next run tries again;
 * - `partial`: the deadline came first; the next run goes on.
 */
export type Outcome = 'committed' | 'already-committed' | 'empty' | 'leased-elsewhere' | 'aborted' | 'partial'

/** What happened to one window, and what its commits hold. */
export interface WindowResult {
  readonly outcome: Outcome
  /** `20261124T1530Z`. */
  readonly window: string
  readonly start: Date
  readonly end: Date
  /** Sequence number of the last commit; absent when there is none. */
  readonly seq?: number | undefined
  /** Objects, rows and bytes: of the commits made by this call; of all commits of the window when it made none. */
  readonly files: number
  readonly inputRows: number
  readonly outputRows: number
  readonly quarantinedRows: number
  readonly inputBytes: number
  readonly outputBytes: number
  /** Compacted files, `s3://…`. */
  readonly outputs: readonly string[]
  /** Files of unreadable rows, `s3://…`. */
  readonly quarantine: readonly string[]
  /** Whether readers of the compacted table see the window. `false` when there is no Athena client to publish through. */
  readonly published: boolean
  /** Source objects that were overwritten after their commit: their new content is not compacted. */
  readonly overwritten: readonly OverwrittenObject[]
  /** Why it was aborted. */
  readonly reason?: string | undefined
}

/** How often a window is planned afresh in one run because its sources change. */
const maxRounds = 5

/** Commits that were read before. They never change, so a warm function need not read them again. */
export interface CommitCache {
  read(context: RunContext, window: string, seq: number): Promise<CommitRecord>
}

/** A cache of the last few commits. */
export function commitCache(capacity = 64): CommitCache {
  const known = new Map<string, CommitRecord>()
  return {
    async read({ target, keys, signal }, window, seq) {
      const key = keys.commit(window, seq)
      const commit = known.get(key) ?? (await readCommit(target, key, signal))
      known.delete(key)
      known.set(key, commit)
      if (known.size > capacity) known.delete(known.keys().next().value!)
      return commit
    },
  }
}

/** A window whose marker says that nothing is left to do: no request is made for it. */
export function isSettled({ files, commits, markers }: WindowSurvey, mustPublish: boolean): boolean {
  const seq = commits.at(-1)
  if (seq === undefined) return files.length === 0
  const candidates = markers.filter((marker) => marker.seq === seq && (marker.published || !mustPublish))
  if (candidates.length === 0) return false
  const digest = inputsDigest(files)
  return candidates.some((marker) => marker.digest === digest)
}

/** Commits of a window, in order. */
export function chainOf(context: RunContext, cache: CommitCache, { window, commits }: WindowSurvey): Promise<CommitRecord[]> {
  return Promise.all(commits.map((seq) => cache.read(context, window.id, seq)))
}

/**
 * Compacts what a window still holds, sequence number by sequence number, publishes it, and leaves a marker when nothing is left.
 *
 * @param mayGoOn asked before each batch; `false` ends with `partial`.
 */
export async function compactWindow(
  context: RunContext,
  cache: CommitCache,
  survey: WindowSurvey,
  mayGoOn: () => boolean,
): Promise<WindowResult> {
  const { window } = survey
  const chain = await chainOf(context, cache, survey)
  const ours: CommitRecord[] = []
  let { files } = survey
  let { fresh, overwritten } = remainderOf(files, chain)
  let isPartial = false
  for (let round = 0; fresh.length > 0 && round < maxRounds; round++) {
    if (!mayGoOn()) {
      isPartial = true
      break
    }
    const batch = await compactBatch(context, window, (chain.at(-1)?.seq ?? -1) + 1, fresh)
    if (batch !== 'replan') {
      chain.push(batch.commit)
      if (batch.isOurs) ours.push(batch.commit)
    }
    // What was listed before holds unless a source has changed.
    if (batch === 'replan' || batch.commit.outcome === 'aborted') {
      files = await listWindow(context.compaction, context.source, window, context.signal)
    }
    ;({ fresh, overwritten } = remainderOf(files, chain))
  }
  const published = await settle(context, survey, chain, files, fresh.length === 0 && overwritten.length === 0)
  return describe(context, window, { chain, ours, isPartial, isOpen: fresh.length > 0, overwritten, published })
}

/** Publishes the chain and, when nothing is left to do, writes the marker that lets later runs pass over the window. */
async function settle(
  context: RunContext,
  { window, markers }: WindowSurvey,
  chain: readonly CommitRecord[],
  files: readonly { readonly key: string; readonly etag: string }[],
  isDone: boolean,
): Promise<boolean> {
  const { compaction, athena, target, keys, signal } = context
  const last = chain.at(-1)
  if (last === undefined) return false
  if (athena !== undefined) {
    const publishedSeq = Math.max(-1, ...markers.filter(({ published }) => published).map(({ seq }) => seq))
    context.onProgress({ phase: 'publish', window: window.id, done: 0, unit: 'statements' })
    await publishWindow(
      compaction,
      athena,
      target,
      window,
      chain.filter(({ seq }) => seq > publishedSeq),
      signal,
    )
  }
  const published = athena !== undefined
  if (isDone) {
    const marker = keys.settledMarker(window.id, last.seq, inputsDigest(files), published)
    await target.put(marker, '', signal ? { signal } : {})
  }
  return published
}

/** The result of a window from its commits. */
export function describe(
  { target }: RunContext,
  window: Window,
  state: {
    readonly chain: readonly CommitRecord[]
    readonly ours: readonly CommitRecord[]
    readonly isPartial: boolean
    readonly isOpen: boolean
    readonly overwritten: readonly OverwrittenObject[]
    readonly published: boolean
  },
): WindowResult {
  const { chain, ours, isPartial, isOpen, overwritten, published } = state
  const madeHere = ours.filter(({ outcome }) => outcome === 'committed')
  const counted = (madeHere.length > 0 ? madeHere : chain).filter(({ outcome }) => outcome === 'committed')
  const aborted = chain.findLast(({ outcome }) => outcome === 'aborted')
  const outcome: Outcome = isPartial
    ? 'partial'
    : madeHere.length > 0
      ? 'committed'
      : isOpen || (ours.length > 0 && counted.length === 0)
        ? 'aborted'
        : counted.length > 0
          ? 'already-committed'
          : 'empty'
  const sum = (pick: (commit: CommitRecord) => number) => counted.reduce((total, commit) => total + pick(commit), 0)
  const last = chain.at(-1)
  return {
    outcome,
    window: window.id,
    start: window.start,
    end: window.end,
    ...(last && { seq: last.seq }),
    files: sum(({ inputs }) => inputs.length),
    inputRows: sum(({ inputRows }) => inputRows),
    outputRows: sum(({ outputRows }) => outputRows),
    quarantinedRows: sum(({ quarantinedRows }) => quarantinedRows),
    inputBytes: sum(({ inputs }) => inputs.reduce((total, { size }) => total + size, 0)),
    outputBytes: sum(({ outputs }) => outputs.reduce((total, { bytes }) => total + bytes, 0)),
    outputs: counted.flatMap(({ outputs }) => outputs.map(({ key }) => target.uri(key))),
    quarantine: counted.flatMap(({ quarantine }) => (quarantine ? [target.uri(quarantine.key)] : [])),
    published,
    overwritten,
    ...(outcome === 'aborted' && { reason: aborted?.reason ?? 'its sources changed while it was planned' }),
  }
}
