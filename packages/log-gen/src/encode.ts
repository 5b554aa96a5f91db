import { type ColumnMap, ConfigError, type RowOfColumns } from '@pipe/core'
import { encodeFile } from './encoded-file'
import type { LogSource } from './lines'
import type { LogFormat } from './log-format'
import { type FileRange, filesOf } from './raw-file'

/**
 * The rows of the files of a span, in the order of the files: late rows where they arrive, copies as often as they are written, malformed
 * lines left out, as are files that are missing or empty. It is what a perfect reader makes of {@link encodeLog}. Lazy: one file at a time
 * is held.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `from` or `to` is not a boundary of files.
 */
export function* generate<Columns extends ColumnMap>(
  log: LogSource<Columns>,
  range: FileRange,
): Generator<RowOfColumns<Columns>> {
  const lines = log['~lines']
  for (const { window, shard } of filesOf(log, range)) {
    const file = { start: window.start.getTime(), shard }
    const fault = lines.fileFault(file)
    if (fault === 'missing' || fault === 'empty') continue
    const rows: RowOfColumns<Columns>[] = []
    lines.visit(file, (line) => {
      if (!line.malformed) rows.push(lines.rowOf(line) as RowOfColumns<Columns>)
    })
    yield* rows
  }
}

/**
 * The bytes of the files of a span before compression, one piece a file, so memory stays that of one file. Written by the fast path:
 * prepared pieces and whole-number printing, equal byte by byte to text made of {@link generate} where no line or file is spoilt.
 * Cuts of gzip files do not show here. `format` is another one than the log's, for the same records.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `from` or `to` is not a boundary of files, the format is not known, or the log has faults
 * that the format cannot have.
 */
export function* encodeLog(
  log: LogSource,
  range: FileRange & { readonly format?: LogFormat | undefined },
): Generator<Uint8Array> {
  const { format, ...span } = range
  if (format !== undefined && !['ndjson', 'csv', 'tsv', 'parquet'].includes(format)) {
    throw new ConfigError(`The format "${format}" is not known.`, { hint: "Use 'ndjson', 'csv', 'tsv' or 'parquet'." })
  }
  for (const { window, shard } of filesOf(log, span)) {
    const { bytes } = encodeFile(log, { start: window.start.getTime(), shard }, format)
    if (bytes.length > 0) yield bytes
  }
}
