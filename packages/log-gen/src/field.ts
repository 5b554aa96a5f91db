import { type Column, ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { maxScale, scaled } from './scaled-number'

/** What a field is made of, as plain data: it stands in the configuration hash. */
export type FieldSpec =
  | MeasureSpec
  | { readonly kind: 'choice' | 'tag'; readonly values: readonly unknown[]; readonly weights?: readonly number[] | undefined }
  | { readonly kind: 'sequence' }
  | { readonly kind: 'hex'; readonly digits: number }
  | { readonly kind: 'emit-time' }
  | { readonly kind: 'sometimes-null'; readonly rate: number; readonly field: FieldSpec }

/** A measure with every number scaled to whole units of 10^-scale. */
export interface MeasureSpec {
  readonly kind: 'measure'
  readonly scale: number
  readonly base: readonly [number, number]
  readonly season: { readonly amplitude: number; readonly periodMs: number } | undefined
  readonly drift: { readonly amplitude: number; readonly periodMs: number } | undefined
  readonly noise: number
  readonly min: number | undefined
  readonly max: number | undefined
}

/** How a column is filled. `T` is the type of its values. */
export interface Field<T = unknown> {
  readonly spec: FieldSpec
  /** Only a type: never present at run time. */
  readonly '~value'?: T
}

/** Options of {@link measure}, all in the unit of the column. */
export interface MeasureOptions {
  /** Level of a device: one number, or a range out of which each device has its own. */
  readonly base: number | readonly [min: number, max: number]
  /** Digits behind the point, 0–6. Default 2. Integer and bigint columns need 0. */
  readonly scale?: number | undefined
  /** A wave over the time of day (or any other period), the same phase for all devices. */
  readonly season?: { readonly amplitude: number; readonly period?: Duration | undefined } | undefined
  /** A slow wander within ± amplitude, its own for each device. */
  readonly drift?: { readonly amplitude: number; readonly period?: Duration | undefined } | undefined
  /** Each reading differs by up to ± this (triangular). Default 0. */
  readonly noise?: number | undefined
  /** Smaller values become this. Default no bound. */
  readonly min?: number | undefined
  /** Larger values become this. Default no bound. */
  readonly max?: number | undefined
}

/**
 * A measured number: base of the device + season + drift + noise, kept within `min` and `max`. For float, double, integer and bigint
 * columns; for decimal columns use {@link decimalMeasure}. Whole-number arithmetic throughout, so every machine gives the same digits.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown option or a number with more digits than `scale`.
 * @example
 * ```ts
 * measure({ base: [18, 24], season: { amplitude: 4 }, drift: { amplitude: 1.5, period: '2 hours' }, noise: 0.25 })
 * ```
 */
export function measure(options: MeasureOptions): Field<number | bigint> {
  return measureField('measure', options)
}

/** {@link measure} for a decimal column. `scale` must not exceed the scale of the column. */
export function decimalMeasure(options: MeasureOptions): Field<string> {
  return measureField('decimalMeasure', options)
}

function measureField(where: string, options: MeasureOptions): { readonly spec: FieldSpec } {
  checkOptions(where, options, { required: ['base'], optional: ['scale', 'season', 'drift', 'noise', 'min', 'max'] })
  const scale = options.scale ?? 2
  if (!Number.isInteger(scale) || scale < 0 || scale > maxScale) {
    throw new ConfigError(`${where}: "scale" must be a whole number from 0 to ${maxScale}, not ${scale}.`)
  }
  const amount = (name: string, value: number) => scaled(`${where}: "${name}"`, value, scale)
  const size = (name: string, value: number) => {
    if (!(value >= 0)) throw new ConfigError(`${where}: "${name}" must not be negative.`)
    return amount(name, value)
  }
  const wave = (name: 'season' | 'drift', period: Duration) => {
    const given = options[name]
    if (given === undefined) return undefined
    checkOptions(`${where}: "${name}"`, given, { required: ['amplitude'], optional: ['period'] })
    const periodMs = durationMs(given.period ?? period)
    if (!Number.isInteger(periodMs) || periodMs < 1000 || periodMs > 366 * 86_400_000) {
      throw new ConfigError(`${where}: the period of "${name}" must be from '1 second' to '366 days'.`)
    }
    return { amplitude: size(`${name}.amplitude`, given.amplitude), periodMs }
  }
  const [low, high] = typeof options.base === 'number' ? [options.base, options.base] : options.base
  const base = [amount('base', low), amount('base', high)] as const
  const min = options.min === undefined ? undefined : amount('min', options.min)
  const max = options.max === undefined ? undefined : amount('max', options.max)
  if (base[0] > base[1] || (min !== undefined && max !== undefined && min > max)) {
    throw new ConfigError(`${where}: the lower end of "base" or of "min" and "max" lies above the upper end.`)
  }
  const season = wave('season', '1 day')
  const drift = wave('drift', '1 hour')
  return { spec: { kind: 'measure', scale, base, season, drift, noise: size('noise', options.noise ?? 0), min, max } }
}

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

/** The number of the device's tick since 1970: grows by 1 with each record, so a gap or a copy can be seen. For integer and bigint columns. */
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
export function checkField(where: string, spec: FieldSpec, column: Column, valid: (value: unknown) => boolean): void {
  const { kind } = column.type
  const refuse = (why: string): never => {
    throw new ConfigError(`${where}: ${why}.`)
  }
  switch (spec.kind) {
    case 'measure':
      if (kind === 'decimal') {
        if (spec.scale > (column.type as { scale: number }).scale) refuse('the measure has more digits than the decimal column')
      } else if (kind === 'integer' || kind === 'bigint') {
        if (spec.scale !== 0) refuse(`a measure of an ${kind} column needs scale: 0`)
      } else if (kind !== 'float' && kind !== 'double') refuse(`a measure cannot fill a ${kind} column`)
      return
    case 'sequence':
      if (kind !== 'integer' && kind !== 'bigint') refuse(`sequence() cannot fill a ${kind} column; use integer or bigint`)
      return
    case 'hex':
      if (kind !== 'string') refuse(`hexId() cannot fill a ${kind} column; use string`)
      return
    case 'emit-time':
      if (kind !== 'timestamp' || (column.type as { precision: number }).precision > 3) {
        refuse('emitTime() fills timestamp columns of at most 3 digits')
      }
      return
    case 'sometimes-null':
      if (!column.isNullable) refuse('sometimesNull() needs a nullable column')
      checkField(where, spec.field, column, valid)
      return
    default:
      for (const value of spec.values) {
        if (!valid(value))
          refuse(`${typeof value === 'string' ? JSON.stringify(value) : String(value)} is no value of the ${kind} column`)
      }
  }
}
