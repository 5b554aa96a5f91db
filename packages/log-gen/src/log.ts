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
import type { ByteWriter } from './byte-writer'
import { writeBytes } from './byte-writer'
import { type Cell, makeCell, nullDraw } from './cell'
import { configHash } from './config-hash'
import { type FaultOptions, type Faults, resolveFaults } from './fault'
import type { Field, FieldSpec } from './field'
import type { Line, LineSource, LogFormat, LogSource } from './lines'
import { deviceNames, fieldSpecs, instant, timeColumn } from './log-options'
import { malformedJson, possibleKinds, targetsOf } from './malformed-line'
import { algorithm, deviceWords, draw, streamKeys } from './random'
import { compileRow, type Filling, jsonFormat } from './row-writer'

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
  /** Each device sends one record in this time. */
  readonly every: Duration
  /** How the other columns are filled. */
  readonly fields: FieldsOf<Columns, Device>
  /** Seeded faults. Default none. */
  readonly faults?: FaultOptions | undefined
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
 * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown option, a field that does not fit its column, a missing or surplus field, or
 * faults that the table cannot have.
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
    optional: ['deviceColumn', 'faults', 'file', 'start', 'end'],
  })
  const { table, seed, every, file = '1 minute' } = options
  const where = `defineLog of table ${table.name}`
  if (!Number.isSafeInteger(seed)) throw new ConfigError(`${where}: the seed must be a whole number, not ${seed}.`)
  const deviceColumn: string = options.deviceColumn ?? 'device_name'
  const { eventTime, unitMs } = timeColumn(where, table)
  if (table.columns[deviceColumn]?.type.kind !== 'string') {
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
  const targets = targetsOf(table.columns)
  const latenessMs = durationMs(table.allowedLateness)
  const faults = resolveFaults(where, options.faults ?? {}, { fileMs, latenessMs, possible: possibleKinds(targets) })
  const specs = fieldSpecs(where, table.columns, options.fields, { eventTime, deviceColumn, everyMs })

  const words = deviceWords(devices)
  const fillings = new Map<string, Filling>()
  for (const [name, column] of Object.entries(table.columns)) {
    const spec = specs.get(name)
    if (spec) fillings.set(name, { kind: 'cell', cell: makeCell(spec, name, column, { seed, everyMs, words }) })
    else fillings.set(name, { kind: name === eventTime ? 'event-time' : 'device' })
  }
  const arrivals = makeArrivals({ seed, words, everyMs, fileMs, latenessMs, unitMs, startMs, endMs, faults })
  const lines = logLines({
    columns: table.columns,
    devices,
    fileMs,
    fillings,
    targets,
    arrivals,
    pickKeys: streamKeys(seed, 'fault:malformed-pick', words),
  })
  return Object.freeze({
    kind: 'log' as const,
    table,
    seed,
    devices,
    every,
    file,
    configHash: hashOf({ table, seed, deviceColumn, devices, everyMs, fileMs, latenessMs, startMs, endMs, faults, specs }),
    '~lines': lines,
  })
}

function hashOf(
  config: { table: Table; specs: ReadonlyMap<string, FieldSpec>; faults: Faults } & Record<string, unknown>,
): string {
  const { table, specs, ...rest } = config
  const columns = Object.entries(table.columns).map(([name, { type, isNullable }]) => ({ name, type, isNullable }))
  const fields = Array.from(specs, ([name, spec]) => ({ name, spec: hashable(spec, table.columns[name] as Column) }))
  return configHash({ ...rest, algorithm, table: table.name, eventTime: table.eventTime, columns, fields })
}

// Values of choices may be maps or bytes; their JSON text stands for them.
function hashable(spec: FieldSpec, column: Column): object {
  if (spec.kind === 'sometimes-null') return { ...spec, field: hashable(spec.field, column) }
  return 'values' in spec ? { ...spec, values: spec.values.map((value) => jsonText(column, value)) } : spec
}

interface LogParts {
  readonly columns: ColumnMap
  readonly devices: readonly string[]
  readonly fileMs: number
  readonly fillings: ReadonlyMap<string, Filling>
  readonly targets: ReturnType<typeof targetsOf>
  readonly arrivals: ReturnType<typeof makeArrivals>
  readonly pickKeys: Parameters<typeof draw>[0]
}

function logLines({ columns, devices, fileMs, fillings, targets, arrivals, pickKeys }: LogParts): LineSource {
  const cellValue = (filling: Filling, line: Line): unknown => {
    if (filling.kind === 'device') return devices[line.device]
    if (filling.kind === 'event-time') return new Date(line.eventTime)
    const { cell } = filling
    return cell.value(cell.draw(line.device, line.tick, line.emitTime), line.device, line.tick)
  }
  const filled = Array.from(fillings, ([name, filling]) => ({ name, filling }))
  const json = jsonFormat(columns)
  const writeJson = compileRow(fillings, devices, json)
  const writeMalformed = (writer: ByteWriter, line: Line) => {
    const cells = filled.map(({ name, filling }) => ({ name, text: json.text(name, cellValue(filling, line)) }))
    // One draw decides the details of one spoilt line.
    let bits = draw(pickKeys, line.device, line.tick * 2 + line.copy)
    const pick = (below: number) => {
      const picked = bits % below
      bits = Math.floor(bits / below)
      return picked
    }
    writeBytes(writer, malformedJson(line.malformed as NonNullable<Line['malformed']>, cells, targets, pick))
    writeBytes(writer, lineEnd)
  }
  const measures: { column: string; scale: number; cell: Cell }[] = []
  for (const [column, filling] of fillings) {
    if (filling.kind === 'cell' && filling.cell.form.kind === 'scaled') {
      measures.push({ column, scale: filling.cell.form.scale, cell: filling.cell })
    }
  }
  return {
    devices,
    fileMs,
    visit: arrivals.visit,
    write: (format: LogFormat, writer, line) => {
      if (format !== 'ndjson') throw new ConfigError(`The format "${format}" is not known.`, { hint: "Use 'ndjson'." })
      if (line.malformed) writeMalformed(writer, line)
      else writeJson(writer, line)
    },
    // Not by assignment: a column may be named __proto__.
    rowOf: (line) => Object.fromEntries(filled.map(({ name, filling }) => [name, cellValue(filling, line)])),
    measures: measures.map(({ column, scale }) => ({ column, scale })),
    exactOf: (measure, line) => {
      const drawn = (measures[measure] as { cell: Cell }).cell.draw(line.device, line.tick, line.emitTime)
      return drawn === nullDraw ? undefined : drawn
    },
    rowsBeforeCut: arrivals.rowsBeforeCut,
  }
}

const lineEnd = Buffer.from('\n')
