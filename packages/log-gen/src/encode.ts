import type { ColumnMap, RowOfColumns } from '@pipe/core'
import type { LogFormat, LogSource } from './lines'
import { encodeFile, type FileRange, fileWindows } from './raw-file'

/**
 * The rows of the files of a span, in the order of the files: late rows where they arrive, copies as often as they are written, malformed
 * lines left out. It is what a perfect reader makes of {@link encodeLog}. Lazy: one file at a time is held.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `from` or `to` is not a boundary of files.
 */
export function* generate<Columns extends ColumnMap>(
  log: LogSource<Columns>,
  range: FileRange,
): Generator<RowOfColumns<Columns>> {
  const lines = log['~lines']
  for (const { start } of fileWindows(log, range)) {
    const rows: RowOfColumns<Columns>[] = []
    lines.visit(start.getTime(), (line) => {
      if (!line.malformed) rows.push(lines.rowOf(line) as RowOfColumns<Columns>)
    })
    yield* rows
  }
}

/**
 * The bytes of the files of a span before compression, one piece a file, so memory stays that of one file. Written by the fast path:
 * prepared pieces and whole-number printing, equal byte by byte to JSON text made of {@link generate} where no line is malformed.
 * Cuts of gzip files do not show here.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `from` or `to` is not a boundary of files, or the format is not known.
 */
export function* encodeLog(
  log: LogSource,
  range: FileRange & { readonly format?: LogFormat | undefined },
): Generator<Uint8Array> {
  for (const { start } of fileWindows(log, range)) {
    const { bytes } = encodeFile(log, start, range.format)
    if (bytes.length > 0) yield bytes
  }
}
