import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Column,
  type ColumnMap,
  ConfigError,
  type Duration,
  parseText,
  type Table,
  toText,
  windowLengthMs,
} from '@pipe/core'
import { checkOptions, csvCell, jsonText, parquetWriter, tsvCell } from '@pipe/core/internal'
import { writeText } from './byte-writer'
import { usualLevel } from './compression'
import { configHash } from './config-hash'
import { atScale, exactDecimal } from './exact-decimal'
import { blockVisitor, emptyLine, setLine } from './line-block'
import type { LineLayout } from './line-layout'
import type { Line, LineSource, LogSource } from './lines'
import type { LogFormat } from './log-format'
import { timeColumn as eventTimeOf } from './log-options'
import { indexFiles, type ReplayColumns, type ReplayIndex } from './replay-index'

/** What {@link replayCsv} takes. Either `files` or `dir`. */
export interface ReplayOptions<Columns extends ColumnMap> {
  /** Table with an event time. */
  readonly table: Table<Columns>
  /** Paths of CSV files with a header line, one device a file. */
  readonly files?: readonly string[] | undefined
  /** Folder: all its `.csv` files, in the order of their names. */
  readonly dir?: string | undefined
  /** Column of the files that holds the event time, UTC. */
  readonly timeColumn: string
  /** Column of the files for a column of the table where the names differ: `{ metric: 'value' }`. */
  readonly columns?: { readonly [Name in keyof Columns]?: string } | undefined
  /** String column of the table that takes the name of the file without `.csv`. Default `'device_name'`. */
  readonly deviceColumn?: (keyof Columns & string) | undefined
  /** Columns of the files that are left out. */
  readonly ignore?: readonly string[] | undefined
  /** Length of time of one raw file. Default `'1 minute'`. */
  readonly file?: Duration | undefined
}

/** Recorded data as a source. */
export interface Replay<Columns extends ColumnMap = ColumnMap> extends LogSource<Columns> {
  readonly kind: 'replay'
  /** From the start of the first raw file with a row to the end of the last one; `undefined` when there are no rows. */
  span(): { readonly from: Date; readonly to: Date } | undefined
}

/**
 * Real recorded data as a source, for {@link generateWindow}, {@link logGeneratorHandler} and {@link groundTruth}: each row stands in the
 * raw file of its event time. Repeated stamps are kept, numbers keep their text, and a time without rows writes no object.
 *
 * The files are read once, with the first use, and held in memory. Nothing is left out: a row that cannot be read is an error.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for options; from the first use also {@link PipeError} `PIPE_REPLAY_ROW` with file and line.
 * @example
 * ```ts
 * const recorded = replayCsv({ table: deviceLogs, dir: 'recorded', timeColumn: 'timestamp', columns: { metric: 'value' }, file: '1 hour' })
 * ```
 */
export function replayCsv<const Columns extends ColumnMap>(options: ReplayOptions<Columns>): Replay<Columns> {
  checkOptions('replayCsv', options, {
    required: ['table', 'timeColumn'],
    optional: ['files', 'dir', 'columns', 'deviceColumn', 'ignore', 'file'],
  })
  const { table, file = '1 minute' } = options
  const where = `replayCsv of table ${table.name}`
  const { eventTime } = eventTimeOf(where, table)
  const deviceColumn: string = options.deviceColumn ?? 'device_name'
  if (table.columns[deviceColumn]?.type.kind !== 'string') {
    throw new ConfigError(`${where}: "${deviceColumn}" is not a string column of the table.`, {
      hint: 'Name the column that takes the name of the file with "deviceColumn".',
    })
  }
  const names = Object.keys(table.columns).filter((name) => name !== eventTime && name !== deviceColumn)
  const mapping: Readonly<Record<string, string | undefined>> = options.columns ?? {}
  checkOptions(`${where}: "columns"`, mapping, { optional: names })
  const columns: ReplayColumns = {
    timeColumn: options.timeColumn,
    timeType: table.columns[eventTime] as Column,
    values: names.map((name) => ({ name, from: mapping[name] ?? name, column: table.columns[name] as Column })),
    ignore: options.ignore ?? [],
  }
  const files = () => filesOf(where, options)
  if (options.dir === undefined) files()
  const fileMs = windowLengthMs(file)
  let index: ReplayIndex | undefined
  const loaded = (): ReplayIndex => {
    index ??= indexFiles(files(), columns)
    return index
  }
  const lines = replayLines(table.columns, { eventTime, deviceColumn, fileMs, columns, loaded })
  return Object.freeze({
    kind: 'replay' as const,
    table,
    file,
    get configHash() {
      const { contentHash } = loaded()
      const types = Object.entries(table.columns).map(([name, { type, isNullable }]) => ({ name, type, isNullable }))
      return configHash({
        contentHash,
        table: table.name,
        types,
        eventTime,
        deviceColumn,
        fileMs,
        mapping,
        timeColumn: options.timeColumn,
      })
    },
    span: () => {
      const { times } = loaded()
      if (times.length === 0) return undefined
      const startOf = (at: number) => Math.floor(at / fileMs) * fileMs
      return { from: new Date(startOf(times[0] as number)), to: new Date(startOf(times[times.length - 1] as number) + fileMs) }
    },
    '~lines': lines,
  })
}

function filesOf(
  where: string,
  { files, dir }: { readonly files?: readonly string[] | undefined; readonly dir?: string | undefined },
): readonly string[] {
  if ((files === undefined) === (dir === undefined)) throw new ConfigError(`${where} takes either "files" or "dir".`)
  const found = files ?? csvFilesIn(where, dir as string)
  if (found.length === 0) throw new ConfigError(`${where}: there is no CSV file${dir === undefined ? '' : ` in ${dir}`}.`)
  return found
}

