import { checkOptions } from '@pipe/core/internal'
import type { ObjectCount } from './affected'
import { isArchived } from './storage-class'
import type { StoredObject } from './stored-object'

/** One partition of a table. */
export interface ArchivedPartition {
  /** `dt=2026-11-24/hour=15`; empty: objects outside partitions. */
  readonly partition: string
  readonly archived: ObjectCount
  readonly readable: ObjectCount
  /** Restored copies: read only with `read_restored_glacier_objects=true`. */
  readonly restored: ObjectCount
}

/**
 * Partitions of a table that hold archived objects. Athena passes over objects in GLACIER and DEEP_ARCHIVE **without an error**: a query over
 * such a partition gives too few rows.
 *
 * @param options `prefix`: where the table lies, with a slash at its end.
 * @example
 * ```ts
 * const found = await archivedPartitions(listBucket({ bucket: 'lake', prefix: 'compacted/' }), { prefix: 'compacted/' })
 * ```
 */
export async function archivedPartitions(
  listing: AsyncIterable<StoredObject> | Iterable<StoredObject>,
  options: { readonly prefix: string },
): Promise<readonly ArchivedPartition[]> {
  checkOptions('archivedPartitions', options, { required: ['prefix'] })
  const partitions = new Map<string, Record<'archived' | 'readable' | 'restored', { objects: number; bytes: number }>>()
  for await (const { key, sizeBytes, storageClass = 'STANDARD', restore, isDeleteMarker, isLatest } of listing) {
    if (!key.startsWith(options.prefix) || isDeleteMarker || isLatest === false) continue
    const parts = key.slice(options.prefix.length).split('/').slice(0, -1)
    const partition = parts.filter((part) => /^[^=]+=/.test(part)).join('/')
    const counts = partitions.get(partition) ?? {
      archived: { objects: 0, bytes: 0 },
      readable: { objects: 0, bytes: 0 },
      restored: { objects: 0, bytes: 0 },
    }
    partitions.set(partition, counts)
    const kind = !isArchived(storageClass)
      ? 'readable'
      : restore !== undefined && restore !== 'in-progress'
        ? 'restored'
        : 'archived'
    counts[kind].objects++
    counts[kind].bytes += sizeBytes
  }
  return [...partitions].flatMap(([partition, counts]) =>
    counts.archived.objects + counts.restored.objects > 0 ? [{ partition, ...counts }] : [],
  )
}
