import { type Athena, type AthenaQueryError, maxStatementBytes, renderSql } from '@pipe/athena-query'
import { ConfigError, column, PipeError, type Table } from '@pipe/core'
import { countSql, type LinesQuery } from './athena-sql'

/** What Athena counts in an object. */
export interface LineCount {
  readonly lines: number
  /** Lines that every reader reads alike. */
  readonly certain: number
}

/** Counts by path, and the objects at which a query failed. An object without lines has no count. */
export interface LineCounts {
  readonly counts: ReadonlyMap<string, LineCount>
  readonly failed: ReadonlySet<string>
}

/** Queries that may fail before the objects that are left are taken as failed: reading them in process is then cheaper. */
const maxFailures = 10

/**
 * Counts the lines of objects. When a query fails on an object, it is asked again without the object that the failure names, or in halves
 * when it names none; never twice with the same text.
 *
 * @param isWhole whether the table holds exactly these objects, so that they need not be named.
 */
export async function countLines(
  athena: Athena,
  table: Table,
  query: LinesQuery & { readonly paths: readonly string[] },
  isWhole: boolean,
  onStatement: () => void,
  signal: AbortSignal | undefined,
): Promise<LineCounts> {
  const counts = new Map<string, LineCount>()
  const failed = new Set<string>()
  const returns = { path: column.string(), lines: column.bigint(), certain: column.bigint() }
  let failures = 0

  async function count(paths: readonly string[], all = false): Promise<void> {
    if (paths.length === 0) return
    if (failures >= maxFailures) {
      for (const path of paths) failed.add(path)
      return
    }
    try {
      onStatement()
      const rows = athena.query(countSql(table, { ...query, paths: all ? undefined : paths }), {
        returns,
        ...(signal && { signal }),
      })
      for await (const { path, lines, certain } of rows) counts.set(path, { lines: Number(lines), certain: Number(certain) })
    } catch (error) {
      const reason = dataFailure(error)
      if (reason === undefined) throw error
      failures++
      const named = paths.filter((path) => reason.includes(path))
      if (named.length > 0) {
        for (const path of named) failed.add(path)
        await count(paths.filter((path) => !failed.has(path)))
      } else if (paths.length === 1) failed.add(paths[0]!)
      else {
        const half = Math.ceil(paths.length / 2)
        await count(paths.slice(0, half))
        await count(paths.slice(half))
      }
    }
  }

  if (isWhole) {
    await count(query.paths, true)
    return { counts, failed }
  }
  for (const paths of splitPaths((some) => renderSql(countSql(table, { ...query, paths: some })), query.paths)) await count(paths)
  return { counts, failed }
}

/** The reason of a failure that lies in the data of an object; `undefined` for every other error. */
function dataFailure(error: unknown): string | undefined {
  if (!PipeError.isInstance(error) || error.code !== 'PIPE_ATHENA_FAILED') return undefined
  const reason = (error as AthenaQueryError).message
  return /HIVE_CURSOR_ERROR|HIVE_BAD_DATA|HIVE_CANNOT_OPEN_SPLIT|HIVE_UNKNOWN_ERROR|HIVE_FILESYSTEM_ERROR|GENERIC_INTERNAL_ERROR/.test(
    reason,
  )
    ? reason
    : undefined
}

/**
 * Splits paths so that each statement stays below Athena's limit of 262 144 bytes.
 *
 * @param render the statement for some paths.
 */
export function splitPaths(render: (paths: readonly string[]) => string, paths: readonly string[]): string[][] {
  const quoted = (path: string) => Buffer.byteLength(path) + path.split("'").length + 3
  const room = maxStatementBytes - Buffer.byteLength(render(['']))
  const groups: string[][] = []
  let used = room
  for (const path of paths) {
    const bytes = quoted(path)
    if (bytes > room)
      throw new ConfigError(`The table has so many columns that no statement can name an object.`, {
        code: 'PIPE_COMPACT_COLUMN',
      })
    if (used + bytes > room) {
      groups.push([])
      used = 0
    }
    groups.at(-1)!.push(path)
    used += bytes
  }
  return groups
}
