import { ConfigError, durationMs, type PartitionScheme, type Table } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { timestampText } from './literal'
import { identifier, joinSql, type SqlFragment, sql, unsafeRaw } from './sql'

/**
 * The condition that a row of the table happened in `from ≤ event time < to`, which also lets Athena skip all partitions that cannot
 * hold such a row.
 *
 * Compacted data lies in the partition of the window that *brought* a row, so a row of event time t arrives in
 * `t − allowedSkew … t + allowedLateness`. The partition range is the range widened by both; it is tight to one partition, and its
 * comparisons are on the bare partition columns.
 *
 * @param options `alias`: name of the table in a query that joins.
 * @throws {@link ConfigError} `PIPE_CONFIG` when the table has no event time, or `from` does not lie before `to`.
 * @example
 * ```ts
 * sql`SELECT count(*) AS n FROM ${deviceLogs} WHERE ${eventTimeBetween(deviceLogs, from, to)}`
 * ```
 */
export function eventTimeBetween(table: Table, from: Date, to: Date, options: { readonly alias?: string } = {}): SqlFragment {
  checkOptions('eventTimeBetween', options, { optional: ['alias'] })
  const { eventTime } = table
  if (eventTime === undefined) {
    throw new ConfigError(`eventTimeBetween: the table "${table.name}" has no event time.`, {
      hint: "Give defineTable the option eventTime: '<timestamp column>'.",
    })
  }
  for (const [name, at] of Object.entries({ from, to })) {
    if (!(at instanceof Date) || Number.isNaN(at.getTime()))
      throw new ConfigError(`eventTimeBetween: "${name}" is not a valid Date.`)
  }
  if (from.getTime() >= to.getTime()) {
    throw new ConfigError(`eventTimeBetween: from (${from.toISOString()}) must lie before to (${to.toISOString()}).`)
  }
  const columnOf = (name: string) => (options.alias === undefined ? identifier(name) : identifier(options.alias, name))
  const type = table.columns[eventTime]!.type
  const instant = (at: Date) =>
    type.kind === 'timestamp' && type.zone ? unsafeRaw(`TIMESTAMP '${timestampText(at)} UTC'`) : sql`${at}`
  const column = columnOf(eventTime)
  return joinSql(
    [
      sql`${column} >= ${instant(from)}`,
      sql`${column} < ${instant(to)}`,
      ...partitionsBetween(
        table.partitions,
        new Date(from.getTime() - durationMs(table.allowedSkew)),
        // Event time is less than `to`, so arrival is less than `to` + lateness: the last millisecond before it decides.
        new Date(to.getTime() + durationMs(table.allowedLateness) - 1),
        columnOf,
      ),
    ],
    ' AND ',
  )
}

/** Conditions, to be joined by AND, on the partitions from the one that holds `first` to the one that holds `last`. */
function partitionsBetween(
  scheme: PartitionScheme,
  first: Date,
  last: Date,
  columnOf: (name: string) => SqlFragment,
): readonly SqlFragment[] {
  const low = scheme.valuesOf(first)
  const high = scheme.valuesOf(last)
  const names = scheme.columns
  const differs = names.findIndex((name) => low[name] !== high[name])
  const shared = differs === -1 ? names : names.slice(0, differs)
  const conditions = shared.map((name) => sql`${columnOf(name)} = ${low[name]!}`)
  // (a, b) ≥ (x, y) as a conjunction, so that each partition column is bounded by itself: a >= x AND (a > x OR b >= y).
  const ranged = differs === -1 ? [] : names.slice(differs)
  ranged.forEach((name, i) => {
    const above = ranged.slice(0, i).map((earlier) => sql`${columnOf(earlier)} > ${low[earlier]!}`)
    const below = ranged.slice(0, i).map((earlier) => sql`${columnOf(earlier)} < ${high[earlier]!}`)
    conditions.push(anyOf([...above, sql`${columnOf(name)} >= ${low[name]!}`]))
    conditions.push(anyOf([...below, sql`${columnOf(name)} <= ${high[name]!}`]))
  })
  return conditions
}

function anyOf(conditions: readonly SqlFragment[]): SqlFragment {
  return conditions.length === 1 ? conditions[0]! : sql`(${joinSql(conditions, ' OR ')})`
}
