import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'

/** Ways to spoil a line. Each gives exactly one line, which no reader of the table can take for a row. */
export const malformedKinds = [
  'truncated',
  'not-json',
  'wrong-type',
  'unknown-column',
  'missing-column',
  'null-column',
  'bare-nan',
  'blank-line',
  'invalid-utf8',
] as const

/** A way to spoil a line. */
export type MalformedKind = (typeof malformedKinds)[number]

/** Which gzip files end too early: one in each `every` (aligned to 1970, so `'1 hour'` is a clock hour), or a share of all. */
export type CutGzip = { readonly every: Duration } | { readonly rate: number }

/** Faults to inject. Rates are shares of records, 0–1; absent means none. */
export interface FaultOptions {
  /** Share of records that arrive late: in a later file, at most the table's `allowedLateness` after their event time. */
  readonly late?: number | undefined
  /** Share of records that are written twice: right behind the first copy, or in a later file (each about half). */
  readonly duplicate?: number | undefined
  /** Share of lines that are spoilt, or `{ rate, kinds }` for some of {@link malformedKinds} only. */
  readonly malformed?: number | { readonly rate: number; readonly kinds: readonly MalformedKind[] } | undefined
  /** Files whose gzip is cut behind a row chosen by the seed. */
  readonly cutGzip?: CutGzip | undefined
}

/** Checked faults. */
export interface Faults {
  readonly late: number
  readonly duplicate: number
  readonly malformed: number
  readonly kinds: readonly MalformedKind[]
  readonly cut: { readonly everyMs: number } | { readonly rate: number } | undefined
}

/**
 * Checks faults against the table and the length of a file.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function resolveFaults(
  where: string,
  options: FaultOptions,
  log: { readonly fileMs: number; readonly latenessMs: number; readonly possible: ReadonlySet<MalformedKind> },
): Faults {
  checkOptions(`${where}: "faults"`, options, { optional: ['late', 'duplicate', 'malformed', 'cutGzip'] })
  const rate = (name: string, value: number): number => {
    if (!(value >= 0 && value <= 1)) throw new ConfigError(`${where}: the rate of "${name}" must be from 0 to 1, not ${value}.`)
    return value
  }
  const late = rate('late', options.late ?? 0)
  if (late > 0 && log.latenessMs < log.fileMs) {
    throw new ConfigError(`${where}: a record cannot be late, because allowedLateness of the table is shorter than a file.`, {
      hint: "Give the table an allowedLateness of at least the length of a file, for example '10 minutes'.",
    })
  }
  const { malformed = 0, cutGzip } = options
  if (typeof malformed === 'object') checkOptions(`${where}: "malformed"`, malformed, { required: ['rate', 'kinds'] })
  const kinds = typeof malformed === 'object' ? malformed.kinds : malformedKinds.filter((kind) => log.possible.has(kind))
  for (const kind of kinds) {
    if (!malformedKinds.includes(kind)) {
      throw new ConfigError(`${where}: "${kind}" is not a kind of malformed line.`, {
        hint: `Known kinds: ${malformedKinds.join(', ')}.`,
      })
    }
    if (!log.possible.has(kind)) throw new ConfigError(`${where}: no column of the table can be malformed as "${kind}".`)
  }
  if (kinds.length === 0) throw new ConfigError(`${where}: "malformed" needs at least one kind.`)
  return {
    late,
    duplicate: rate('duplicate', options.duplicate ?? 0),
    malformed: rate('malformed', typeof malformed === 'object' ? malformed.rate : malformed),
    kinds,
    cut: cutGzip === undefined ? undefined : resolveCut(where, cutGzip, log.fileMs, rate),
  }
}

function resolveCut(where: string, cut: CutGzip, fileMs: number, rate: (name: string, value: number) => number): Faults['cut'] {
  checkOptions(`${where}: "cutGzip"`, cut, { optional: ['every', 'rate'] })
  const { every, rate: share } = cut as { every?: Duration; rate?: number }
  if ((every === undefined) === (share === undefined))
    throw new ConfigError(`${where}: "cutGzip" takes either "every" or "rate".`)
  if (share !== undefined) return { rate: rate('cutGzip', share) }
  const everyMs = durationMs(every as Duration)
  if (everyMs < fileMs || everyMs % fileMs !== 0) {
    throw new ConfigError(`${where}: cutGzip.every must be a multiple of the length of a file.`)
  }
  return { everyMs }
}
