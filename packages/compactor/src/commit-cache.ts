import type { StateContext } from './execute'
import { type CommitRecord, readCommit } from './state'

/** Commits that were read before. They never change, so a warm function need not read them again. */
export interface CommitCache {
  /** Remembers a commit that was made or read elsewhere. */
  add(key: string, commit: CommitRecord): void
  read(context: Pick<StateContext, 'target' | 'keys' | 'signal'>, window: string, seq: number): Promise<CommitRecord>
}

/** A cache of the last few commits. */
export function commitCache(capacity = 64): CommitCache {
  const known = new Map<string, CommitRecord>()
  const add = (key: string, commit: CommitRecord) => {
    known.delete(key)
    known.set(key, commit)
    if (known.size > capacity) known.delete(known.keys().next().value!)
  }
  return {
    add,
    async read({ target, keys, signal }, window, seq) {
      const key = keys.commit(window, seq)
      const commit = known.get(key) ?? (await readCommit(target, key, signal))
      add(key, commit)
      return commit
    },
  }
}