function csvFilesIn(where: string, dir: string): readonly string[] {
  let names: string[]
  try {
    names = readdirSync(dir)
  } catch (cause) {
    throw new ConfigError(`${where}: the folder ${dir} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, {
      hint: 'Name a folder that holds one CSV file a device.',
      cause,
    })
  }
  return names
    .filter((name) => /\.csv$/i.test(name))
    .sort()
    .map((name) => join(dir, name))
}

interface ReplayParts {
  readonly eventTime: string
  readonly deviceColumn: string
  readonly fileMs: number
  readonly columns: ReplayColumns
  readonly loaded: () => ReplayIndex
}

const numberKinds = ['integer', 'bigint', 'float', 'double', 'decimal']

function replayLines(tableColumns: ColumnMap, { eventTime, deviceColumn, fileMs, columns, loaded }: ReplayParts): LineSource {
  const valuePlace = new Map(columns.values.map(({ name }, place) => [name, place]))
  const textOf = (name: string, { tick }: Line) =>
    (loaded().cellsOf[tick] as readonly (string | null)[])[valuePlace.get(name) as number] as string | null
  const cellValue = (name: string, column: Column, line: Line): unknown => {
    if (name === eventTime) return new Date(line.eventTime)
    if (name === deviceColumn) return loaded().devices[line.device]
    const text = textOf(name, line)
    return text === null ? null : (parseText(column.type, text) as { value: unknown }).value
  }
  const jsonOf = (name: string, column: Column, line: Line): string => {
    const isNumber = column.type.kind === 'double' || column.type.kind === 'float'
    const text = isNumber ? textOf(name, line) : null
    // The recorded digits, where JSON can hold them as they are.
    if (text !== null && /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return text
    return jsonText(column, cellValue(name, column, line))
  }
  const entries = Object.entries(tableColumns)
  const measured = entries.flatMap(([name, column]) =>
    valuePlace.has(name) && numberKinds.includes(column.type.kind) ? [name] : [],
  )
  let known: LineSource['measures'] | undefined
  const measures = () => {
    known ??= measured.map((column) => ({ column, scale: scaleOf(loaded(), valuePlace.get(column) as number) }))
    return known
  }
  const cellText = (format: 'csv' | 'tsv', name: string, column: Column, line: Line): string => {
    const value = cellValue(name, column, line)
    const recorded = valuePlace.has(name) && numberKinds.includes(column.type.kind) ? textOf(name, line) : undefined
    const text = value === null ? null : (recorded ?? toText(column.type, value))
    return format === 'csv' ? csvCell(text) : tsvCell(text)
  }
  const lineOf = (format: LogFormat | LineLayout, line: Line): string => {
    if (format === 'csv' || format === 'tsv') {
      return entries.map(([name, column]) => cellText(format, name, column, line)).join(format === 'csv' ? ',' : '\t')
    }
    return `{${entries.map(([name, column]) => `${JSON.stringify(name)}:${jsonOf(name, column, line)}`).join(',')}}`
  }
  const visit: LineSource['visit'] = (file, take) => {
    const { times, deviceOf } = loaded()
    // What a recorded row is not: late, doubled, spoilt.
    const line = emptyLine()
    const row = lowerBound(times, file.start)
    for (let tick = row; tick < times.length && (times[tick] as number) < file.start + fileMs; tick++) {
      line.device = deviceOf[tick] as number
      if (line.device % file.shard.of !== file.shard.index) continue
      line.tick = tick
      line.draws = tick
      line.eventTime = times[tick] as number
      line.emitTime = line.eventTime
      take(line)
    }
  }
  return {
    fileMs,
    format: 'ndjson',
    compression: 'gzip',
    level: usualLevel,
    extension: 'ndjson.gz',
    get devices() {
      return loaded().devices
    },
    visit,
    visitBlocks: blockVisitor(visit),
    writer: (format) => ({
      fileStart: '',
      write: (writer, block) => {
        const line = emptyLine()
        for (let i = 0; i < block.count; i++) {
          writeText(writer, `${lineOf(format, setLine(line, block, i))}\n`)
          block.end[i] = writer.at
        }
      },
    }),
    columns: () =>
      entries.map(([name, column]) => {
        const convert = parquetWriter(column)
        return { kind: 'values' as const, name, read: (line: Line) => convert(cellValue(name, column, line)) }
      }),
    rowOf: (line) => Object.fromEntries(entries.map(([name, column]) => [name, cellValue(name, column, line)])),
    get measures() {
      return measures()
    },
    exactOf: (measure, line) => {
      const name = measured[measure] as string
      const text = textOf(name, line)
      const exact = text === null ? undefined : exactDecimal(text)
      return exact && atScale(exact, (measures()[measure] as { scale: number }).scale)
    },
    rowsBeforeCut: () => undefined,
    fileFault: () => undefined,
    episodes: () => [],
  }
}

/** Digits behind the point that hold every recorded number of a column. */
function scaleOf({ cellsOf }: ReplayIndex, place: number): number {
  let scale = 0
  for (const cells of cellsOf) {
    const text = cells[place]
    if (typeof text === 'string') scale = Math.max(scale, exactDecimal(text)?.scale ?? 0)
  }
  return scale
}

/** First position whose time is not before `at`. */
function lowerBound(times: Float64Array, at: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] as number) < at) low = middle + 1
    else high = middle
  }
  return low
}
