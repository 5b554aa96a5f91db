import type { ColumnMap, RowOfColumns } from '@pipe/core'
import type { ClockFaultKind } from './clock-fault'
import type { DuplicateKind } from './fault'
import type { FileFaultKind } from './file-fault'
import { type PlacedLine, type StoredFile, storedFiles, visitLines } from './file-lines'
import type { Episode, LineFault, LogSource } from './lines'
import { type FileRange, stampFor } from './raw-file'
import { createDigest } from './row-digest'
import { type MeasureTruth, makeTally, type Tally } from './tally'
import { makeJudge, type RowVerdict, type TruthPolicy } from './truth-policy'

/** One injected fault. A line may have several (a late duplicate). */
export interface InjectedFault {
  /** 1-based. Of a gap: the line that it stands in front of. */
  readonly line: number
  /**
   * `late`: the row stands in a later file than its event time; `very-late`: later than the table allows. `out-of-order`: behind younger
   * rows of its file. `duplicate`: the second copy of a row. `clock`: the event time is wrong. `gap`: a lost record. `cut-gzip`: this line
   * and all behind it.
   */
  readonly kind: 'late' | 'very-late' | 'out-of-order' | 'duplicate' | 'clock' | 'malformed' | 'gap' | 'cut-gzip'
  readonly device: string
  readonly eventTime: Date
  /** How a malformed line is spoilt; `array`: it stands in an array that fills the file. */
  readonly malformed?: LineFault | 'array'
  readonly duplicate?: DuplicateKind
  readonly clock?: ClockFaultKind
  /** Lines lost to a cut, or that a malformed record takes when these are two. */
  readonly rows?: number
  /** The line lies behind the cut of its file, so nobody can see the fault. */
  readonly isCut: boolean
}

/** What one raw file holds. */
export interface FileTruth {
  /** Relative to the location. */
  readonly key: string
  /** Start of the time whose records the file holds. */
  readonly minute: Date
  /** Lines, malformed ones and those that cannot be decoded included. */
  readonly rows: number
  readonly rawBytes: number
  /** Of the bytes before compression, uncut. */
  readonly sha256: string
  /** Lines that cannot be decoded: behind a cut, or in a file with the wrong name. */
  readonly cutRows: number
  /** What is wrong with the whole file. */
  readonly fault?: FileFaultKind
  /** Of the second one of two equal files: the key of the first. */
  readonly of?: string
  readonly faults: readonly InjectedFault[]
}

/** A file that should be there and is not. */
export interface MissingFile {
  readonly minute: Date
  /** Records that are in no file. */
  readonly lostRows: number
}

/** Rows of one device that the pipeline must show. */
export interface DeviceTruth {
  readonly rows: number
  readonly measures: Readonly<Record<string, MeasureTruth>>
}

/** What the files of a span hold, and what a pipeline must make of them. */
export interface GroundTruth {
  readonly files: readonly FileTruth[]
  readonly missing: readonly MissingFile[]
  /** What happened to devices and measures within the span. */
  readonly episodes: readonly Episode[]
  /** All lines: readable + malformed + cut. */
  readonly generatedRows: number
  readonly readableRows: number
  /** Spoilt lines in front of a cut: together with `cutRows` what a pipeline must quarantine. */
  readonly malformedRows: number
  /** Lines that cannot be decoded. */
  readonly cutRows: number
  /** Records in no file: gaps, and those of missing and empty files. */
  readonly lostRows: number
  /** Readable rows that stand in a later file than their event time (later copies included). */
  readonly lateRows: number
  /** Readable rows that are the second copy of a row, or stand in a file that is stored a second time. */
  readonly duplicateRows: number
  /** Readable rows that the pipeline must show under the policy: `readableRows` less the next three. */
  readonly shownRows: number
  readonly tooLateRows: number
  readonly tooEarlyRows: number
  /** Rows that de-duplication takes away. */
  readonly dedupedRows: number
  /** `malformedRows` + `cutRows`; 0 when the policy drops them. */
  readonly quarantinedRows: number
  /** Of the shown rows, by name of the device. Devices without such a row are absent. */
  readonly devices: Readonly<Record<string, DeviceTruth>>
  /** {@link createDigest} of the shown rows. */
  readonly digest: string
}

/** A span of files, and what the pipeline does with their rows. */
export interface TruthOptions extends FileRange {
  /** What the pipeline does with doubled, late and malformed rows. Default: all readable rows are shown. */
  readonly policy?: TruthPolicy | undefined
}

/**
 * What the files of a span hold: counts, exact sums, a digest, and each injected fault by file and line. Computed from seed and
 * configuration alone; nothing is read. With a `policy`, what a pipeline that de-duplicates or drops late rows must show.
 *
 * Counts and sums are of *rows in files*: a duplicate is a row of the truth unless the policy de-duplicates, and a row that is late beyond
 * `to` is none.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `from` or `to` is not a boundary of files, or for a policy that the table cannot have.
 * @example
 * ```ts
 * const truth = groundTruth(log, { from, to, policy: { dedupe: ['device_name', 'timestamp'], allowedLateness: '10 minutes' } })
 * ```
 */
