import {
  type Column,
  type ColumnMap,
  ConfigError,
  type Duration,
  durationMs,
  type Table,
  type ValueOf,
  windowLengthMs,
} from '@pipe/core'
import { checkOptions, jsonText } from '@pipe/core/internal'
import { makeArrivals } from './arrivals'
import { checkZstd, usualLevel } from './compression'
import { configHash } from './config-hash'
import { type Anomalies, type AnomalyOptions, resolveAnomalies } from './device-anomaly'
import { type FaultOptions, type Faults, resolveFaults } from './fault'
import type { Field, FieldSpec } from './field-spec'
import { makeFileFaults, possibleFileFaults } from './file-fault'
import type { LineLayout } from './line-layout'
import type { LogSource } from './lines'
import type { LogCompression, LogFormat } from './log-format'
import { logLines } from './log-lines'
import { deviceNames, fieldSpecs, instant, timeColumn } from './log-options'
import { makeCell } from './make-cell'
import { possibleKinds, targetsOf } from './malformed-kind'
import { algorithm, deviceWords, streamKeys } from './random'
import type { Filling } from './row-part'
import { makeSchedule } from './schedule'

type TimestampNames<Columns extends ColumnMap> = {
  [Name in keyof Columns]: Date extends NonNullable<ValueOf<Columns[Name]>> ? Name : never
}[keyof Columns]

type FieldFor<Value> =
  | Field<Value>
  | ([NonNullable<Value>] extends [number | bigint] ? Field<number | bigint | Extract<Value, null>> : never)

/** A field for each column but the event time and the name of the device. Further timestamp columns are checked when the log is made. */
export type FieldsOf<Columns extends ColumnMap, Device> = {
  readonly [Name in Exclude<keyof Columns, Device | TimestampNames<Columns>>]: FieldFor<ValueOf<Columns[Name]>>
} & { readonly [Name in TimestampNames<Columns>]?: Field<ValueOf<Columns[Name]>> }

/** What {@link defineLog} takes. */
export interface LogOptions<Columns extends ColumnMap, Device extends keyof Columns & string> {
  /** Table with an event time. */
  readonly table: Table<Columns>
  /** Whole number. The same seed gives the same bytes on every machine. */
  readonly seed: number
  /** A number of devices, named `device-0001` …, or their names: any text. */
  readonly devices: number | readonly string[]
  /** String column that holds the name of the device. Default `'device_name'`. */
  readonly deviceColumn?: Device | undefined
  /** Each device sends one record in this time; with `load: 'zipf'` the first one does. */
  readonly every: Duration
  /** `'zipf'`: the r-th device sends one record in r · `every`, so that few devices send most. Default `'even'`. */
  readonly load?: 'even' | 'zipf' | undefined
  /** How the other columns are filled. */
  readonly fields: FieldsOf<Columns, Device>
  /** What happens to whole devices. Default nothing. */
  readonly anomalies?: AnomalyOptions | undefined
  /** Seeded faults. Default none. */
  readonly faults?: FaultOptions | undefined
  /** Default `'ndjson'`. CSV and TSV have no header. Presets bring a layout of their own. */
  readonly format?: LogFormat | LineLayout | undefined
  /** Of files; in Parquet of its pages. A number is a level of gzip, 1–9. Default gzip at level 6, in Parquet at level 1. */
  readonly compression?: LogCompression | number | undefined
  /** Length of time of one file: whole minutes that divide a day. Default `'1 minute'`. */
  readonly file?: Duration | undefined
  /** No record happens before this instant. Default: the devices have always been there. */
  readonly start?: Date | string | undefined
  /** No record happens at or after this instant; late ones still arrive. Default: the devices never stop. */
  readonly end?: Date | string | undefined
}

/** A fleet of devices whose every record is a pure function of seed, device and tick. */
export interface Log<Columns extends ColumnMap = ColumnMap> extends LogSource<Columns> {
  readonly kind: 'log'
  readonly seed: number
  readonly devices: readonly string[]
  readonly every: Duration
}

/**
 * Defines a fleet of devices. Pure: nothing is generated yet, no clock and no random source is read.
 *
 * Each device happens once every `every`, at a phase of its own. A file holds what was *sent* in its time: a late record (`faults.late`)
 * stands in a later file than its event time, at most the table's `allowedLateness` behind. The stream has no beginning and no end unless
 * `start` and `end` say so: the first file of a run holds late records from before it, and those that are late at the end of a run stand
 * in files that the run never makes.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown option, a field that does not fit its column, a missing or surplus field,
 * faults that the table or the format cannot have, or zstd where Node has none.
 * @example
 * ```ts
 * const log = defineLog({
 *   table: deviceLogs, seed: 42, devices: 50, every: '1 second',
 *   fields: { metric: measure({ base: [18, 24], season: { amplitude: 4 }, noise: 0.25 }) },
 *   faults: { late: 0.01, duplicate: 0.005, malformed: 0.005, cutGzip: { every: '1 hour' } },
 * })
 * ```
 */
