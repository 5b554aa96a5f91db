import { type UnreadableRow, unreadableRow } from '../quarantine'
import type { Table } from '../table'
import type { DecodeFault } from './compression'

/** Some rows of a file, in the order of the file, and those that could not be read. */
export interface RowBatch<Row> {
  readonly rows: Row[]
  readonly unreadable: UnreadableRow[]
}

/** What every reader of a text format takes. */
export interface ReadOptions<T extends Table = Table> {
  /** Contract of the rows. */
  readonly table: T
  /** Name for positions, `s3://bucket/key` or a path. Its ending also says how the file should be packed (`.gz`). */
  readonly file: string
  /** Rows the producer put in, from its stamp. Lines that are missing at the end then become one entry of the right number of rows. */
  readonly expectedRows?: number | undefined
  /** Bytes after decompression, at most. Default 4 GiB. */
  readonly maxBytes?: number | undefined
  /** Bytes of one line, at most. Default 32 MB, as in Athena. */
  readonly maxLineBytes?: number | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Passes batches on and closes the books of a file: what could not be decoded, or what the producer's stamp says is missing, is reported
 * as one entry without line, so that rows + Σ unreadable.rows is the number of rows of the file.
 */
export async function* withRemainder<Row>(
  batches: AsyncIterable<RowBatch<Row>>,
  end: { readonly file: string; readonly expectedRows: number | undefined; readonly fault: () => DecodeFault | undefined },
): AsyncGenerator<RowBatch<Row>> {
  let counted = 0
  let lastUnreadable: UnreadableRow | undefined
  for await (const batch of batches) {
    counted += batch.rows.length
    for (const entry of batch.unreadable) {
      counted += entry.rows
      lastUnreadable = entry
    }
    if (batch.rows.length > 0 || batch.unreadable.length > 0) yield batch
  }
  const fault = end.fault()
  const { file, expectedRows } = end
  const missing = expectedRows === undefined ? undefined : Math.max(0, expectedRows - counted)
  let entry: UnreadableRow | undefined
  if (fault !== undefined) {
    // Without a stamp, a line that was cut in the middle already stands for the damage.
    const isCounted = missing === undefined && fault.mayCutLine && lastUnreadable?.reason.endsWith(fault.reason)
    if (!isCounted && missing !== 0) {
      const known = missing === undefined ? 'the number of rows behind it is not known' : `${missing} rows behind it are lost`
      entry = unreadableRow({ file, reason: `${fault.reason}: ${known}`, rows: missing ?? 1 })
    }
  } else if (missing !== undefined && missing > 0) {
    entry = unreadableRow({
      file,
      reason: `the producer wrote ${expectedRows} rows, the file holds ${counted}`,
      rows: missing,
    })
  }
  if (entry) yield { rows: [], unreadable: [entry] }
}
