import { identifier, sql } from '@pipe/athena-query'
import { column } from '@pipe/core'
import { explainMissingTable } from '../errors'
import type { StateContext } from '../execute'

/** Values of the partitions that the compacted table has in the catalogue, joined by slashes: `2026-11-24/15/20261124T1530Z-0`. */
export async function shownPartitions({ athena, compaction, signal }: StateContext): Promise<ReadonlySet<string>> {
  const query = athena!.query(sql`SHOW PARTITIONS ${identifier(compaction.compacted.name)}`, {
    returns: { partition: column.string() },
    ...(signal && { signal }),
  })
  try {
    const names = (await query.rows()).map(({ partition }) => partition)
    // dt=2026-11-24/hour=15/batch=…: none of the values has a slash.
    return new Set(
      names.map((name) =>
        name
          .split('/')
          .map((pair) => pair.slice(pair.indexOf('=') + 1))
          .join('/'),
      ),
    )
  } catch (error) {
    throw explainMissingTable(error)
  }
}
