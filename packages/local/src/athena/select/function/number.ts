import { notSupportedLocally } from '../../query-engine'
import { convert } from '../cast'
import { commonType } from '../coercion'
import { duckType } from '../duckdb-type'
import { refusalCode } from '../native/failure'
import { arithmetic } from '../operator'
import { type TrinoType, types } from '../trino-type'
import { raise, type Typed, typed } from '../value'
import { overload, overloaded, type ScalarFunction } from './signature'

const integers = ['tinyint', 'smallint', 'integer', 'bigint']
const fails = { throws: true }

const abs: ScalarFunction = (items, site) => {
  const value = items[0]
  if (items.length === 1 && value?.type.kind === 'decimal')
    return { sql: `abs(${value.sql})`, type: value.type, throws: value.throws }
  return overloaded(
    ...integers.map((type) => overload([type], type, (sql) => `abs(${sql})`, fails)),
    ...['real', 'double'].map((type) => overload([type], type, (sql) => `abs(${sql})`)),
  )(items, site)
}

// ceil and floor of a decimal are decimals without a fraction.
const rounding =
  (name: 'ceil' | 'floor'): ScalarFunction =>
  (items, site) => {
    const value = items[0]
    if (items.length === 1 && value?.type.kind === 'decimal') {
      const type: TrinoType = {
        kind: 'decimal',
        precision: Math.min(38, value.type.precision - value.type.scale + Math.min(value.type.scale, 1)) || 1,
        scale: 0,
      }
      return { sql: `CAST(${name}(${value.sql}) AS ${duckType(type)})`, type, throws: value.throws }
    }
    return overloaded(
      ...integers.map((type) => overload([type], type, (sql) => sql)),
      ...['real', 'double'].map((type) => overload([type], type, (sql) => `${name}(${sql})`)),
    )(items, site)
  }

// Half away from zero. Of a number too large to hold a fraction nothing is left to round.
function roundDouble(value: string, digits: string): string {
  const scaled = `(${value} * power(CAST(10 AS DOUBLE), ${digits}))`
  return `(CASE WHEN (${digits}) IS NULL THEN NULL WHEN isfinite(${value}) AND abs(${scaled}) < 4503599627370496 THEN round(${scaled}) / power(CAST(10 AS DOUBLE), ${digits}) ELSE ${value} END)`
}

const round: ScalarFunction = (items, site) => {
  const [value, digits] = items
  if (value?.type.kind === 'decimal') {
    const { precision, scale } = value.type
    if (digits === undefined) {
      const type: TrinoType = { kind: 'decimal', precision: Math.min(38, precision - scale + Math.min(1, scale)) || 1, scale: 0 }
      return { sql: `CAST(round(${value.sql}, 0) AS ${duckType(type)})`, type, throws: value.throws }
    }
    if (typeof digits.literal !== 'bigint' || digits.literal < 0n)
      throw notSupportedLocally('round(decimal, n) where n is not a literal ≥ 0')
    const type: TrinoType = { kind: 'decimal', precision: Math.min(38, precision + 1), scale }
    return {
      sql: `CAST(round(CAST(${value.sql} AS ${duckType(type)}), ${Math.min(Number(digits.literal), scale)}) AS ${duckType(type)})`,
      type,
      throws: value.throws || precision === 38,
    }
  }
  if (items.length === 2 && value !== undefined && integers.includes(value.type.kind)) {
    if (typeof digits?.literal !== 'bigint' || digits.literal < 0n)
      throw notSupportedLocally('round(integer, n) where n is not a literal ≥ 0')
    return value
  }
  return overloaded(
    ...integers.map((type) => overload([type], type, (sql) => sql)),
    overload(['double'], 'double', (sql) => roundDouble(sql, '0')),
    overload(['double', 'bigint'], 'double', roundDouble),
  )(items, site)
}

