import { type ColumnMap, ConfigError, type Duration, durationMs, type Table } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { rowText } from './row-digest'

/** What a pipeline does with rows that it can read. Default: it shows each as often as it stands in the files. */
export interface TruthPolicy {
  /**
   * `'row'`: of equal rows one is shown. Names of columns: of rows with equal values in them the first one to arrive is shown. Needs memory
   * for each row that is shown.
   */
  readonly dedupe?: 'row' | readonly string[] | undefined
  /** Rows whose event time lies longer than this before the start of their file are not shown. */
  readonly allowedLateness?: Duration | undefined
  /** Rows whose event time lies longer than this behind the end of their file are not shown. */
  readonly allowedSkew?: Duration | undefined
  /** Malformed and undecodable lines are dropped, not quarantined. */
  readonly dropMalformed?: boolean | undefined
}

/** What becomes of a readable row. */
export type RowVerdict = 'shown' | 'too-late' | 'too-early' | 'duplicate'

/**
 * Compiles a policy into a judge of rows, in the order in which they arrive.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function makeJudge(
  table: Table<ColumnMap>,
  policy: TruthPolicy,
  fileMs: number,
): (row: () => Readonly<Record<string, unknown>>, eventTime: number, fileStart: number) => RowVerdict {
  checkOptions('"policy"', policy, { optional: ['dedupe', 'allowedLateness', 'allowedSkew', 'dropMalformed'] })
  const latenessMs = policy.allowedLateness === undefined ? Number.POSITIVE_INFINITY : durationMs(policy.allowedLateness)
  const skewMs = policy.allowedSkew === undefined ? Number.POSITIVE_INFINITY : durationMs(policy.allowedSkew)
  const identity = identityOf(table, policy.dedupe)
  const seen = new Set<string>()
  return (row, eventTime, fileStart) => {
    if (eventTime < fileStart - latenessMs) return 'too-late'
    if (eventTime >= fileStart + fileMs + skewMs) return 'too-early'
    if (!identity) return 'shown'
    const key = identity(row())
    if (seen.has(key)) return 'duplicate'
    seen.add(key)
    return 'shown'
  }
}

function identityOf(
  table: Table<ColumnMap>,
  dedupe: TruthPolicy['dedupe'],
): ((row: Readonly<Record<string, unknown>>) => string) | undefined {
  if (dedupe === undefined) return undefined
  if (dedupe === 'row') return (row) => rowText(table, row)
  if (!Array.isArray(dedupe) || dedupe.length === 0) throw new ConfigError(`policy.dedupe is 'row' or names of columns.`)
  const unknown = dedupe.find((name: string) => !Object.hasOwn(table.columns, name))
  if (unknown !== undefined) throw new ConfigError(`policy.dedupe names "${unknown}", which is not a column of ${table.name}.`)
  const key = { ...table, columns: Object.fromEntries(dedupe.map((name: string) => [name, table.columns[name]])) as ColumnMap }
  return (row) => rowText(key, row)
}
