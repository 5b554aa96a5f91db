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
