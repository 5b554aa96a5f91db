import { ConfigError, windowOf } from '@pipe/core'
import { liveCommits } from './chain'
import type { CommitCache } from './commit-cache'
import type { StateContext } from './execute'
import { batchId, lastRollUp, listPartition, partitionAt } from './partition-state'
import { whyUnplaced } from './select'
import { type CommitRecord, readPlan } from './state'

/** What became of a source object. */
export interface Explanation {
  /** `s3://bucket/key`. */
  readonly uri: string
  /**
   * - `committed`: its rows are in the table (less those in quarantine);
   * - `quarantined`: none of its rows is readable, or a policy put it aside;
   * - `overwritten`: its first version is committed, the present one is not yet dealt with;
   * - `planned`: a plan names it, its commit is still missing;
   * - `waiting`: no plan names it yet;
   * - `unplaced`: it belongs to no window;
   * - `absent`: there is no such object, and no commit names it.
   */
  readonly status: 'committed' | 'quarantined' | 'overwritten' | 'planned' | 'waiting' | 'unplaced' | 'absent'
  /** One sentence for people. */
  readonly text: string
  readonly window?: string | undefined
  readonly seq?: number | undefined
  readonly rows?: number | undefined
  readonly quarantinedRows?: number | undefined
  /** Files that hold its rows, `s3://…`. */
  readonly outputs?: readonly string[] | undefined
  /** The roll-up that holds its rows, when there is one. */
  readonly rollUp?: number | undefined
}

/** Says which commit consumed an object, or why none has yet. */
export async function explainKey(context: StateContext, cache: CommitCache, given: string): Promise<Explanation> {
  const { compaction, source, target, keys, signal } = context
  const key = relativeKey(given, source.location)
  const uri = source.uri(key)
  const at = compaction.keyTime(key)
  const unplaced = whyUnplaced(compaction, key, at)
  if (unplaced !== undefined) return { uri, status: 'unplaced', text: `It belongs to no window: ${unplaced}.` }
  const window = windowOf(compaction.window, at!)
  const listing = await listPartition(context, partitionAt(compaction, window.start))
  const head = await source.head(key, signal ? { signal } : {})
  const seqs = listing.chains.get(window.id) ?? []
  const chain = await Promise.all(seqs.map((seq) => cache.read(context, window.id, seq)))
  const owner = liveCommits(chain).findLast(({ inputs }) => inputs.some((input) => input.key === key))
  if (owner !== undefined) {
    const rollUp = await lastRollUp(context, listing)
    return explainCommitted({ uri, key, owner, etag: head?.etag, rollUp, uriOf: target.uri })
  }
  const next = (chain.at(-1)?.seq ?? -1) + 1
  if (head === undefined) {
    return { uri, window: window.id, status: 'absent', text: 'There is no such object, and no commit of its window names it.' }
  }
  const planKey = keys.plan(window.id, next)
  if ((await target.head(planKey, signal ? { signal } : {})) !== undefined) {
    const plan = await readPlan(target, planKey, signal)
    if (plan.inputs.some((input) => input.key === key)) {
      return {
        uri,
        window: window.id,
        seq: next,
        status: 'planned',
        text: `Plan ${next} of window ${window.id} names it; its commit is missing, the next run carries it out.`,
      }
    }
  }
  const due = new Date(window.end.getTime() + compaction.graceMs).toISOString()
  const text = `No plan of window ${window.id} names it yet: the first run at or after ${due} whose sweep reaches that window takes it.`
  return { uri, window: window.id, status: 'waiting', text }
}

function explainCommitted(found: {
  readonly uri: string
  readonly key: string
  readonly owner: CommitRecord
  readonly etag: string | undefined
  readonly rollUp:
    | { readonly seq: number; readonly replaces: readonly string[]; readonly outputs: readonly { readonly key: string }[] }
    | undefined
  uriOf(key: string): string
}): Explanation {
  const { uri, key, owner, etag, rollUp, uriOf } = found
  const { window, seq } = owner
  const input = owner.inputs.findLast((one) => one.key === key)!
  const rolled = rollUp?.replaces.includes(batchId(window, seq)) ? rollUp : undefined
  const outputs = (rolled?.outputs ?? owner.outputs).map((output) => uriOf(output.key))
  const common = {
    uri,
    window,
    seq,
    rows: input.rows,
    quarantinedRows: input.quarantinedRows,
    outputs,
    ...(rolled && { rollUp: rolled.seq }),
  }
  if (etag !== undefined && etag !== input.etag) {
    const text = `Commit ${seq} of window ${window} holds its version ${input.etag}; it was overwritten since (${etag}).`
    return { ...common, status: 'overwritten', text }
  }
  const where = rolled ? `, rolled up in r${rolled.seq}` : ''
  const rest = etag === undefined ? ' The object itself is gone.' : ''
  if (owner.mode === 'quarantine' || (input.rows > 0 && input.quarantinedRows === input.rows)) {
    const text = `Commit ${seq} of window ${window} put its ${input.rows} rows into quarantine.${rest}`
    return { ...common, status: 'quarantined', text }
  }
  const text = `Commit ${seq} of window ${window} holds its ${input.rows} rows, ${input.quarantinedRows} of them in quarantine${where}.${rest}`
  return { ...common, status: 'committed', text }
}

function relativeKey(given: string, location: string): string {
  if (!given.startsWith('s3://')) return given
  if (given.startsWith(location)) return given.slice(location.length)
  throw new ConfigError(`${given} does not lie below ${location}.`, { hint: 'Give a key of the source of this compaction.' })
}
