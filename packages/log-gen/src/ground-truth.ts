import type { ColumnMap, RowOfColumns } from '@pipe/core'
import type { MalformedKind } from './fault'
import type { ExactNumber, Line, LogSource } from './lines'
import { encodeFile, type FileRange, fileKey, fileWindows, stampFor } from './raw-file'
import { createDigest } from './row-digest'

/** One injected fault. A line may have two (a late duplicate). */
export interface InjectedFault {
  /** 1-based. */
  readonly line: number
  /** `late`: the row stands in a later file than its event time. `duplicate`: the second copy of a row. `cut-gzip`: this line and all behind it. */
  readonly kind: 'late' | 'duplicate' | 'malformed' | 'cut-gzip'
  readonly device: string
  readonly eventTime: Date
  /** How a malformed line is spoilt. */
  readonly malformed?: MalformedKind
  /** Lines lost to a cut. */
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
  /** Lines, malformed ones and those behind a cut included. */
  readonly rows: number
  readonly rawBytes: number
  /** Of the bytes before compression, uncut. */
  readonly sha256: string
  /** Lines behind the cut. */
  readonly cutRows: number
  readonly faults: readonly InjectedFault[]
}

/** Exact numbers of one measure of a device: each is a whole number of 10^-`scale`. */
export interface MeasureTruth {
  readonly scale: number
  /** Readings that are not null. With 0 of them, `min` and `max` are 0. */
  readonly count: number
  readonly min: bigint
  readonly max: bigint
  readonly sum: bigint
}

/** Readable rows of one device. */
export interface DeviceTruth {
  readonly rows: number
  readonly measures: Readonly<Record<string, MeasureTruth>>
}

/** What the files of a span hold, and what a pipeline must make of them. */
export interface GroundTruth {
  readonly files: readonly FileTruth[]
  /** All lines: readable + malformed + cut. */
  readonly generatedRows: number
  readonly readableRows: number
  /** Spoilt lines in front of a cut: together with `cutRows` what a pipeline must quarantine. */
  readonly malformedRows: number
  readonly cutRows: number
  /** Readable rows that stand in a later file than their event time (later copies included). */
  readonly lateRows: number
  /** Readable rows that are the second copy of a row. */
  readonly duplicateRows: number
  /** Of the readable rows, by name of the device. Devices without such a row are absent. */
  readonly devices: Readonly<Record<string, DeviceTruth>>
  /** {@link createDigest} of the readable rows. */
  readonly digest: string
}

/**
 * What the files of a span hold: counts, exact sums, a digest, and each injected fault by file and line. Computed from seed and
 * configuration alone; nothing is read.
 *
 * Counts and sums are of *rows in files*: a duplicate is a row of the truth, and a row that is late beyond `to` is none.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `from` or `to` is not a boundary of files.
 */
export function groundTruth(log: LogSource, range: FileRange): GroundTruth {
  const source = log['~lines']
  const files: FileTruth[] = []
  const tallies = source.devices.map(() => ({ rows: 0, measures: source.measures.map(makeTally) }))
  const digest = createDigest(log.table)
  const counts = { generatedRows: 0, readableRows: 0, malformedRows: 0, cutRows: 0, lateRows: 0, duplicateRows: 0 }
  for (const window of fileWindows(log, range)) {
    const encoded = encodeFile(log, window.start)
    const { rows, readableRows } = encoded
    if (rows === 0) continue
    const start = window.start.getTime()
    const faults: InjectedFault[] = []
    let number = 0
    source.visit(start, (line) => {
      number++
      const isCut = number > readableRows
      if (number === readableRows + 1)
        faults.push(fault(source.devices, line, number, isCut, 'cut-gzip', { rows: rows - readableRows }))
      const isLate = line.eventTime < start
      if (line.malformed) faults.push(fault(source.devices, line, number, isCut, 'malformed', { malformed: line.malformed }))
      else {
        if (isLate) faults.push(fault(source.devices, line, number, isCut, 'late'))
        if (line.copy === 1) faults.push(fault(source.devices, line, number, isCut, 'duplicate'))
      }
      if (isCut) counts.cutRows++
      else if (line.malformed) counts.malformedRows++
      else {
        counts.readableRows++
        if (isLate) counts.lateRows++
        if (line.copy === 1) counts.duplicateRows++
        const tally = tallies[line.device] as (typeof tallies)[number]
        tally.rows++
        for (let i = 0; i < tally.measures.length; i++) (tally.measures[i] as Tally).add(source.exactOf(i, line))
        digest.add(source.rowOf(line))
      }
    })
    counts.generatedRows += rows
    files.push({ ...stampFor(encoded), key: fileKey(log, window), minute: window.start, cutRows: rows - readableRows, faults })
  }
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
  return { files, ...counts, devices, digest: digest.value() }
}

/**
 * The rows that can be read from the stored files of a span: those of {@link generate} without the rows behind the cut of a gzip. What a
 * query over the pipeline's result must give, as a multiset. Lazy: one file at a time is held.
 */
export function* readableRows<Columns extends ColumnMap>(
  log: LogSource<Columns>,
  range: FileRange,
): Generator<RowOfColumns<Columns>> {
  const lines = log['~lines']
  for (const { start } of fileWindows(log, range)) {
    const rows: (RowOfColumns<Columns> | undefined)[] = []
    lines.visit(start.getTime(), (line) => {
      rows.push(line.malformed ? undefined : (lines.rowOf(line) as RowOfColumns<Columns>))
    })
    const readable = lines.rowsBeforeCut(start.getTime(), rows.length) ?? rows.length
    for (let i = 0; i < readable; i++) {
      const row = rows[i]
      if (row !== undefined) yield row
    }
  }
}

function fault(
  devices: readonly string[],
  line: Line,
  number: number,
  isCut: boolean,
  kind: InjectedFault['kind'],
  more: { readonly malformed?: MalformedKind; readonly rows?: number } = {},
): InjectedFault {
  return { line: number, kind, device: devices[line.device] as string, eventTime: new Date(line.eventTime), ...more, isCut }
}

interface Tally {
  add(value: ExactNumber): void
  result(): Omit<MeasureTruth, 'scale'>
}

function makeTally(): Tally {
  let count = 0
  let min = 0n
  let max = 0n
  let sum = 0n
  // Whole numbers below 2^53 are summed as doubles, which is exact, and moved over before the sum could leave them.
  let small = 0
  let smallMin = Number.POSITIVE_INFINITY
  let smallMax = Number.NEGATIVE_INFINITY
  const take = (low: bigint, high: bigint, isFirst: boolean) => {
    if (isFirst || low < min) min = low
    if (isFirst || high > max) max = high
  }
  let hasBig = false
  return {
    add: (value) => {
      if (value === undefined) return
      count++
      if (typeof value === 'bigint') {
        take(value, value, !hasBig)
        hasBig = true
        sum += value
        return
      }
      if (value < smallMin) smallMin = value
      if (value > smallMax) smallMax = value
      const next = small + value
      if (Number.isSafeInteger(next)) small = next
      else {
        sum += BigInt(small)
        small = value
      }
    },
    result: () => {
      if (smallMin <= smallMax) take(BigInt(smallMin), BigInt(smallMax), !hasBig)
      return { count, min, max, sum: sum + BigInt(small) }
    },
  }
}
