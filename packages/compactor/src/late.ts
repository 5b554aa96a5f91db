import type { ObjectSummary } from '@pipe/core'
import type { CommitRecord } from './state'

/** A source object that was overwritten after its commit. Its first version stays compacted; the new one is not read. */
export interface OverwrittenObject {
  /** Relative to the source. */
  readonly key: string
  readonly committedEtag: string
  readonly etag: string
}

/** What of a window is not compacted yet. */
export interface Remainder {
  /** Objects that no commit of the window names: new ones, and late ones when the window has commits. */
  readonly fresh: readonly ObjectSummary[]
  readonly overwritten: readonly OverwrittenObject[]
}

/**
 * Set difference of a window's objects and the inputs of its commits. Whether an object is late is never decided by a time: an object may
 * become visible long after its LastModified. The key is the identity, as ETags differ for equal bytes (multipart, SSE-KMS).
 */
export function remainderOf(files: readonly ObjectSummary[], commits: readonly CommitRecord[]): Remainder {
  const consumed = new Map<string, string>()
  for (const { inputs } of commits) for (const { key, etag } of inputs) consumed.set(key, etag)
  const fresh: ObjectSummary[] = []
  const overwritten: OverwrittenObject[] = []
  for (const file of files) {
    const committedEtag = consumed.get(file.key)
    if (committedEtag === undefined) fresh.push(file)
    else if (committedEtag !== file.etag) overwritten.push({ key: file.key, committedEtag, etag: file.etag })
  }
  return { fresh, overwritten }
}
