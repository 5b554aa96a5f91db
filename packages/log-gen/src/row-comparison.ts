import type { ColumnMap, Table } from '@pipe/core'
import { rowText } from './row-digest'

type Row = Readonly<Record<string, unknown>>

/** How two multisets of rows differ. */
export interface RowComparison {
  readonly expectedRows: number
  readonly actualRows: number
  /** Expected rows that are missing, each copy counted. */
  readonly lost: number
  /** Rows there more often than expected, each surplus copy counted. */
  readonly duplicated: number
  /** Rows that were not expected at all: changed on the way, or foreign. */
  readonly unknown: number
  /** Up to five texts of each. */
  readonly examples: {
    readonly lost: readonly string[]
    readonly duplicated: readonly string[]
    readonly unknown: readonly string[]
  }
}

/**
 * Compares rows exactly, as multisets. Holds one entry for each distinct expected row: fine for some millions, use
 * {@link createDigest} for more.
 *
 * @throws {@link PipeError} `PIPE_FORMAT_VALUE` when a row is not of the table.
 * @example
 * ```ts
 * const { lost, duplicated } = await compareRows(deviceLogs, readableRows(log, { from, to }), query)
 * ```
 */
export async function compareRows(
  table: Table<ColumnMap>,
  expected: Iterable<Row> | AsyncIterable<Row>,
  actual: Iterable<Row> | AsyncIterable<Row>,
): Promise<RowComparison> {
  // Left of each expected text: positive is missing, negative is surplus.
  const left = new Map<string, number>()
  let expectedRows = 0
  for await (const row of expected) {
    const text = rowText(table, row)
    left.set(text, (left.get(text) ?? 0) + 1)
    expectedRows++
  }
  const examples = { lost: [] as string[], duplicated: [] as string[], unknown: [] as string[] }
  const keep = (list: string[], text: string) => {
    if (list.length < 5) list.push(text.length <= 1000 ? text : `${text.slice(0, 1000)}…`)
  }
  let actualRows = 0
  let unknown = 0
  for await (const row of actual) {
    const text = rowText(table, row)
    actualRows++
    const count = left.get(text)
    if (count === undefined) {
      unknown++
      keep(examples.unknown, text)
    } else left.set(text, count - 1)
  }
  let lost = 0
  let duplicated = 0
  for (const [text, count] of left) {
    if (count > 0) {
      lost += count
      keep(examples.lost, text)
    } else if (count < 0) {
      duplicated -= count
      keep(examples.duplicated, text)
    }
  }
  return { expectedRows, actualRows, lost, duplicated, unknown, examples }
}
