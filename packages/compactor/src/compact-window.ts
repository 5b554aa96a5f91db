import type { Window } from '@pipe/core'
import { liveCommits, type NextBatch, nextBatch, type OverwrittenObject, remainderOf } from './chain'
import type { CommitCache } from './commit-cache'
import { compactBatch, type RunContext } from './execute'
import { type Lease, takeLease } from './lease'
import { publishWindow } from './publish'
import { addManifestPartition, publishManifest } from './publish-manifest'
import { listWindow, type WindowSurvey } from './select'
import { type CommitRecord, inputsDigest } from './state'

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
  /** Rows left out by `dedupe`. */
  readonly duplicateRows: number
  readonly inputBytes: number
  readonly outputBytes: number
  /** Compacted files, `s3://…`. */
  readonly outputs: readonly string[]
  /** Files of unreadable rows, `s3://…`. */
  readonly quarantine: readonly string[]
  /** Whether readers of the compacted table see the window. `false` when there is no Athena client to publish through. */
  readonly published: boolean
  /** Source objects that were found overwritten after their commit; `onOverwrite` says what becomes of their new content. */
  readonly overwritten: readonly OverwrittenObject[]
  /** Late and overwritten objects among those that this call committed. */
  readonly lateFiles: number
  /** Batches at which this call worked while another process committed them. */
  readonly lostRaces: number
  /** Why it was aborted. */
  readonly reason?: string | undefined
}

/** How often a window is planned afresh in one run because its sources change. */
const maxRounds = 5

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

/** What several windows of one process share. */
export interface Shared {
  readonly cache: CommitCache
  /** Partitions that this process has added. */
  readonly added: Set<string>
  /** How long a lease holds; `undefined`: without leases. */
  readonly leaseMs: number | undefined
  /** Refuses a batch that would cost too much. */
  guard(batch: NextBatch): void
}

/**
 * Compacts what a window still holds, sequence number by sequence number, publishes it, and leaves a marker when nothing is left.
 *
 * @param mayGoOn asked before each batch; `false` ends with `partial`.
 */
export async function compactWindow(
  context: RunContext,
  shared: Shared,
  survey: WindowSurvey,
  mayGoOn: () => boolean,
): Promise<WindowResult> {
  const { window } = survey
  const chain = await chainOf(context, shared.cache, survey)
  const next = nextBatch(context.compaction, survey.files, chain)
  const { overwritten } = remainderOf(survey.files, chain)
  if (next === undefined || shared.leaseMs === undefined)
    return compactChain(context, shared, survey, chain, overwritten, mayGoOn)
  const lease = await takeLease(context.target, context.keys.lease(window.id), shared.leaseMs, context.signal)
  if (lease === undefined) return describe(context, window, { ...noWork, chain, overwritten, isLeased: true })
  return withLease(lease, () => compactChain(context, shared, survey, chain, overwritten, mayGoOn))
}

async function withLease<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
  let result: T
  try {
    result = await work()
  } catch (error) {
    // The failure of the work says what went wrong; a lease that stays runs out by itself.
    await lease.release().catch(() => {})
    throw error
  }
  await lease.release()
  return result
}

async function compactChain(
  context: RunContext,
  shared: Shared,
  survey: WindowSurvey,
  chain: CommitRecord[],
  overwritten: readonly OverwrittenObject[],
  mayGoOn: () => boolean,
): Promise<WindowResult> {
  const { compaction } = context
  const { window } = survey
  const ours: CommitRecord[] = []
  let lateFiles = 0
  let lostRaces = 0
  let { files } = survey
  let next = nextBatch(compaction, files, chain)
  let isPartial = false
  for (let round = 0; next !== undefined && round < maxRounds; round++) {
    if (!mayGoOn()) {
      isPartial = true
      break
    }
    shared.guard(next)
    const isLate = liveCommits(chain).length > 0
    const batch = await compactBatch(context, window, (chain.at(-1)?.seq ?? -1) + 1, next)
    if (batch !== 'replan') {
      chain.push(batch.commit)
      shared.cache.add(context.keys.commit(window.id, batch.commit.seq), batch.commit)
      if (batch.isOurs) ours.push(batch.commit)
      else lostRaces++
      if (isLate && batch.isOurs) lateFiles += next.files.length
    }
    // What was listed before holds unless a source has changed.
    if (batch === 'replan' || batch.commit.outcome === 'aborted') {
      files = await listWindow(compaction, context.source, window, context.signal)
    }
    next = nextBatch(compaction, files, chain)
  }
  const published = await settle(context, shared, survey, chain, files, next === undefined)
  const isOpen = next !== undefined
  return describe(context, window, { chain, ours, isPartial, isOpen, overwritten, published, lateFiles, lostRaces })
}

