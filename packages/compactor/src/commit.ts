import type { ObjectStore } from '@pipe/core'
import type { Compaction } from './define'
import { stateError } from './errors'
import { type Attempt, type CommitRecord, type PlanRecord, readCommit, type StateKeys } from './state'
import type { VerifiedAttempt } from './verify'

/** How the commit of an attempt ended: ours counts, or another attempt was first and its commit counts. */
export interface CommitOutcome {
  readonly commit: CommitRecord
  readonly isOurs: boolean
}

/**
 * Commits a verified attempt with one create-only PUT: the only moment at which its outputs begin to count. A reply that is lost is settled
 * by the nonce that the store writes with the object.
 */
export function commitAttempt(
  compaction: Compaction,
  target: ObjectStore,
  keys: StateKeys,
  attempt: Attempt,
  engine: string,
  plan: PlanRecord,
  verified: VerifiedAttempt,
  quarantine: CommitRecord['quarantine'],
  signal: AbortSignal | undefined,
): Promise<CommitOutcome> {
  return putCommit(
    target,
    keys,
    {
      ...header(compaction, attempt, engine),
      outcome: 'committed',
      ...(plan.mode && { mode: plan.mode }),
      ...(plan.replaces && { replaces: plan.replaces }),
      ...verified,
      ...(quarantine && { quarantine }),
    },
    signal,
  )
}

/** Gives a plan up for good, so that the next sequence number may be planned. It consumes nothing. */
export function commitAborted(
  compaction: Compaction,
  target: ObjectStore,
  keys: StateKeys,
  attempt: Attempt,
  engine: string,
  reason: string,
  signal: AbortSignal | undefined,
): Promise<CommitOutcome> {
  return putCommit(
    target,
    keys,
    {
      ...header(compaction, attempt, engine),
      outcome: 'aborted',
      reason,
      inputs: [],
      outputs: [],
      inputRows: 0,
      outputRows: 0,
      quarantinedRows: 0,
    },
    signal,
  )
}

function header({ table }: Compaction, attempt: Attempt, engine: string) {
  return { version: 1 as const, table: table.name, window: attempt.window.id, seq: attempt.seq, attempt: attempt.id, engine }
}

async function putCommit(
  target: ObjectStore,
  keys: StateKeys,
  commit: CommitRecord,
  signal: AbortSignal | undefined,
): Promise<CommitOutcome> {
  const key = keys.commit(commit.window, commit.seq)
  const { outcome } = await target.putIfAbsent(key, JSON.stringify(commit), {
    contentType: 'application/json',
    ...(signal && { signal }),
  })
  if (outcome === 'created') return { commit, isOurs: true }
  const theirs = await readCommit(target, key, signal)
  if (theirs.window !== commit.window || theirs.seq !== commit.seq) {
    throw stateError(target.uri(key), `is a commit of ${theirs.window}-${theirs.seq}`)
  }
  // The own attempt can be there when the very same PUT was repeated by hand; it is ours all the same.
  return { commit: theirs, isOurs: theirs.attempt === commit.attempt }
}
