import type { Athena } from '@pipe/athena-query'
import { addPartitionsDdl, type ObjectStore, type S3Location, type Window } from '@pipe/core'
import { batchColumn, type Compaction } from './define'
import { explainMissingTable } from './errors'
import type { CommitRecord } from './state'

/** A partition of the compacted table: one committed batch of a window. */
export interface BatchPartition {
  readonly values: Readonly<Record<string, string>>
  readonly location: S3Location
}

/** The partitions that commits make: one for each folder that holds outputs. Aborted and empty commits make none. */
export function partitionsOf(
  compaction: Compaction,
  target: ObjectStore,
  window: Window,
  commits: readonly CommitRecord[],
): BatchPartition[] {
  const values = compaction.table.partitions.valuesOf(window.start)
  const partitions: BatchPartition[] = []
  for (const { seq, outputs } of commits) {
    const folders = [...new Set(outputs.map(({ key }) => key.slice(0, key.lastIndexOf('/') + 1)))]
    folders.forEach((folder, group) => {
      const batch = `${window.id}-${seq}${folders.length > 1 ? `.${group}` : ''}`
      partitions.push({ values: { ...values, [batchColumn]: batch }, location: target.uri(folder) as S3Location })
    })
  }
  return partitions
}

/**
 * Makes committed batches visible to readers of the compacted table: one `ALTER TABLE … ADD IF NOT EXISTS PARTITION`, derived from the
 * commits alone and idempotent.
 *
 * @returns the number of statements run.
 */
export async function publishWindow(
  compaction: Compaction,
  athena: Athena,
  target: ObjectStore,
  window: Window,
  commits: readonly CommitRecord[],
  signal: AbortSignal | undefined,
): Promise<number> {
  const partitions = partitionsOf(compaction, target, window, commits)
  if (partitions.length === 0) return 0
  try {
    await athena.execute(addPartitionsDdl({ name: compaction.compacted.name }, partitions), signal ? { signal } : {})
  } catch (error) {
    throw explainMissingTable(error)
  }
  return 1
}
