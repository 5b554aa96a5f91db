import { type Column, type ColumnMap, ConfigError } from '@pipe/core'
import type { Field, FieldSpec, NestedSpec } from './field-spec'

/**
 * One of the values in each record, by equal chance or by `weights`.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for no values, or weights that are not as many whole numbers above 0.
 */
export function choice<const V>(values: readonly V[], weights?: readonly number[]): Field<V> {
  if (values.length === 0) throw new ConfigError('choice needs at least one value.')
  if (weights) {
    if (
      weights.length !== values.length ||
      weights.some((weight) => !Number.isInteger(weight) || weight < 1 || weight > 65_535)
    ) {
      throw new ConfigError(`choice: give ${values.length} weights, whole numbers from 1 to 65535.`)
    }
  }
  return { spec: { kind: 'choice', values, weights } }
}

/**
 * One of the values for each device, the same in all its records: a site, a firmware version.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` without a value.
 */
export function tag<const V>(values: readonly V[]): Field<V> {
  if (values.length === 0) throw new ConfigError('tag needs at least one value.')
  return { spec: { kind: 'tag', values } }
}

/**
 * The number of the device's record since 1970, or since its last reboot: grows by 1 with each record, so a gap or a copy can be seen (with
 * `anomalies.hot`: the number of its slot, which grows by more than 1 outside the hot episodes). For integer and bigint columns.
 */
export function sequence(): Field<number | bigint> {
  return { spec: { kind: 'sequence' } }
}

/**
 * Hexadecimal digits that differ in each record, such as a trace id. For string columns. Default 32 digits.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when it is not 1 to 128 digits.
 */
export function hexId(digits = 32): Field<string> {
  if (!Number.isInteger(digits) || digits < 1 || digits > 128) throw new ConfigError('hexId takes 1 to 128 digits.')
  return { spec: { kind: 'hex', digits } }
}

/** When the record was sent: its event time, or later for a late record. For timestamp columns beside the event time. */
export function emitTime(): Field<Date> {
  return { spec: { kind: 'emit-time' } }
}

/** The field, but `null` in the given share of records. For nullable columns. */
export function sometimesNull<T>(rate: number, field: Field<T>): Field<T | null> {
  if (!(rate >= 0 && rate <= 1)) throw new ConfigError(`sometimesNull: the rate must be from 0 to 1, not ${rate}.`)
  return { spec: { kind: 'sometimes-null', rate, field: field.spec } }
}

/** Refuses a field that cannot fill a column. */
export function checkField(
  where: string,
  spec: FieldSpec,
  column: Column,
  valid: (column: Column, value: unknown) => boolean,
): void {
  const { type } = column
  const { kind } = type
  const refuse = (why: string): never => {
    throw new ConfigError(`${where}: ${why}.`)
  }
  switch (spec.kind) {
    case 'measure':
      if (type.kind === 'decimal') {
        if (spec.scale > type.scale) refuse('the measure has more digits than the decimal column')
      } else if (kind === 'integer' || kind === 'bigint') {
        if (spec.scale !== 0) refuse(`a measure of an ${kind} column needs scale: 0`)
      } else if (kind !== 'float' && kind !== 'double') refuse(`a measure cannot fill a ${kind} column`)
      return
    case 'counter':
    case 'sequence':
      if (kind !== 'integer' && kind !== 'bigint') refuse(`${spec.kind}() cannot fill a ${kind} column; use integer or bigint`)
      return
    case 'hex':
    case 'text':
    case 'ip':
      if (kind !== 'string') refuse(`${spec.kind === 'hex' ? 'hexId' : spec.kind}() cannot fill a ${kind} column; use string`)
      return
    case 'emit-time':
      if (type.kind !== 'timestamp' || type.precision > 3) refuse('emitTime() fills timestamp columns of at most 3 digits')
      return
    case 'sometimes-null':
      if (!column.isNullable) refuse('sometimesNull() needs a nullable column')
      checkField(where, spec.field, column, valid)
      return
    case 'nested':
      if (type.kind !== 'struct') refuse(`nested() cannot fill a ${kind} column; use struct`)
      else checkNested(where, spec, type.fields, valid)
      return
    case 'own':
      // Its values are checked as they are written.
      return
    default:
      for (const value of spec.values) {
        if (!valid(column, value))
          refuse(`${typeof value === 'string' ? JSON.stringify(value) : String(value)} is no value of the ${kind} column`)
      }
  }
}

function checkNested(
  where: string,
  { fields }: NestedSpec,
  columns: ColumnMap,
  valid: (column: Column, value: unknown) => boolean,
): void {
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(columns, name))
  if (unknown !== undefined) throw new ConfigError(`${where}: the struct has no field "${unknown}".`)
  for (const [name, column] of Object.entries(columns)) {
    const inner = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!inner) throw new ConfigError(`${where}: nested() does not fill "${name}" of the struct.`)
    checkField(`${where}, "${name}"`, inner, column, valid)
  }
}