/** Publishes the chain and, when nothing is left to do, writes the marker that lets later runs pass over the window. */
async function settle(
  context: RunContext,
  { cache, added }: Shared,
  { window, markers }: WindowSurvey,
  chain: readonly CommitRecord[],
  files: readonly { readonly key: string; readonly etag: string }[],
  isDone: boolean,
): Promise<boolean> {
  const { compaction, athena, target, keys, signal } = context
  const last = chain.at(-1)
  if (last === undefined) return false
  const published = athena !== undefined
  if (published || compaction.publish === 'manifest') {
    context.onProgress({ phase: 'publish', window: window.id, done: 0, unit: 'statements' })
  }
  if (compaction.publish === 'manifest') {
    await publishManifest(context, cache, window, 'window')
    await addManifestPartition(context, window, added)
  } else if (athena !== undefined) {
    const publishedSeq = Math.max(-1, ...markers.filter((marker) => marker.published).map(({ seq }) => seq))
    const unseen = chain.filter(({ seq }) => seq > publishedSeq)
    await publishWindow(compaction, athena, target, window, unseen, signal)
  }
  if (isDone) {
    const marker = keys.settledMarker(window.id, last.seq, inputsDigest(files), published)
    await target.put(marker, '', signal ? { signal } : {})
  }
  return published
}

/** How the work on a window went, apart from its commits. */
export interface WindowWork {
  readonly chain: readonly CommitRecord[]
  readonly ours: readonly CommitRecord[]
  readonly isPartial: boolean
  readonly isOpen: boolean
  readonly isLeased?: boolean
  readonly overwritten: readonly OverwrittenObject[]
  readonly published: boolean
  readonly lateFiles: number
  readonly lostRaces: number
}

/** Of a window at which nothing was done. */
export const noWork: Omit<WindowWork, 'chain'> = {
  ours: [],
  isPartial: false,
  isOpen: false,
  overwritten: [],
  published: false,
  lateFiles: 0,
  lostRaces: 0,
}

/** The result of a window from its commits. */
export function describe({ target }: Pick<RunContext, 'target'>, window: Window, work: WindowWork): WindowResult {
  const { chain, ours, overwritten, published, lateFiles, lostRaces } = work
  const madeHere = ours.filter(({ outcome }) => outcome === 'committed')
  const counted = madeHere.length > 0 ? madeHere : liveCommits(chain)
  const aborted = chain.findLast(({ outcome }) => outcome === 'aborted')
  const outcome = outcomeOf(work, madeHere.length, counted.length)
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
    duplicateRows: sum(({ duplicateRows = 0 }) => duplicateRows),
    inputBytes: sum(({ inputs }) => inputs.reduce((total, { size }) => total + size, 0)),
    outputBytes: sum(({ outputs }) => outputs.reduce((total, { bytes }) => total + bytes, 0)),
    outputs: counted.flatMap(({ outputs }) => outputs.map(({ key }) => target.uri(key))),
    quarantine: counted.flatMap(({ quarantine }) => (quarantine ? [target.uri(quarantine.key)] : [])),
    published,
    overwritten,
    lateFiles,
    lostRaces,
    ...(outcome === 'aborted' && { reason: aborted?.reason ?? 'its sources changed while it was planned' }),
  }
}

function outcomeOf({ isPartial, isLeased, isOpen, ours }: WindowWork, madeHere: number, counted: number): Outcome {
  if (isLeased) return 'leased-elsewhere'
  if (isPartial) return 'partial'
  if (madeHere > 0) return 'committed'
  if (isOpen || (ours.length > 0 && counted === 0)) return 'aborted'
  return counted > 0 ? 'already-committed' : 'empty'
}
