import type { Column, ColumnMap } from '@pipe/core'
import type { Arrivals } from './arrivals'
import { type ByteWriter, writeBytes } from './byte-writer'
import { type Cell, nullDraw } from './cell'
import type { Span } from './episode'
import type { Faults } from './fault'
import type { FileFaults } from './file-fault'
import { type LineLayout, layoutFormat } from './line-layout'
import type { Episode, Line, LineSource, LineWriter, ParquetColumn } from './lines'
import { parquetColumn } from './log-columns'
import type { LogCompression, LogFormat } from './log-format'
import { renamedJson } from './malformed-json'
import type { Targets } from './malformed-kind'
import { type DrawKeys, draw } from './random'
import { csvFormat, jsonFormat, type RowFormat, tsvFormat } from './row-format'
import type { Filling } from './row-part'
import { compileRows } from './row-writer'
import type { Schedule } from './schedule'

/** What the lines of a log are made of. */
export interface LogParts {
  readonly format: LogFormat | LineLayout
  readonly compression: LogCompression
  readonly level: number
  readonly columns: ColumnMap
  readonly devices: readonly string[]
  readonly fileMs: number
  readonly fillings: ReadonlyMap<string, Filling>
  readonly targets: Targets
  readonly schedule: Schedule
  readonly arrivals: Arrivals
  readonly fileFaults: FileFaults
  readonly drift: Faults['schemaDrift']
  readonly pickKeys: DrawKeys
}

const rowFormats = { ndjson: jsonFormat, csv: csvFormat, tsv: tsvFormat }

/** The lines of a log: its parts behind one interface. */
export function logLines(parts: LogParts): LineSource {
  const { columns, devices, fillings, arrivals, schedule, fileFaults, format, compression } = parts
  const filled = Array.from(fillings, ([name, filling]) => ({ name, filling }))
  const valueAt = (filling: Filling, line: Line): unknown => {
    if (filling.kind === 'device') return devices[line.device]
    if (filling.kind === 'event-time') return new Date(line.eventTime)
    const drawn = filling.cell.draw(line)
    return drawn === nullDraw ? null : filling.cell.value(drawn, line)
  }
  const measures = filled.flatMap(({ name, filling }) =>
    filling.kind === 'cell' && filling.cell.form.kind === 'scaled'
      ? [{ column: name, scale: filling.cell.form.scale, cell: filling.cell }]
      : [],
  )
  // Kept: with them what they have prepared for each device.
  const writers = new Map<LogFormat | LineLayout, LineWriter>()
  const writerOf = (wanted: LogFormat | LineLayout): LineWriter => {
    const known = writers.get(wanted)
    if (known) return known
    const made = lineWriter(parts, wanted, (line) => filled.map(({ name, filling }) => [name, valueAt(filling, line)]))
    writers.set(wanted, made)
    return made
  }
  let parquetColumns: readonly ParquetColumn[] | undefined
  return {
    devices,
    fileMs: parts.fileMs,
    format,
    compression,
    level: parts.level,
    extension: extensionOf(format, compression),
    visit: arrivals.visit,
    visitBlocks: arrivals.visitBlocks,
    writer: writerOf,
    columns: () => {
      parquetColumns ??= filled.map(({ name, filling }) =>
        parquetColumn(name, columns[name] as Column, filling, { devices, valueAt }),
      )
      return parquetColumns
    },
    // Not by assignment: a column may be named __proto__.
    rowOf: (line) => Object.fromEntries(filled.map(({ name, filling }) => [name, valueAt(filling, line)])),
    measures: measures.map(({ column, scale }) => ({ column, scale })),
    exactOf: (measure, line) => {
      const drawn = (measures[measure] as { cell: Cell }).cell.draw(line)
      return drawn === nullDraw ? undefined : drawn
    },
    rowsBeforeCut: fileFaults.rowsBeforeCut,
    fileFault: fileFaults.kindOf,
    episodes: (device, span) => episodesOf(parts, schedule, device, span),
  }
}

/** Ending of a key. */
export function extensionOf(format: LogFormat | LineLayout, compression: LogCompression): string {
  const name = typeof format === 'object' ? 'log' : format
  if (name === 'parquet' || compression === 'none') return name
  return `${name}.${compression === 'gzip' ? 'gz' : 'zst'}`
}

function lineWriter(
  { columns, devices, fillings, targets, drift, pickKeys }: LogParts,
  wanted: LogFormat | LineLayout,
  valuesOf: (line: Line) => [string, unknown][],
): LineWriter {
  if (wanted === 'parquet') throw new RangeError('Parquet is not written line by line')
  const isLayout = typeof wanted === 'object'
  const format: RowFormat = isLayout ? layoutFormat(wanted, columns) : rowFormats[wanted](columns)
  const names = isLayout ? wanted.columns : [...fillings.keys()]
  const writeSpoilt = (writer: ByteWriter, line: Line) => {
    const values = new Map(valuesOf(line))
    const cells = names.map((name) => ({ name, text: format.text(name, values.get(name)) }))
    const kind = line.malformed as NonNullable<Line['malformed']>
    if (kind === 'renamed-column') {
      const { rename, to } = drift as NonNullable<typeof drift>
      writeBytes(writer, renamedJson(cells, rename, to))
    } else {
      // One draw decides the details of one spoilt line.
      let bits = draw(pickKeys, line.device, line.tick * 2 + line.copy)
      const pick = (below: number) => {
        const picked = bits % below
        bits = Math.floor(bits / below)
        return picked
      }
      writeBytes(writer, format.malformed(kind, cells, targets, pick))
    }
    writeBytes(writer, lineEnd)
  }
  const written = new Map(names.map((name) => [name, fillings.get(name) as Filling]))
  return { fileStart: format.fileStart, write: compileRows(written, devices, format, writeSpoilt) }
}

const lineEnd = Buffer.from('\n')

function episodesOf({ devices, fillings, arrivals }: LogParts, schedule: Schedule, device: number, span: Span): Episode[] {
  const name = devices[device] as string
  const dated = <Kind extends Episode['kind']>({ kind, from, to }: Span & { readonly kind: Kind }, column?: string): Episode => ({
    kind,
    device: name,
    ...(column !== undefined && { column }),
    from: new Date(from),
    to: new Date(to),
  })
  const found: Episode[] = schedule.episodesOf(device, span).map((own) => dated(own))
  if (arrivals.skewOf && arrivals.skewOf(device, span.from) !== 0) found.push(dated({ kind: 'clock-skew', ...span }))
  for (const [column, filling] of fillings) {
    if (filling.kind !== 'cell') continue
    for (const own of filling.cell.episodes?.(device, span) ?? []) found.push(dated(own, column))
  }
  return found
}
