import { type Column, type ColumnMap, ConfigError, PipeError, type Table } from '@pipe/core'
import { checkOptions, jsonText } from '@pipe/core/internal'
import { checkField } from './field'
import type { Field, FieldSpec } from './field-spec'

/** The event time of a table and the milliseconds it is a multiple of. */
export function timeColumn(where: string, table: Table): { eventTime: string; unitMs: number } {
  const { eventTime } = table
  const type = eventTime === undefined ? undefined : table.columns[eventTime]?.type
  if (eventTime === undefined || type?.kind !== 'timestamp') {
    throw new ConfigError(`${where}: the table names no event time.`, { hint: "Give defineTable eventTime: 'timestamp'." })
  }
  if (type.precision > 3 || type.zone) {
    throw new ConfigError(`${where}: the event time "${eventTime}" must be column.timestamp(p) with at most 3 digits.`)
  }
  return { eventTime, unitMs: 10 ** (3 - type.precision) }
}

/** Names of the devices, checked. */
export function deviceNames(where: string, devices: number | readonly string[]): readonly string[] {
  if (typeof devices === 'number') {
    if (!Number.isInteger(devices) || devices < 1 || devices > 1_000_000) {
      throw new ConfigError(`${where}: "devices" must be a whole number from 1 to 1000000, or a list of names.`)
    }
    return Array.from({ length: devices }, (_, i) => `device-${String(i + 1).padStart(4, '0')}`)
  }
  if (devices.length === 0) throw new ConfigError(`${where}: "devices" is empty.`)
  for (const name of devices) {
    // Half of a surrogate pair has no UTF-8 form: it would not arrive unchanged.
    if (typeof name !== 'string' || name === '' || /\p{Surrogate}/u.test(name)) {
      throw new ConfigError(
        `${where}: ${JSON.stringify(name)?.slice(0, 60)} cannot name a device: give non-empty, well-formed text.`,
      )
    }
  }
  if (new Set(devices).size !== devices.length) throw new ConfigError(`${where}: two devices have the same name.`)
  return [...devices]
}

/** Milliseconds of an optional instant. */
export function instant(where: string, name: string, value: Date | string | undefined): number | undefined {
  if (value === undefined) return undefined
  const ms = new Date(value).getTime()
  if (Number.isNaN(ms)) throw new ConfigError(`${where}: "${name}" is not an instant. Give a Date or ISO 8601 text.`)
  return ms
}

/** What decides how far the numbers of records reach. */
interface FieldGround {
  readonly slotMs: number
  readonly rebootMs: number | undefined
}

/** A sequence or counter must fit its column up to the year 2100, or from reboot to reboot. */
function checkRange(where: string, spec: FieldSpec, column: Column, { slotMs, rebootMs }: FieldGround): void {
  if (spec.kind === 'sometimes-null') checkRange(where, spec.field, column, { slotMs, rebootMs })
  if (spec.kind !== 'sequence' && spec.kind !== 'counter') return
  const records = (rebootMs === undefined ? 4_102_444_800_000 : 2 * rebootMs) / slotMs
  const reach = records * (spec.kind === 'counter' ? spec.step : 1)
  if (column.type.kind === 'integer' && reach > 2 ** 31) {
    throw new ConfigError(`${where} does not fit 32 bits; make it a bigint column.`)
  }
  if (reach > Number.MAX_SAFE_INTEGER) throw new ConfigError(`${where} grows beyond 2^53: give a smaller "step".`)
}

/** Each field checked against its column. */
export function fieldSpecs(
  where: string,
  columns: ColumnMap,
  fields: object,
  log: FieldGround & { readonly eventTime: string; readonly deviceColumn: string },
): Map<string, FieldSpec> {
  const filled = Object.keys(columns).filter((name) => name !== log.eventTime && name !== log.deviceColumn)
  checkOptions(`${where}: "fields"`, fields, { required: filled })
  const specs = new Map<string, FieldSpec>()
  for (const name of filled) {
    const { spec } = (fields as Record<string, Field>)[name] as Field
    const column = columns[name] as Column
    checkField(`${where}: field "${name}"`, spec, column, isValueOf)
    checkRange(`${where}: the ${spec.kind} "${name}"`, spec, column, log)
    specs.set(name, spec)
  }
  return specs
}

function isValueOf(column: Column, value: unknown): boolean {
  try {
    jsonText(column, value)
    return true
  } catch (error) {
    if (PipeError.isInstance(error) && error.code === 'PIPE_FORMAT_VALUE') return false
    throw error
  }
}
