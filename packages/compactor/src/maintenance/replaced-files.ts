import type { CommitCache } from '../commit-cache'
import type { StateContext } from '../execute'
import { listPartition, liveFiles, partitionAt } from '../partition-state'
import { readRollUp } from '../state'

/** A committed file whose rows readers are shown from elsewhere. */
export interface ReplacedFile {
  readonly key: string
  readonly size: number
}

/**
 * Committed files that a later commit or roll-up has replaced, from partitions that have not changed since `cutoff` and whose list of files
 * names them no more. Those that are gone already are passed over.
 */
export async function* replacedFiles(
  context: StateContext,
  cache: CommitCache,
  span: { readonly since: Date; readonly cutoff: Date; readonly now: Date },
): AsyncGenerator<ReplacedFile> {
  const { compaction, target, keys, signal } = context
  if (compaction.publish !== 'manifest') return
  const { partitions } = compaction.table
  let partition = partitionAt(compaction, span.since)
  for (; partition.start < span.now; partition = partitionAt(compaction, partition.end)) {
    const { id } = partition
    const listing = await listPartition(context, partition)
    if (listing.madeAt.size === 0 || [...listing.madeAt.values()].some((at) => at >= span.cutoff)) continue
    const live = new Set((await liveFiles(context, cache, listing)).files.map(({ key }) => key))
    const shown = await shownFiles(context, keys.manifest(partitions.pathOf(partition.start)))
    for (const output of await allOutputs()) {
      if (live.has(output.key) || shown.has(target.uri(output.key))) continue
      const head = await target.head(output.key, signal ? { signal } : {})
      if (head !== undefined && head.etag === output.etag) yield { key: output.key, size: head.size }
    }

    async function allOutputs() {
      const found: { readonly key: string; readonly etag: string }[] = []
      for (const seq of listing.rollUps) {
        found.push(...(await readRollUp(target, keys.rollUp(id, seq), signal)).outputs)
      }
      for (const [window, chain] of listing.chains) {
        for (const seq of chain) found.push(...(await cache.read(context, window, seq)).outputs)
      }
      return found
    }
  }
}

/** Files that readers are shown now, as `s3://…`. */
async function shownFiles({ target, signal }: StateContext, manifest: string): Promise<ReadonlySet<string>> {
  const object = await target.get(manifest, signal ? { signal } : {})
  return new Set(((await object?.text()) ?? '').split('\n'))
}
