import { PipeError } from './error'

/**
 * A row that could not be read, with its position. Readers return these beside the good rows: nothing is dropped and nothing is
 * guessed.
 */
export interface UnreadableRow {
  /** `s3://bucket/key`, or a path. */
  readonly file: string
  /** 1-based line of the file after decompression. Absent when the bytes could not be decoded at all. */
  readonly line?: number | undefined
  /** Offset of the first byte of the row after decompression. */
  readonly offset?: number | undefined
  /** What is wrong, one sentence: `"metric" is "n/a", not a double`. */
  readonly reason: string
  /** The bytes as they were, as UTF-8 text with replacement characters, cut to 1 024 characters. Absent when there are none. */
  readonly raw?: string | undefined
  /** How many rows this entry stands for: 1, or more where a part of a file cannot be decoded but its row count is known. */
  readonly rows: number
}

/** How much of a row is kept in {@link UnreadableRow.raw}. */
const rawCharacters = 1024

/** Makes an {@link UnreadableRow}; `raw` is cut and copied, so that it does not keep the file's memory alive. */
export function unreadableRow(entry: {
  readonly file: string
  readonly line?: number | undefined
  readonly offset?: number | undefined
  readonly reason: string
  readonly raw?: string | undefined
  readonly rows?: number | undefined
}): UnreadableRow {
  return {
    file: entry.file,
    ...(entry.line === undefined ? {} : { line: entry.line }),
    ...(entry.offset === undefined ? {} : { offset: entry.offset }),
    reason: entry.reason,
    ...(entry.raw === undefined ? {} : { raw: detached(entry.raw.slice(0, rawCharacters)) }),
    rows: entry.rows ?? 1,
  }
}

/** A copy: the engine's slices of a text keep the whole text alive. Lone halves of surrogate pairs become replacement characters. */
function detached(text: string): string {
  return Buffer.from(text).toString()
}

/** NDJSON of unreadable rows, one line each with a line end: the content of a quarantine object. Read by {@link parseUnreadableRows}. */
export function encodeUnreadableRows(rows: Iterable<UnreadableRow>): string {
  let text = ''
  for (const { file, line, offset, reason, raw, rows: count } of rows) {
    text += `${JSON.stringify({ file, line, offset, reason, raw, rows: count })}\n`
  }
  return text
}

/**
 * Reads a quarantine object.
 *
 * @throws {@link PipeError} `PIPE_FORMAT_QUARANTINE` for a line that is no entry: quarantine is evidence, so nothing in it is skipped.
 */
export function parseUnreadableRows(text: string): UnreadableRow[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line, index) => {
    let entry: unknown
    let cause: unknown
    try {
      entry = JSON.parse(line)
    } catch (error) {
      cause = error
    }
    if (!isUnreadableRow(entry)) {
      throw new PipeError('PIPE_FORMAT_QUARANTINE', `Line ${index + 1} is no quarantine entry: ${line.slice(0, 80)}.`, {
        hint: 'Read files that encodeUnreadableRows wrote.',
        cause,
      })
    }
    return entry
  })
}

function isUnreadableRow(value: unknown): value is UnreadableRow {
  if (typeof value !== 'object' || value === null) return false
  const { file, line, offset, reason, raw, rows } = value as Record<string, unknown>
  const isCount = (count: unknown) => count === undefined || (Number.isSafeInteger(count) && (count as number) >= 0)
  return (
    typeof file === 'string' &&
    typeof reason === 'string' &&
    (raw === undefined || typeof raw === 'string') &&
    isCount(line) &&
    isCount(offset) &&
    rows !== undefined &&
    isCount(rows)
  )
}