export function defineLog<const Columns extends ColumnMap, Device extends keyof Columns & string = 'device_name' & keyof Columns>(
  options: LogOptions<Columns, Device>,
): Log<Columns> {
  checkOptions('defineLog', options, {
    required: ['table', 'seed', 'devices', 'every', 'fields'],
    optional: ['deviceColumn', 'load', 'anomalies', 'faults', 'format', 'compression', 'file', 'start', 'end'],
  })
  const { table, seed, every, file = '1 minute', load = 'even' } = options
  const { columns } = table
  const where = `defineLog of table ${table.name}`
  if (!Number.isSafeInteger(seed)) throw new ConfigError(`${where}: the seed must be a whole number, not ${seed}.`)
  if (load !== 'even' && load !== 'zipf') throw new ConfigError(`${where}: "load" is 'even' or 'zipf', not "${load}".`)
  const deviceColumn: string = options.deviceColumn ?? 'device_name'
  const { eventTime, unitMs } = timeColumn(where, table)
  if (columns[deviceColumn]?.type.kind !== 'string') {
    throw new ConfigError(`${where}: "${deviceColumn}" is not a string column of the table.`, {
      hint: 'Name the column of the device name with "deviceColumn".',
    })
  }
  const devices = deviceNames(where, options.devices)
  const everyMs = durationMs(every)
  if (!Number.isInteger(everyMs) || everyMs < unitMs || everyMs % unitMs !== 0) {
    throw new ConfigError(`${where}: every: "${every}" must be a multiple of ${unitMs} ms, the precision of the event time.`)
  }
  const fileMs = windowLengthMs(file)
  const startMs = instant(where, 'start', options.start) ?? Number.NEGATIVE_INFINITY
  const endMs = instant(where, 'end', options.end) ?? Number.POSITIVE_INFINITY
  if (startMs >= endMs) throw new ConfigError(`${where}: "start" must lie before "end".`)
  const form = fileForm(where, columns, options)
  const { compression } = form
  const format = typeof form.format === 'object' ? 'layout' : form.format
  const targets = targetsOf(columns)
  const latenessMs = durationMs(table.allowedLateness)
  const anomalies = resolveAnomalies(where, options.anomalies ?? {}, { everyMs, unitMs })
  const faults = resolveFaults(where, options.faults ?? {}, {
    fileMs,
    latenessMs,
    columns: Object.keys(columns),
    malformed: possibleKinds(targets, format),
    files: possibleFileFaults(format, compression),
    isGzip: format !== 'parquet' && compression === 'gzip',
    hasNames: format === 'ndjson',
  })
  const words = deviceWords(devices)
  const schedule = makeSchedule({ seed, words, everyMs, unitMs, load, anomalies })
  const { slotMs, phases, ordinalOf } = schedule
  const rebootMs = anomalies.reboot?.everyMs
  const specs = fieldSpecs(where, columns, options.fields, { eventTime, deviceColumn, slotMs, rebootMs })

  const fillings = new Map<string, Filling>()
  for (const [name, column] of Object.entries(columns)) {
    const spec = specs.get(name)
    const keysOf = (part: string) => streamKeys(seed, `field:${name}:${part}`, words)
    const timeOf = (device: number, tick: number) => tick * slotMs + (phases[device] as number)
    if (spec) fillings.set(name, { kind: 'cell', cell: makeCell(spec, column, { devices, slotMs, ordinalOf, timeOf, keysOf }) })
    else fillings.set(name, { kind: name === eventTime ? 'event-time' : 'device' })
  }
  const lines = logLines({
    ...form,
    columns,
    devices,
    fileMs,
    fillings,
    targets,
    schedule,
    arrivals: makeArrivals({
      seed,
      words,
      fileMs,
      latenessMs,
      unitMs,
      startMs,
      endMs,
      schedule,
      anomalies,
      faults,
    }),
    fileFaults: makeFileFaults(faults, seed, fileMs),
    drift: faults.schemaDrift,
    pickKeys: streamKeys(seed, 'fault:malformed-pick', words),
  })
  return Object.freeze({
    kind: 'log' as const,
    table,
    seed,
    devices,
    every,
    file,
    configHash: hashOf({
      table,
      specs,
      faults,
      anomalies,
      more: { seed, deviceColumn, devices, everyMs, fileMs, latenessMs, startMs, endMs },
      added: { load, format: format === 'layout' ? form.format : format, compression, level: form.level },
    }),
    '~lines': lines,
  })
}

/** Format and compression, checked. */
interface FileForm {
  readonly format: LogFormat | LineLayout
  readonly compression: LogCompression
  readonly level: number
}

