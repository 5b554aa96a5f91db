import type { ObjectSummary } from '@pipe/core'
import type { Compaction } from './define'
import type { BatchMode, CommitRecord } from './state'

/** A source object that was overwritten after its commit. Its first version stays compacted; `onOverwrite` says what becomes of the new one. */
export interface OverwrittenObject {
  /** Relative to the source. */
  readonly key: string
  readonly committedEtag: string
  readonly etag: string
}

/** What of a window no commit accounts for. */
export interface Remainder {
  /** Objects that no commit of the window names: new ones, and late ones when the window has commits. */
  readonly fresh: readonly ObjectSummary[]
  readonly overwritten: readonly OverwrittenObject[]
}

/** What is to be done next with a window. */
export interface NextBatch {
  readonly mode: BatchMode
  readonly files: readonly ObjectSummary[]
  /** Sequence numbers that the batch replaces. */
  readonly replaces: readonly number[]
}

/** The commits of a chain that count: not aborted and not replaced by a later one. */
export function liveCommits(chain: readonly CommitRecord[]): CommitRecord[] {
  const replaced = new Set(chain.flatMap(({ replaces = [] }) => replaces))
  return chain.filter(({ outcome, seq }) => outcome === 'committed' && !replaced.has(seq))
}

/**
 * Set difference of a window's objects and the inputs of its commits. Whether an object is late is never decided by a time: an object may
 * become visible long after its LastModified. The key is the identity, as ETags differ for equal bytes (multipart, SSE-KMS).
 */
export function remainderOf(files: readonly ObjectSummary[], chain: readonly CommitRecord[]): Remainder {
  const consumed = consumedEtags(chain)
  const fresh: ObjectSummary[] = []
  const overwritten: OverwrittenObject[] = []
  for (const file of files) {
    const committedEtag = consumed.get(file.key)
    if (committedEtag === undefined) fresh.push(file)
    else if (committedEtag !== file.etag) overwritten.push({ key: file.key, committedEtag, etag: file.etag })
  }
  return { fresh, overwritten }
}

/**
 * The next batch of a window: what is new, then what was overwritten, each by its policy. A whole window is compacted anew only while all
 * its sources are still there; else late objects are appended and overwritten ones go to quarantine.
 */
export function nextBatch(
  compaction: Pick<Compaction, 'onLate' | 'onOverwrite'>,
  files: readonly ObjectSummary[],
  chain: readonly CommitRecord[],
): NextBatch | undefined {
  const { fresh, overwritten } = remainderOf(files, chain)
  const live = liveCommits(chain)
  const isLate = live.length > 0
  if (fresh.length > 0) {
    if (!isLate) return { mode: 'append', files: fresh, replaces: [] }
    if (compaction.onLate === 'recompact') {
      return recompaction(files, live, fresh) ?? { mode: 'append', files: fresh, replaces: [] }
    }
    return { mode: compaction.onLate, files: fresh, replaces: [] }
  }
  if (overwritten.length === 0) return undefined
  const keys = new Set(overwritten.map(({ key }) => key))
  const changed = files.filter(({ key }) => keys.has(key))
  if (compaction.onOverwrite === 'recompact') {
    return recompaction(files, live, changed) ?? { mode: 'quarantine', files: changed, replaces: [] }
  }
  return { mode: compaction.onOverwrite, files: changed, replaces: [] }
}

/** The whole window anew, with the given further files; what was put aside stays aside. `undefined` when a source is gone. */
function recompaction(
  files: readonly ObjectSummary[],
  live: readonly CommitRecord[],
  further: readonly ObjectSummary[],
): NextBatch | undefined {
  const compacted = live.filter(({ mode }) => mode !== 'quarantine')
  const wanted = new Set(further.map(({ key }) => key))
  for (const { inputs } of compacted) for (const { key } of inputs) wanted.add(key)
  const found = files.filter(({ key }) => wanted.has(key))
  return found.length < wanted.size ? undefined : { mode: 'recompact', files: found, replaces: compacted.map(({ seq }) => seq) }
}

function consumedEtags(chain: readonly CommitRecord[]): Map<string, string> {
  const consumed = new Map<string, string>()
  // Later commits name later versions.
  for (const { inputs } of chain) for (const { key, etag } of inputs) consumed.set(key, etag)
  return consumed
}
