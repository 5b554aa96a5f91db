import type { Window } from '@pipe/core'
import { type EncodedFile, encodeFile } from './encoded-file'
import type { Line, LineFault, LogSource } from './lines'
import { type FileRange, filesOf, keysOf } from './raw-file'
import type { FileId } from './shard'

/** One file of a span, as it is stored. */
export interface StoredFile {
  /** Empty when it is missing; two when it is redelivered. */
  readonly keys: readonly string[]
  readonly window: Window
  readonly file: FileId
  readonly encoded: EncodedFile
}

/** The files of a span in order; those without any record are left out. */
export function* storedFiles(log: LogSource, range: FileRange): Generator<StoredFile> {
  for (const { window, shard } of filesOf(log, range)) {
    const file = { start: window.start.getTime(), shard }
    const encoded = encodeFile(log, file)
    const keys = keysOf(log, window, shard, encoded)
    if (keys.length > 0 || encoded.fault === 'missing') yield { keys, window, file, encoded }
  }
}

/** A record at its place in a file. */
export interface PlacedLine {
  readonly line: Line
  /** 1-based number of its first line. */
  readonly number: number
  /** Lines it takes in front of a cut and behind it. */
  readonly readable: number
  readonly cut: number
  /** `lost`: it stands in no file. */
  readonly state: 'row' | 'malformed' | 'cut' | 'lost'
  /** Of a malformed line. */
  readonly malformed?: LineFault | 'array' | undefined
}

/** Calls `visit` for each record of a file, with what a reader of the stored bytes makes of it. */
export function visitLines(log: LogSource, { file, encoded }: StoredFile, visit: (placed: PlacedLine) => void): void {
  const { fault, rows, readableRows } = encoded
  const isGone = fault === 'missing' || fault === 'empty'
  let number = 1
  const lose = (line: Line) => visit({ line, number, readable: 0, cut: 0, state: 'lost' })
  log['~lines'].visit(
    file,
    (line) => {
      if (isGone) return lose(line)
      const span = line.malformed === 'split-line' ? 2 : 1
      const readable = Math.max(0, Math.min(span, readableRows - number + 1))
      const malformed =
        line.malformed ??
        (fault === 'array' ? 'array' : fault === 'cut-line' && number === rows ? ('truncated' as const) : undefined)
      const state = readable === 0 ? 'cut' : malformed ? 'malformed' : 'row'
      visit({ line, number, readable, cut: span - readable, state, malformed })
      number += span
    },
    lose,
  )
}