// NULL in any argument gives NULL; DuckDB's own skip it.
const extreme =
  (name: 'greatest' | 'least'): ScalarFunction =>
  (items) => {
    if (items.length === 0) return undefined
    const common = items
      .map((item) => item.type)
      .reduce<TrinoType | undefined>((left, right) => left && commonType(left, right), types.unknown)
    if (common === undefined) return undefined
    if (['array', 'map', 'row', 'json', 'timestamptz'].includes(common.kind))
      throw notSupportedLocally(`${name}() of ${common.kind}`)
    if (common.kind === 'double' || common.kind === 'real') {
      if (items.some((item) => item.literal === undefined)) {
        // Trino refuses NaN here.
        const converted = items.map((item) => (convert(item, common) as Typed).sql)
        const nan = converted.map((sql) => `isnan(${sql})`).join(' OR ')
        const anyNull = converted.map((sql) => `${sql} IS NULL`).join(' OR ')
        return {
          sql: `(CASE WHEN ${anyNull} THEN NULL WHEN ${nan} THEN ${raise(refusalCode, `${name}() of NaN`, duckType(common))} ELSE ${name}(${converted.join(', ')}) END)`,
          type: common,
          throws: true,
        }
      }
    }
    const converted = items.map((item) => convert(item, common) as Typed)
    const anyNull = converted.map((item) => `(${item.sql}) IS NULL`).join(' OR ')
    return {
      sql: `(CASE WHEN ${anyNull} THEN NULL ELSE ${name}(${converted.map((item) => item.sql).join(', ')}) END)`,
      type: common,
      throws: items.some((item) => item.throws),
    }
  }

const bitwise = (print: (...sql: string[]) => string): ScalarFunction =>
  overloaded(overload(['bigint', 'bigint'], 'bigint', print))

const signOfNumber = overloaded(
  ...integers.map((type) => overload([type], type, (sql) => `CAST(sign(${sql}) AS ${type.toUpperCase()})`)),
  overload(['double'], 'double', (sql) => `(CASE WHEN isnan(${sql}) THEN ${sql} ELSE CAST(sign(${sql}) AS DOUBLE) END)`),
)

/** Mathematical and bitwise functions. Those whose last digit depends on the platform (ln, sin, exp …) are not here. */
export const numberFunctions: Readonly<Record<string, ScalarFunction>> = {
  abs,
  ceil: rounding('ceil'),
  ceiling: rounding('ceil'),
  floor: rounding('floor'),
  round,
  mod: (items, site) => (items.length === 2 ? arithmetic('%', items[0] as Typed, items[1] as Typed, site.at) : undefined),
  power: overloaded(overload(['double', 'double'], 'double', (base, exponent) => `power(${base}, ${exponent})`)),
  pow: overloaded(overload(['double', 'double'], 'double', (base, exponent) => `power(${base}, ${exponent})`)),
  sqrt: overloaded(
    overload(['double'], 'double', (value) => `(CASE WHEN ${value} < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(${value}) END)`),
  ),
  sign: (items, site) => {
    const [value] = items
    if (items.length !== 1 || value?.type.kind !== 'decimal') return signOfNumber(items, site)
    return typed(`CAST(sign(${value.sql}) AS DECIMAL(1,0))`, { kind: 'decimal', precision: 1, scale: 0 }, value)
  },
  greatest: extreme('greatest'),
  least: extreme('least'),
  is_nan: overloaded(
    overload(['double'], 'boolean', (value) => `isnan(${value})`),
    overload(['real'], 'boolean', (value) => `isnan(${value})`),
  ),
  is_finite: overloaded(overload(['double'], 'boolean', (value) => `isfinite(${value})`)),
  is_infinite: overloaded(overload(['double'], 'boolean', (value) => `isinf(${value})`)),
  infinity: overloaded(overload([], 'double', () => `CAST('inf' AS DOUBLE)`)),
  nan: overloaded(overload([], 'double', () => `CAST('nan' AS DOUBLE)`)),
  pi: overloaded(overload([], 'double', () => 'CAST(3.141592653589793 AS DOUBLE)')),
  e: overloaded(overload([], 'double', () => 'CAST(2.718281828459045 AS DOUBLE)')),
  bitwise_and: bitwise((a, b) => `(${a} & ${b})`),
  bitwise_or: bitwise((a, b) => `(${a} | ${b})`),
  bitwise_xor: bitwise((a, b) => `xor(${a}, ${b})`),
  bitwise_not: overloaded(overload(['bigint'], 'bigint', (value) => `(-1 - ${value})`)),
  bitwise_left_shift: shift(),
}

// Of an integer type the shift stays in that type; only shifts that keep every bit are alike, so others are refused.
function shift(): ScalarFunction {
  return (items) => {
    const [value, by] = items
    if (items.length !== 2 || value === undefined || by === undefined || !integers.includes(value.type.kind)) return undefined
    if (
      typeof value.literal !== 'bigint' ||
      typeof by.literal !== 'bigint' ||
      value.literal < 0n ||
      by.literal < 0n ||
      by.literal > 31n
    ) {
      throw notSupportedLocally('bitwise_left_shift() of what is not a small literal')
    }
    const result = value.literal << by.literal
    if (result >= 1n << 31n) throw notSupportedLocally('bitwise_left_shift() beyond the width of the type')
    return { sql: `CAST(${result} AS ${duckType(value.type)})`, type: value.type, throws: false }
  }
}