function fileForm(
  where: string,
  columns: ColumnMap,
  options: { readonly format?: LogFormat | LineLayout | undefined; readonly compression?: LogCompression | number | undefined },
): FileForm {
  const { format = 'ndjson' } = options
  if (typeof format === 'object') checkLayout(where, columns, format)
  else if (!['ndjson', 'csv', 'tsv', 'parquet'].includes(format)) {
    throw new ConfigError(`${where}: the format "${format}" is not known.`, { hint: "Use 'ndjson', 'csv', 'tsv' or 'parquet'." })
  }
  const nested = Object.keys(columns).find((name) => ['array', 'map', 'struct'].includes(columns[name]?.type.kind as string))
  if (nested !== undefined && (format === 'csv' || format === 'tsv')) {
    throw new ConfigError(`${where}: ${format.toUpperCase()} cannot hold the column "${nested}".`, {
      hint: "Use 'ndjson' or 'parquet'.",
    })
  }
  const given = options.compression ?? (format === 'parquet' ? 1 : usualLevel)
  if (typeof given === 'number') {
    if (!Number.isInteger(given) || given < 1 || given > 9) {
      throw new ConfigError(`${where}: a level of compression is a whole number from 1 to 9, not ${given}.`)
    }
    return { format, compression: 'gzip', level: given }
  }
  if (!['gzip', 'zstd', 'none'].includes(given)) {
    throw new ConfigError(`${where}: the compression "${given}" is not known.`, { hint: "Use 'gzip', 'zstd' or 'none'." })
  }
  if (given === 'zstd') checkZstd()
  return { format, compression: given, level: format === 'parquet' ? 1 : usualLevel }
}

function checkLayout(where: string, columns: ColumnMap, layout: LineLayout): void {
  checkOptions(`${where}: "format"`, layout, { required: ['name', 'header', 'delimiter', 'columns', 'quoted'] })
  const unknown = layout.columns.find((name) => !Object.hasOwn(columns, name))
  if (unknown !== undefined || layout.columns.length === 0) {
    throw new ConfigError(`${where}: the layout "${layout.name}" names ${unknown ?? 'no column'}, which the table does not have.`)
  }
}

/** What stands in the configuration hash only where it is not what it was before there was a choice: old keys stay the same. */
function hashOf(config: {
  readonly table: Table
  readonly specs: ReadonlyMap<string, FieldSpec>
  readonly faults: Faults
  readonly anomalies: Anomalies
  readonly more: object
  readonly added: { readonly load: string; readonly format: unknown; readonly compression: string; readonly level: number }
}): string {
  const { table, specs, faults, anomalies, added } = config
  const columns = Object.entries(table.columns).map(([name, { type, isNullable }]) => ({ name, type, isNullable }))
  const fields = Array.from(specs, ([name, spec]) => ({ name, spec: hashable(spec, table.columns[name] as Column) }))
  const { late, duplicate, malformed, cut, ...newer } = faults
  const first = { late, duplicate: duplicate.rate, malformed: malformed.rate, kinds: malformed.kinds, cut }
  const when = <Value>(isUsed: boolean, value: Value): Value | undefined => (isUsed ? value : undefined)
  return configHash({
    ...config.more,
    algorithm,
    table: table.name,
    eventTime: table.eventTime,
    columns,
    fields,
    faults: {
      ...first,
      duplicateKinds: when(duplicate.rate > 0 && duplicate.kinds.join() !== 'in-file,later-file', duplicate.kinds),
      veryLate: when(newer.veryLate.rate > 0, newer.veryLate),
      outOfOrder: when(newer.outOfOrder.rate > 0, newer.outOfOrder),
      gap: when(newer.gap > 0, newer.gap),
      clock: when(newer.clock.rate > 0, newer.clock),
      schemaDrift: newer.schemaDrift,
      file: when(newer.file.rate > 0, newer.file),
    },
    anomalies: when(Object.values(anomalies).some(Boolean), anomalies),
    load: when(added.load !== 'even', added.load),
    format: when(added.format !== 'ndjson', added.format),
    compression: when(added.compression !== 'gzip', added.compression),
    level: when(added.compression === 'gzip' && added.level !== usualLevel, added.level),
  })
}

// Values of choices may be maps or bytes; their JSON text stands for them.
function hashable(spec: FieldSpec, column: Column): object {
  if (spec.kind === 'sometimes-null') return { ...spec, field: hashable(spec.field, column) }
  if (spec.kind === 'nested' && column.type.kind === 'struct') {
    const { fields } = column.type
    return {
      ...spec,
      fields: Object.entries(spec.fields).map(([name, inner]) => [name, hashable(inner, fields[name] as Column)]),
    }
  }
  return 'values' in spec ? { ...spec, values: spec.values.map((value) => jsonText(column, value)) } : spec
}
