import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type ClockFaultKind, clockFaultKinds } from './clock-fault'
import { type Cut, type CutGzip, type FileFaultKind, fileFaultKinds, resolveCut } from './file-fault'
import { commonMalformedKinds, type MalformedKind, malformedKinds } from './malformed-kind'
import { type Rated, type RatedKinds, ratedKinds, rateOf } from './rated'

/**
 * Kinds of duplicates. `in-file`: the copy stands right behind. `later-file`: the copy arrives later. `changed`: the copy arrives later with
 * the same device and event time, but another payload. (A whole file that is stored twice is `redelivered` of {@link FaultOptions.file}.)
 */
export const duplicateKinds = ['in-file', 'later-file', 'changed'] as const

/** A kind of duplicate. */
export type DuplicateKind = (typeof duplicateKinds)[number]

/** Renames a column in the records of some devices from an instant on, as a new firmware does. Such lines are malformed. */
export interface SchemaDrift {
  /** From this event time on. */
  readonly at: Date | string
  readonly rename: string
  /** No column of the table. */
  readonly to: string
  /** Share of the devices that have the new firmware. Default 1. */
  readonly share?: number | undefined
}

/** Faults to inject. Rates are shares of records, 0–1; absent means none. */
export interface FaultOptions {
  /** Share of records that arrive late: in a later file, at most the table's `allowedLateness` after their event time. */
  readonly late?: number | undefined
  /** Share of records that arrive later than the table's `allowedLateness` allows, at most `upTo` after their event time. */
  readonly veryLate?: { readonly rate: number; readonly upTo: Duration } | undefined
  /** Share of records that stand behind younger ones of the same file: sent up to `within` (default `'5 seconds'`) after their event time. */
  readonly outOfOrder?: number | { readonly rate: number; readonly within: Duration } | undefined
  /** Share of records that are written twice. A number: `in-file` and `later-file`, about half each. */
  readonly duplicate?: Rated<DuplicateKind> | undefined
  /** Share of records that are lost: a gap in their sequence. */
  readonly gap?: number | undefined
  /** Share of records whose event time is wrong, though it can be read. A number: all of {@link clockFaultKinds}. */
  readonly clock?: Rated<ClockFaultKind> | undefined
  /**
   * Share of lines that are spoilt, by {@link malformedKinds}. A number: of them the nine common ones that the table can have (`truncated`
   * to `invalid-utf8`).
   */
  readonly malformed?: Rated<MalformedKind> | undefined
  /** A column that gets another name. */
  readonly schemaDrift?: SchemaDrift | undefined
  /** Share of files that are missing, empty, stored twice or stored wrongly, by {@link fileFaultKinds}. A number: all kinds. */
  readonly file?: Rated<FileFaultKind> | undefined
  /** Files whose gzip is cut behind a row chosen by the seed. */
  readonly cutGzip?: CutGzip | undefined
}

/** Checked faults. */
export interface Faults {
  readonly late: number
  readonly veryLate: { readonly rate: number; readonly upToMs: number }
  readonly outOfOrder: { readonly rate: number; readonly withinMs: number }
  readonly duplicate: RatedKinds<DuplicateKind>
  readonly gap: number
  readonly clock: RatedKinds<ClockFaultKind>
  readonly malformed: RatedKinds<MalformedKind>
  readonly schemaDrift:
    | { readonly atMs: number; readonly rename: string; readonly to: string; readonly share: number }
    | undefined
  readonly file: RatedKinds<FileFaultKind>
  readonly cut: Cut | undefined
}

/** What of a log decides which faults it can have. */
export interface FaultGround {
  readonly fileMs: number
  readonly latenessMs: number
  readonly columns: readonly string[]
  readonly malformed: ReadonlySet<MalformedKind>
  readonly files: ReadonlySet<FileFaultKind>
  /** Whether gzip can be cut. */
  readonly isGzip: boolean
  /** Whether columns have names in the file. */
  readonly hasNames: boolean
}

const names = [
  'late',
  'veryLate',
  'outOfOrder',
  'duplicate',
  'gap',
  'clock',
  'malformed',
  'schemaDrift',
  'file',
  'cutGzip',
] as const

