import { ConfigError, type Duration, durationMs, windowsBetween } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { liveCommits } from '../chain'
import { commitCache } from '../commit-cache'
import type { StateContext } from '../execute'
import { listPartition, liveFiles, partitionAt } from '../partition-state'
import { partitionsOf } from '../publish'
import type { CommitRecord } from '../state'
import { shownPartitions } from './catalogue'
import { type MaintenanceOptions, maintenanceOptionNames, storeTime, withState } from './context'

/** What {@link retireSources} takes. */
export interface RetireOptions extends MaintenanceOptions {
  /** Windows whose start lies in `from ≤ start < to`. */
  readonly from: Date
  /** End of the span, not included. */
  readonly to: Date
  /** How long after its commit a source is kept. At least `'4 hours'`: the longest query of Athena. Default `'24 hours'`. */
  readonly after?: Duration | undefined
  /** Whether to delete. Default `false`: only reports. */
  readonly apply?: boolean | undefined
}

/** What became of the sources. */
export interface RetireReport {
  readonly applied: boolean
  /** Sources deleted, or to be deleted. */
  readonly objects: number
  readonly bytes: number
  /** Kept: some of their rows are in quarantine, which holds the beginning of each only. */
  readonly quarantined: number
  /** Kept: overwritten since their commit. */
  readonly overwritten: number
  /** Windows left alone: committed too lately, not served by the catalogue yet, or without commits. */
  readonly leftAlone: readonly string[]
}

/** The longest time that a query of Athena may be allowed. @see Athena user guide, "Service quotas" (DML query timeout) */
const leastMs = 4 * 3_600_000

/**
 * Deletes source objects whose rows are committed and shown to readers, in exactly the committed version. Nothing is deleted unless this is
 * asked for; the default of a stream is to keep its sources. Needs `s3:DeleteObject` on the source.
 *
 * @throws {@link ConfigError} for a delay below four hours.
 */
export async function retireSources(options: RetireOptions): Promise<RetireReport> {
  const optional = [...maintenanceOptionNames, 'after', 'apply']
  checkOptions('retireSources', options, { required: ['compaction', 'from', 'to'], optional })
  const afterMs = durationMs(options.after ?? '24 hours')
  if (afterMs < leastMs) {
    throw new ConfigError(`retireSources: "${options.after}" is too short.`, {
      hint: 'Queries that began before the commit may read the sources for up to four hours.',
    })
  }
  const { apply = false } = options
  return withState(options, async (context) => {
    const cutoff = new Date((await storeTime(context)).getTime() - afterMs)
    const shown = await shownByReaders(context)
    const counts = { objects: 0, bytes: 0, quarantined: 0, overwritten: 0 }
    const leftAlone: string[] = []
    for (const window of windowsBetween(context.compaction.window, options.from, options.to)) {
      const chain = await servedChain(context, window.id, window.start, cutoff, shown)
      if (chain === undefined) leftAlone.push(window.id)
      else for (const commit of chain) await retireCommit(context, commit, apply, counts)
    }
    return { applied: apply, ...counts, leftAlone }
  })
}

type Shown = (window: { readonly start: Date }, chain: readonly CommitRecord[]) => Promise<boolean>

/** Whether the catalogue, read back, serves the rows of a window's commits. */
async function shownByReaders(context: StateContext): Promise<Shown> {
  const { compaction, target, keys, athena, signal } = context
  if (compaction.publish === 'manifest') {
    const cache = commitCache(1000)
    return async ({ start }) => {
      const partition = partitionAt(compaction, start)
      const { files } = await liveFiles(context, cache, await listPartition(context, partition))
      const key = keys.manifest(compaction.table.partitions.pathOf(start))
      const object = await target.get(key, signal ? { signal } : {})
      const lines = new Set(((await object?.text()) ?? '').split('\n'))
      return files.every((file) => lines.has(target.uri(file.key)))
    }
  }
  if (athena === undefined) {
    throw new ConfigError('retireSources needs an Athena client to see what readers are shown.', {
      code: 'PIPE_CONFIG',
      hint: 'Give athena: createAthena({ database, … }).',
    })
  }
  const partitions = await shownPartitions(context)
  return async (window, chain) =>
    chain.every((commit) =>
      partitionsOf(compaction, target, { ...window, id: commit.window, end: window.start }, [commit]).every(({ values }) =>
        partitions.has(Object.values(values).join('/')),
      ),
    )
}

async function servedChain(
  context: StateContext,
  id: string,
  start: Date,
  cutoff: Date,
  shown: Shown,
): Promise<CommitRecord[] | undefined> {
  const cache = commitCache()
  const listing = await listPartition(context, partitionAt(context.compaction, start))
  const seqs = listing.chains.get(id) ?? []
  if (seqs.length === 0) return undefined
  const isYoung = seqs.some((seq) => listing.madeAt.get(context.keys.commit(id, seq))! >= cutoff)
  if (isYoung) return undefined
  const chain = liveCommits(await Promise.all(seqs.map((seq) => cache.read(context, id, seq))))
  return (await shown({ start }, chain)) ? chain : undefined
}

async function retireCommit(
  { source, signal }: StateContext,
  { inputs, mode }: CommitRecord,
  apply: boolean,
  counts: { objects: number; bytes: number; quarantined: number; overwritten: number },
): Promise<void> {
  for (const { key, etag, size, quarantinedRows } of inputs) {
    if (quarantinedRows > 0 || mode === 'quarantine') {
      counts.quarantined++
      continue
    }
    const outcome = apply ? (await source.deleteIfMatch(key, etag, signal ? { signal } : {})).outcome : await presence(key, etag)
    if (outcome === 'changed') counts.overwritten++
    else if (outcome === 'deleted') {
      counts.objects++
      counts.bytes += size
    }
  }

  async function presence(key: string, etag: string): Promise<'deleted' | 'changed' | 'absent'> {
    const head = await source.head(key, signal ? { signal } : {})
    return head === undefined ? 'absent' : head.etag === etag ? 'deleted' : 'changed'
  }
}
