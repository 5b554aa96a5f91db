import { ConfigError, type Window } from '@pipe/core'
import type { CommitCache } from './commit-cache'
import { stateError, VerificationError } from './errors'
import { checkAge, type RunContext, recordAttempt } from './execute'
import { parquetRowCount } from './parquet-footer'
import { batchId, listPartition, liveFiles } from './partition-state'
import { addManifestPartition, publishManifest } from './publish-manifest'
import { type CommittedOutput, newAttempt, type RollUpRecord, readRollUp } from './state'

/** How the roll-up of a partition ended. */
export interface RollUpResult {
  /** `nothing`: it holds fewer than two files. `lost`: another process was first, whose roll-up counts. */
  readonly outcome: 'committed' | 'lost' | 'nothing'
  /** Id of the partition's first window. */
  readonly partition: string
  readonly start: Date
  /** Files before and after. */
  readonly filesBefore: number
  readonly filesAfter: number
  readonly rows: number
}

/**
 * Makes the committed files of a partition into one. The roll-up names every batch whose rows it holds, and is committed by one create-only
 * PUT; readers change over with the one PUT of the partition's list. The files it replaces stay until garbage collection.
 *
 * @throws {@link ConfigError} when the compaction does not publish by manifest, or recompacts: a batch cannot be taken out of a roll-up.
 */
export async function rollUpPartition(
  context: RunContext,
  cache: CommitCache,
  partition: Window,
  added: Set<string>,
): Promise<RollUpResult> {
  const { compaction, engine, target, keys, signal } = context
  const startedAt = performance.now()
  checkRollUp(context)
  const listing = await listPartition(context, partition)
  const { files, batches, rollUp } = await liveFiles(context, cache, listing)
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  const result = (outcome: RollUpResult['outcome'], filesAfter: number): RollUpResult => {
    return { outcome, partition: partition.id, start: partition.start, filesBefore: files.length, filesAfter, rows }
  }
  if (files.length < 2) {
    // A roll-up that was committed but not published.
    if (rollUp !== undefined) await publish()
    return result('nothing', files.length)
  }
  const seq = (listing.rollUps.at(-1) ?? -1) + 1
  const label = `r${seq}`
  const attempt = newAttempt(compaction, partition, context.newId(), seq, label)
  await recordAttempt(context, attempt, label)
  const merged = await engine.merge!({ compaction, attempt, inputs: files, target, signal })
  const outputs = await Promise.all(
    merged.map(async ({ key, etag, bytes }): Promise<CommittedOutput> => {
      return { key, etag, bytes, rows: await parquetRowCount(target, { key, etag, size: bytes }, signal) }
    }),
  )
  const found = outputs.reduce((sum, output) => sum + output.rows, 0)
  if (found !== rows) {
    const what = `${rows} rows were to be rolled up, the new files hold ${found}.`
    throw new VerificationError(partition.id, { inputRows: rows, outputRows: found, quarantinedRows: 0 }, what)
  }
  checkAge(startedAt, partition)
  const record: RollUpRecord = {
    version: 1,
    table: compaction.table.name,
    partition: partition.id,
    seq,
    attempt: attempt.id,
    engine: engine.name,
    replaces: [...(rollUp?.replaces ?? []), ...batches.map((commit) => batchId(commit.window, commit.seq))],
    outputs,
    rows,
  }
  const key = keys.rollUp(partition.id, seq)
  const put = { contentType: 'application/json', ...(signal && { signal }) }
  const { outcome } = await target.putIfAbsent(key, JSON.stringify(record), put)
  if (outcome === 'exists' && (await readRollUp(target, key, signal)).partition !== partition.id) {
    throw stateError(target.uri(key), 'is the roll-up of another partition')
  }
  await publish()
  return result(outcome === 'created' ? 'committed' : 'lost', outputs.length)

  async function publish(): Promise<void> {
    await publishManifest(context, cache, partition, 'partition')
    await addManifestPartition(context, partition, added)
  }
}

function checkRollUp({ compaction, engine }: RunContext): void {
  const { publish, onLate, onOverwrite } = compaction
  if (publish !== 'manifest') {
    throw new ConfigError('A roll-up takes files away from readers, which partitions cannot do in one step.', {
      hint: "Define the compaction with publish: 'manifest'.",
    })
  }
  if (onLate === 'recompact' || onOverwrite === 'recompact') {
    throw new ConfigError("A roll-up does not go with 'recompact': a window cannot be taken out of a file that holds an hour.", {
      hint: "Use 'append' or 'quarantine' for onLate and onOverwrite, or do not roll up.",
    })
  }
  if (engine.merge === undefined) throw new ConfigError(`The engine "${engine.name}" cannot roll up.`)
}