export function groundTruth(log: LogSource, { policy = {}, ...range }: TruthOptions): GroundTruth {
  const source = log['~lines']
  const judge = makeJudge(log.table, policy, source.fileMs)
  const files: FileTruth[] = []
  const missing: MissingFile[] = []
  const tallies = source.devices.map(() => ({ rows: 0, measures: source.measures.map(makeTally) }))
  const digest = createDigest(log.table)
  const counts = { readableRows: 0, malformedRows: 0, cutRows: 0, lostRows: 0, lateRows: 0, duplicateRows: 0 }
  const verdicts: Record<RowVerdict, number> = { shown: 0, 'too-late': 0, 'too-early': 0, duplicate: 0 }
  let generatedRows = 0

  /** Counts the records of a file once for each key it is stored under. */
  const count = (stored: StoredFile, times: number): InjectedFault[] => {
    const start = stored.file.start
    const faults: InjectedFault[] = []
    visitLines(log, stored, (placed) => {
      const { line, state, readable, cut } = placed
      if (times === 0) addFaults(faults, placed, stored, source.devices)
      if (state === 'lost') counts.lostRows += times === 0 ? 1 : 0
      counts.cutRows += cut
      if (state === 'malformed') counts.malformedRows += readable
      if (state !== 'row') return
      counts.readableRows++
      if (line.eventTime < start) counts.lateRows++
      if (line.copy === 1 || times > 0) counts.duplicateRows++
      const row = source.rowOf(line)
      const verdict = judge(() => row, line.eventTime, start)
      verdicts[verdict]++
      if (verdict !== 'shown') return
      const tally = tallies[line.device] as (typeof tallies)[number]
      tally.rows++
      for (let i = 0; i < tally.measures.length; i++) (tally.measures[i] as Tally).add(source.exactOf(i, line))
      digest.add(row)
    })
    return faults
  }

  for (const stored of storedFiles(log, range)) {
    const { keys, window, encoded } = stored
    const { rows, readableRows, fault } = encoded
    const lostBefore = counts.lostRows
    const faults = count(stored, 0)
    if (keys.length === 0) missing.push({ minute: window.start, lostRows: counts.lostRows - lostBefore })
    const stamp = stampFor(encoded)
    keys.forEach((key, i) => {
      if (i > 0) count(stored, i)
      generatedRows += rows
      files.push({
        ...stamp,
        key,
        minute: window.start,
        cutRows: rows - readableRows,
        ...(fault && { fault }),
        ...(i > 0 && { of: keys[0] as string }),
        faults,
      })
    })
  }
  const span = { from: new Date(range.from).getTime(), to: new Date(range.to).getTime() }
  return {
    files,
    missing,
    episodes: source.devices.flatMap((_, device) => source.episodes(device, span)),
    generatedRows,
    ...counts,
    shownRows: verdicts.shown,
    tooLateRows: verdicts['too-late'],
    tooEarlyRows: verdicts['too-early'],
    dedupedRows: verdicts.duplicate,
    quarantinedRows: policy.dropMalformed ? 0 : counts.malformedRows + counts.cutRows,
    devices: deviceTruths(log, tallies),
    digest: digest.value(),
  }
}

function deviceTruths(
  log: LogSource,
  tallies: readonly { readonly rows: number; readonly measures: readonly Tally[] }[],
): GroundTruth['devices'] {
  const source = log['~lines']
  // No prototype: a device may be named "__proto__".
  const devices: Record<string, DeviceTruth> = Object.create(null)
  tallies.forEach(({ rows, measures }, device) => {
    if (rows === 0) return
    const entries = measures.map((tally, i) => {
      const { column, scale } = source.measures[i] as { column: string; scale: number }
      return [column, { scale, ...tally.result() }] as const
    })
    devices[source.devices[device] as string] = { rows, measures: Object.fromEntries(entries) }
  })
  return devices
}

function addFaults(faults: InjectedFault[], placed: PlacedLine, stored: StoredFile, devices: readonly string[]): void {
  const { rows, readableRows, fault } = stored.encoded
  const { line, number, state, malformed, readable, cut } = placed
  const isCut = state === 'cut'
  const add = (kind: InjectedFault['kind'], more: Partial<InjectedFault> = {}, at = number) =>
    faults.push({ line: at, kind, device: devices[line.device] as string, eventTime: new Date(line.eventTime), ...more, isCut })
  const firstCut = number + readable
  if (cut > 0 && fault === undefined && firstCut === readableRows + 1) add('cut-gzip', { rows: rows - readableRows }, firstCut)
  if (state === 'lost') return void add('gap')
  if (malformed) return void add('malformed', { malformed, ...(readable + cut > 1 && { rows: readable + cut }) })
  if (line.clock) add('clock', { clock: line.clock })
  else if (line.eventTime < stored.file.start) add(line.delay === 'very-late' ? 'very-late' : 'late')
  if (line.delay === 'out-of-order') add('out-of-order')
  if (line.duplicate) add('duplicate', { duplicate: line.duplicate })
}

/**
 * The rows that the stored files of a span show under the policy: by default those of {@link generate} without the rows that cannot be
 * decoded, and twice those of a file that is stored twice. What a query over the pipeline's result must give, as a multiset. Lazy: one file
 * at a time is held.
 */
export function* readableRows<Columns extends ColumnMap>(
  log: LogSource<Columns>,
  { policy = {}, ...range }: TruthOptions,
): Generator<RowOfColumns<Columns>> {
  const source = log['~lines']
  const judge = makeJudge(log.table, policy, source.fileMs)
  for (const stored of storedFiles(log, range)) {
    for (let copy = 0; copy < stored.keys.length; copy++) {
      const rows: RowOfColumns<Columns>[] = []
      visitLines(log, stored, ({ line, state }) => {
        if (state !== 'row') return
        const row = source.rowOf(line)
        if (judge(() => row, line.eventTime, stored.file.start) === 'shown') rows.push(row as RowOfColumns<Columns>)
      })
      yield* rows
    }
  }
}
