import { addPartitionsDdl, PipeError, type S3Location, type Window } from '@pipe/core'
import type { CommitCache } from './commit-cache'
import { explainMissingTable } from './errors'
import type { StateContext } from './execute'
import { batchesBeside, lastRollUp, listPartition, liveFiles, partitionAt } from './partition-state'

/** How often a list is written anew because others write it at the same time. */
const maxRounds = 20

/**
 * Brings the list of files of a window's partition up to date with one conditional PUT. Its ETag is read before the commits are, so whoever
 * derived it from fewer commits loses and derives it again; readers see the list before or the list after, never a part of each.
 *
 * @param scope `window`: only the window's lines are derived anew, which takes three requests; `partition`: all are.
 */
export async function publishManifest(
  context: StateContext,
  cache: CommitCache,
  window: Window,
  scope: 'window' | 'partition',
): Promise<void> {
  const { compaction, target, keys, signal } = context
  const partition = partitionAt(compaction, window.start)
  const key = keys.manifest(compaction.table.partitions.pathOf(window.start))
  const put = { contentType: 'text/plain', ...(signal && { signal }) }
  for (let round = 0; round < maxRounds; round++) {
    const current = await target.get(key, signal ? { signal } : {})
    const text = (await current?.text()) ?? ''
    const lines = scope === 'window' ? await linesOfWindow(window, text) : await linesOfPartition()
    const wanted = lines
      .sort()
      .map((line) => `${line}\n`)
      .join('')
    if (wanted === text) return
    if (current === undefined) {
      if ((await target.putIfAbsent(key, wanted, put)).outcome === 'created') return
    } else if ((await target.putIfMatch(key, wanted, current.etag, put)).outcome === 'replaced') return
  }
  throw new PipeError('PIPE_COMPACT_PUBLISH', `${target.uri(key)} is changed by others faster than it can be written.`, {
    retryable: true,
    hint: 'What is committed stays committed; the next run publishes it.',
  })

  async function linesOfPartition(): Promise<string[]> {
    const { files } = await liveFiles(context, cache, await listPartition(context, partition))
    return files.map((file) => target.uri(file.key))
  }

  async function linesOfWindow({ id }: Window, text: string): Promise<string[]> {
    const listing = await listPartition(context, partition)
    const rollUp = await lastRollUp(context, listing)
    const chain = await Promise.all((listing.chains.get(id) ?? []).map((seq) => cache.read(context, id, seq)))
    const folder = target.uri(`data/${id}/`)
    // A roll-up lies in the folder of the partition's first window.
    const isBatch = (line: string) => line.startsWith(folder) && !line.startsWith(`${folder}r`)
    const others = text.split('\n').filter((line) => line !== '' && !isBatch(line))
    const outputs = batchesBeside(chain, rollUp).flatMap((commit) => commit.outputs)
    return [...others, ...outputs.map((output) => target.uri(output.key))]
  }
}

/** Adds the partition that points at the list. Its place never changes, so this is needed once. */
export async function addManifestPartition(context: StateContext, window: Window, added: Set<string>): Promise<number> {
  const { athena, compaction, target, keys, signal } = context
  const { partitions } = compaction.table
  const key = keys.manifest(partitions.pathOf(window.start))
  if (athena === undefined || added.has(key)) return 0
  const location = target.uri(key.slice(0, key.lastIndexOf('/') + 1)) as S3Location
  const values = partitions.valuesOf(window.start)
  try {
    await athena.execute(addPartitionsDdl({ name: compaction.compacted.name }, [{ values, location }]), signal ? { signal } : {})
  } catch (error) {
    throw explainMissingTable(error)
  }
  added.add(key)
  return 1
}