/**
 * Checks faults against the table, the format and the length of a file.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function resolveFaults(where: string, options: FaultOptions, ground: FaultGround): Faults {
  checkOptions(`${where}: "faults"`, options, { optional: names })
  const { cutGzip, schemaDrift } = options
  const late = rateOf(where, 'late', options.late ?? 0)
  if (late > 0 && ground.latenessMs < ground.fileMs) {
    throw new ConfigError(`${where}: a record cannot be late, because allowedLateness of the table is shorter than a file.`, {
      hint: "Give the table an allowedLateness of at least the length of a file, for example '10 minutes'.",
    })
  }
  if (cutGzip !== undefined && !ground.isGzip) throw new ConfigError(`${where}: "cutGzip" needs text with compression: 'gzip'.`)
  const rated = <Kind extends string>(
    name: keyof FaultOptions,
    given: Rated<Kind> | undefined,
    all: readonly Kind[],
    possible: ReadonlySet<Kind>,
    usual: readonly Kind[] = all,
  ) => ratedKinds(where, name, given, { all, possible, usual })
  return {
    late,
    veryLate: resolveVeryLate(where, options.veryLate, ground),
    outOfOrder: resolveOutOfOrder(where, options.outOfOrder, ground.fileMs),
    duplicate: rated('duplicate', options.duplicate, duplicateKinds, new Set(duplicateKinds), ['in-file', 'later-file']),
    gap: rateOf(where, 'gap', options.gap ?? 0),
    clock: rated('clock', options.clock, clockFaultKinds, new Set(clockFaultKinds)),
    malformed: rated('malformed', options.malformed, malformedKinds, ground.malformed, commonMalformedKinds),
    schemaDrift: schemaDrift && resolveDrift(where, schemaDrift, ground),
    file: rated('file', options.file, fileFaultKinds, ground.files),
    cut: cutGzip === undefined ? undefined : resolveCut(where, cutGzip, ground.fileMs),
  }
}

function resolveVeryLate(where: string, given: FaultOptions['veryLate'], ground: FaultGround): Faults['veryLate'] {
  if (given === undefined) return { rate: 0, upToMs: 0 }
  checkOptions(`${where}: "veryLate"`, given, { required: ['rate', 'upTo'] })
  const upToMs = durationMs(given.upTo)
  const least = Math.max(ground.latenessMs + 1, ground.fileMs)
  if (!Number.isInteger(upToMs) || upToMs < least || upToMs > 31 * 86_400_000) {
    throw new ConfigError(
      `${where}: veryLate.upTo must be more than the table's allowedLateness, at least a file (${least} ms), and at most '31 days'.`,
    )
  }
  return { rate: rateOf(where, 'veryLate', given.rate), upToMs }
}

function resolveOutOfOrder(where: string, given: FaultOptions['outOfOrder'], fileMs: number): Faults['outOfOrder'] {
  if (typeof given === 'object') checkOptions(`${where}: "outOfOrder"`, given, { required: ['rate', 'within'] })
  const withinMs = durationMs(typeof given === 'object' ? given.within : '5 seconds')
  if (!Number.isInteger(withinMs) || withinMs < 1 || withinMs > fileMs) {
    throw new ConfigError(`${where}: outOfOrder.within must be at most the length of a file.`)
  }
  return { rate: rateOf(where, 'outOfOrder', (typeof given === 'object' ? given.rate : given) ?? 0), withinMs }
}

function resolveDrift(where: string, drift: SchemaDrift, ground: FaultGround): NonNullable<Faults['schemaDrift']> {
  checkOptions(`${where}: "schemaDrift"`, drift, { required: ['at', 'rename', 'to'], optional: ['share'] })
  const atMs = new Date(drift.at).getTime()
  if (Number.isNaN(atMs)) throw new ConfigError(`${where}: schemaDrift.at is not an instant. Give a Date or ISO 8601 text.`)
  if (!ground.hasNames) throw new ConfigError(`${where}: "schemaDrift" needs the format 'ndjson': the others name no columns.`)
  if (!ground.columns.includes(drift.rename)) throw new ConfigError(`${where}: there is no column "${drift.rename}" to rename.`)
  if (ground.columns.includes(drift.to) || drift.to === '') {
    throw new ConfigError(`${where}: schemaDrift.to must be a name that no column of the table has.`)
  }
  return { atMs, rename: drift.rename, to: drift.to, share: rateOf(where, 'schemaDrift.share', drift.share ?? 1) }
}
