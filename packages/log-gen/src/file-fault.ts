import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { LogCompression, LogFormat } from './log-format'
import { draw, fleetKey, rateThreshold, scaleDraw } from './random'
import { type RatedKinds, rateOf } from './rated'
import type { FileId } from './shard'

/**
 * Ways a whole file is wrong.
 *
 * | kind | what lies there | rows |
 * |---|---|---|
 * | `missing` | nothing | lost |
 * | `empty` | a file without lines | lost |
 * | `redelivered` | the file, and once more under another key | each twice |
 * | `byte-order-mark`, `crlf`, `multi-member` | the file with a mark, with CRLF, in two gzip members | all |
 * | `plain-named-gzip` | plain bytes under a name that ends in .gz | all |
 * | `gzip-named-plain` | gzip bytes under a name that does not | none: Athena reads them as text |
 * | `array` | one JSON array instead of lines | none |
 * | `cut-line` | a last line that ends in its middle | all but one |
 */
export const fileFaultKinds = [
  'missing',
  'empty',
  'redelivered',
  'byte-order-mark',
  'crlf',
  'multi-member',
  'plain-named-gzip',
  'gzip-named-plain',
  'array',
  'cut-line',
] as const

/** A way a whole file is wrong: see {@link fileFaultKinds}. */
export type FileFaultKind = (typeof fileFaultKinds)[number]

/** Which gzip files end too early: one in each `every` (aligned to 1970, so `'1 hour'` is a clock hour), or a share of all. */
export type CutGzip = { readonly every: Duration } | { readonly rate: number }

/** Checked {@link CutGzip}. */
export type Cut = { readonly everyMs: number } | { readonly rate: number }

/** Kinds that a format can have. */
export function possibleFileFaults(format: LogFormat | 'layout', compression: LogCompression): ReadonlySet<FileFaultKind> {
  const kinds = new Set<FileFaultKind>(['missing', 'empty', 'redelivered'])
  if (format === 'parquet') return kinds
  kinds.add('byte-order-mark').add('crlf')
  if (compression === 'gzip') kinds.add('multi-member').add('plain-named-gzip').add('gzip-named-plain')
  if (format === 'ndjson') kinds.add('array').add('cut-line')
  return kinds
}

/**
 * Checks `cutGzip`.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function resolveCut(where: string, cut: CutGzip, fileMs: number): Cut {
  checkOptions(`${where}: "cutGzip"`, cut, { optional: ['every', 'rate'] })
  const { every, rate: share } = cut as { every?: Duration; rate?: number }
  if ((every === undefined) === (share === undefined))
    throw new ConfigError(`${where}: "cutGzip" takes either "every" or "rate".`)
  if (share !== undefined) return { rate: rateOf(where, 'cutGzip', share) }
  const everyMs = durationMs(every as Duration)
  if (everyMs < fileMs || everyMs % fileMs !== 0) {
    throw new ConfigError(`${where}: cutGzip.every must be a multiple of the length of a file.`)
  }
  return { everyMs }
}

/** What is wrong with each file. */
export interface FileFaults {
  /** Rows in front of the cut of a gzip file with so many rows; `undefined` when it is not cut. */
  rowsBeforeCut(file: FileId, rows: number): number | undefined
  /** `undefined` also when the file is cut: one fault a file. */
  kindOf(file: FileId): FileFaultKind | undefined
}

/** The faults of files by formula. */
export function makeFileFaults(
  { cut, file: { rate, kinds } }: { readonly cut: Cut | undefined; readonly file: RatedKinds<FileFaultKind> },
  seed: number,
  fileMs: number,
): FileFaults {
  const cutKeys = fleetKey(seed, 'fault:cut-file')
  const rowKeys = fleetKey(seed, 'fault:cut-row')
  const fileKeys = fleetKey(seed, 'fault:file')
  const kindKeys = fleetKey(seed, 'fault:file-kind')
  const below = rateThreshold(rate)
  // Each shard of a time has draws of its own.
  const numberOf = ({ start, shard }: FileId) => start / fileMs + shard.index * 4_294_967_296
  const isCut = (file: FileId): boolean => {
    if (!cut) return false
    if ('rate' in cut) return draw(cutKeys, 0, numberOf(file)) < rateThreshold(cut.rate)
    const span = Math.floor(file.start / cut.everyMs)
    const chosen = scaleDraw(draw(cutKeys, 0, span), cut.everyMs / fileMs)
    return file.start === span * cut.everyMs + chosen * fileMs
  }
  return {
    // At least one row stays readable and at least one is lost.
    rowsBeforeCut: (file, rows) =>
      rows < 2 || !isCut(file) ? undefined : 1 + scaleDraw(draw(rowKeys, 0, numberOf(file)), rows - 1),
    kindOf: (file) =>
      below > 0 && draw(fileKeys, 0, numberOf(file)) < below && !isCut(file)
        ? kinds[scaleDraw(draw(kindKeys, 0, numberOf(file)), kinds.length)]
        : undefined,
  }
}
