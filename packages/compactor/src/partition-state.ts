import { type Window, windowOf } from '@pipe/core'
import { liveCommits } from './chain'
import type { CommitCache } from './commit-cache'
import type { Compaction } from './define'
import type { StateContext } from './execute'
import { type CommitRecord, parseCommitKey, parseRollUpKey, type RollUpRecord, readRollUp } from './state'

/** The commits that a partition of the table holds, as keys: its windows with their sequence numbers, and its roll-ups. */
export interface PartitionListing {
  readonly partition: Window
  /** Sequence numbers, ascending, by id of the window. */
  readonly chains: ReadonlyMap<string, readonly number[]>
  /** Numbers of the roll-ups, ascending. */
  readonly rollUps: readonly number[]
  /** When each commit and roll-up was made, by the clock of S3; by its key. */
  readonly madeAt: ReadonlyMap<string, Date>
}

/** A committed file that readers are to see. */
export interface LiveFile {
  readonly key: string
  readonly etag: string
  readonly bytes: number
  readonly rows: number
}

/** The partition that holds an instant, as a span; its id is that of its first window. */
export function partitionAt({ table, window, windowMs }: Compaction, at: Date): Window {
  const { lengthMs } = table.partitions
  const start = Math.floor(at.getTime() / lengthMs) * lengthMs
  const first = windowOf(window, start)
  return { id: first.id, start: new Date(start), end: new Date(Math.max(start + lengthMs, start + windowMs)) }
}

/** Lists the commits of a partition: one request. */
export async function listPartition(context: StateContext, partition: Window): Promise<PartitionListing> {
  const { compaction, target, keys, signal } = context
  const last = windowOf(compaction.window, partition.end.getTime() - 1).id
  const chains = new Map<string, number[]>()
  const rollUps: number[] = []
  const madeAt = new Map<string, Date>()
  const startAfter = keys.commitsFrom(partition.id)
  for await (const { key, lastModified } of target.list({ prefix: keys.commits, startAfter, ...(signal && { signal }) })) {
    const rollUp = parseRollUpKey(key)
    const commit = rollUp ?? parseCommitKey(key)
    if (commit === undefined) continue
    if (commit.window > last) break
    madeAt.set(key, lastModified)
    if (rollUp !== undefined) rollUps.push(rollUp.seq)
    else {
      const chain = chains.get(commit.window)
      if (chain) chain.push(commit.seq)
      else chains.set(commit.window, [commit.seq])
    }
  }
  for (const chain of chains.values()) chain.sort((a, b) => a - b)
  return { partition, chains, rollUps: rollUps.sort((a, b) => a - b), madeAt }
}

/** The roll-up that counts, the last one; `undefined` when there is none. */
export async function lastRollUp(
  { target, keys, signal }: StateContext,
  { partition, rollUps }: PartitionListing,
): Promise<RollUpRecord | undefined> {
  const seq = rollUps.at(-1)
  return seq === undefined ? undefined : readRollUp(target, keys.rollUp(partition.id, seq), signal)
}

/** The commits of a window whose rows are not in the roll-up. */
export function batchesBeside(chain: readonly CommitRecord[], rollUp: RollUpRecord | undefined): CommitRecord[] {
  const rolled = new Set(rollUp?.replaces)
  return liveCommits(chain).filter(({ window, seq }) => !rolled.has(batchId(window, seq)))
}

/** `20261124T1530Z-0` */
export function batchId(window: string, seq: number): string {
  return `${window}-${seq}`
}

/** Everything of a partition that readers are to see, from its commits alone. */
export async function liveFiles(
  context: StateContext,
  cache: CommitCache,
  listing: PartitionListing,
): Promise<{ readonly files: readonly LiveFile[]; readonly batches: readonly CommitRecord[]; readonly rollUp?: RollUpRecord }> {
  const rollUp = await lastRollUp(context, listing)
  const batches: CommitRecord[] = []
  for (const [window, seqs] of listing.chains) {
    const chain = await Promise.all(seqs.map((seq) => cache.read(context, window, seq)))
    batches.push(...batchesBeside(chain, rollUp).filter(({ outputs }) => outputs.length > 0))
  }
  const files = [...(rollUp?.outputs ?? []), ...batches.flatMap(({ outputs }) => outputs)]
  return { files, batches, ...(rollUp && { rollUp }) }
}
