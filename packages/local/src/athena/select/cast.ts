import { notSupportedLocally } from '../query-engine'
import { asDecimal, coerces, commonType, isInteger, isNumeric, sameType } from './coercion'
import { duckType } from './duckdb-type'
import { type Position, typeMismatch } from './failure'
import { castFromJson, castToJson } from './json-cast'
import { quoteName, quoteText } from './sql-quote'
import { fieldName, type TrinoType, types, typeText } from './trino-type'
import { decimalTextSql, nativeCall, raise, type Typed, typed } from './value'

/** Converts without a cast in the statement, where Trino does so; `undefined` where it does not. */
export function convert(value: Typed, to: TrinoType): Typed | undefined {
  if (sameType(value.type, to)) return value.type === to ? value : { ...value, type: to }
  if (!coerces(value.type, to)) return undefined
  return { ...castValue(value, to, undefined), literal: value.literal }
}

/** CAST(value AS to). @throws AnalysisError TYPE_MISMATCH where Trino has no such cast. */
export function cast(value: Typed, to: TrinoType, at: Position | undefined): Typed {
  return sameType(value.type, to) ? value : castValue(value, to, at)
}

/** Converts both to their common type. */
export function unify(left: Typed, right: Typed): readonly [Typed, Typed] | undefined {
  const common = commonType(left.type, right.type)
  if (common === undefined) return undefined
  const [a, b] = [convert(left, common), convert(right, common)]
  return a === undefined || b === undefined ? undefined : [a, b]
}

function castValue(value: Typed, to: TrinoType, at: Position | undefined): Typed {
  const from = value.type
  const { sql } = value
  const impossible = (): Error => typeMismatch(`Cannot cast ${typeText(from)} to ${typeText(to)}`, at)
  const safe = (text: string): Typed => ({ sql: text, type: to, throws: value.throws })
  if (from.kind === 'unknown') return safe(`CAST(NULL AS ${duckType(to)})`)
  if (from.kind === 'json') return to.kind === 'json' ? value : castFromJson(value, to, cast, impossible)
  switch (to.kind) {
    case 'json':
      return castToJson(value, impossible)
    case 'varchar':
      return toVarchar(value, to.length, impossible)
    case 'boolean':
      if (from.kind === 'varchar') return nativeCall('t_to_boolean', [value], to, (name, text) => `${name}(${text})`)
      if (isNumeric(from)) return safe(`(${sql} <> 0)`)
      throw impossible()
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return toInteger(value, to, impossible)
    case 'double':
    case 'real':
      if (from.kind === 'varchar')
        return nativeCall('t_to_double', [value], to, (name, text) => `CAST(${name}(${text}, '${to.kind}') AS ${duckType(to)})`)
      if (from.kind === 'boolean') return safe(`CAST(CAST(${sql} AS INTEGER) AS ${duckType(to)})`)
      // DuckDB goes through scaled doubles; the text is read correctly rounded.
      if (from.kind === 'decimal') return safe(`CAST(CAST(${sql} AS VARCHAR) AS ${duckType(to)})`)
      if (isInteger(from) || from.kind === 'real') return safe(`CAST(${sql} AS ${duckType(to)})`)
      if (from.kind === 'double')
        return safe(
          `CAST(CASE WHEN abs(${sql}) > 3.4028235677973366e38 AND isfinite(${sql}) THEN sign(${sql}) * CAST('inf' AS DOUBLE) ELSE ${sql} END AS FLOAT)`,
        )
      throw impossible()
    case 'decimal':
      return toDecimal(value, to, impossible)
    case 'varbinary':
      if (from.kind === 'varchar') return safe(`encode(${sql})`)
      throw impossible()
    case 'date':
      if (from.kind === 'varchar')
        return nativeCall('t_to_day', [value], to, (name, text) => `(DATE '1970-01-01' + CAST(${name}(${text}) AS INTEGER))`)
      if (from.kind === 'timestamp') return safe(`CAST(${sql} AS DATE)`)
      if (from.kind === 'timestamptz') return safe(`CAST(${localSql(value)} AS DATE)`)
      throw impossible()
    case 'timestamp':
      if (from.kind === 'varchar')
        return nativeCall('t_to_timestamp', [value], to, (name, text) => `make_timestamp(${name}(${text}, ${to.precision}))`)
      if (from.kind === 'date') return safe(`CAST(${sql} AS TIMESTAMP)`)
      if (from.kind === 'timestamp') return safe(rounded(sql, from.precision, to.precision))
      if (from.kind === 'timestamptz') return safe(rounded(localSql(value), from.precision, to.precision))
      throw impossible()
    case 'timestamptz':
      return toInstant(value, to, impossible)
    default:
      return toContainer(value, to, at, impossible)
  }
}

/** Local time of a timestamp with a zone, as a TIMESTAMP. */
export function localSql(value: Typed): string {
  const zone = value.type.kind === 'timestamptz' ? value.type.zone : undefined
  if (zone === 'UTC') return `struct_extract(${value.sql}, 'instant')`
  return `make_timestamp(t_local(epoch_us(struct_extract(${value.sql}, 'instant')), struct_extract(${value.sql}, 'zone')))`
}

/** The instant of a timestamp with a zone, as a TIMESTAMP in UTC. */
export function instantSql(value: Typed): string {
  return `struct_extract(${value.sql}, 'instant')`
}

/** A timestamp with a zone out of a UTC TIMESTAMP and the zone's name, both SQL. NULL where either is. */
export function zonedSql(instant: string, zone: string): string {
  return `(CASE WHEN (${instant}) IS NULL OR (${zone}) IS NULL THEN NULL ELSE struct_pack(instant := ${instant}, zone := ${zone}) END)`
}

function rounded(sql: string, from: number, to: number): string {
  return to >= from ? sql : `make_timestamp(t_round_micros(epoch_us(${sql}), ${to}))`
}

function toInstant(value: Typed, to: Extract<TrinoType, { kind: 'timestamptz' }>, impossible: () => Error): Typed {
  const { type: from, sql } = value
  if (from.kind === 'timestamptz') {
    if (to.precision >= from.precision) return { ...value, type: { ...to, zone: from.zone } }
    const instant = rounded(instantSql(value), from.precision, to.precision)
    return { sql: zonedSql(instant, `struct_extract(${sql}, 'zone')`), type: { ...to, zone: from.zone }, throws: value.throws }
  }
  if (from.kind === 'varchar') {
    return {
      sql: zonedSql(`make_timestamp(t_to_instant(${sql}, ${to.precision}))`, `t_to_zone(${sql})`),
      type: { ...to, zone: undefined },
      throws: true,
    }
  }
  const local =
    from.kind === 'date'
      ? `CAST(${sql} AS TIMESTAMP)`
      : from.kind === 'timestamp'
        ? rounded(sql, from.precision, to.precision)
        : undefined
  if (local === undefined) throw impossible()
  return { sql: zonedSql(local, `'UTC'`), type: { ...to, zone: 'UTC' }, throws: value.throws }
}

function toInteger(value: Typed, to: TrinoType, impossible: () => Error): Typed {
  const { type: from, sql } = value
  const duck = duckType(to)
  const failing = (text: string): Typed => ({ sql: text, type: to, throws: true })
  if (from.kind === 'varchar')
    return nativeCall('t_to_integer', [value], to, (name, text) => `CAST(${name}(${text}, '${to.kind}') AS ${duck})`)
  if (from.kind === 'boolean') return { sql: `CAST(${sql} AS ${duck})`, type: to, throws: value.throws }
  if (isInteger(from)) {
    const widens = coerces(from, to)
    return { sql: `CAST(${sql} AS ${duck})`, type: to, throws: value.throws || !widens }
  }
  // DuckDB rounds half to even, Trino half away from zero; round() does the latter.
  if (from.kind === 'double' || from.kind === 'real') {
    return failing(`CAST(round(CAST(${sql} AS DOUBLE)) AS ${duck})`)
  }
  if (from.kind === 'decimal') return failing(`CAST(round(${sql}, 0) AS ${duck})`)
  throw impossible()
}

function toDecimal(value: Typed, to: Extract<TrinoType, { kind: 'decimal' }>, impossible: () => Error): Typed {
  const { type: from, sql } = value
  const duck = duckType(to)
  if (from.kind === 'varchar')
    return nativeCall(
      't_to_decimal',
      [value],
      to,
      (name, text) => `CAST(${name}(${text}, ${to.precision}, ${to.scale}) AS ${duck})`,
    )
  if (from.kind === 'boolean') return { sql: `CAST(CAST(${sql} AS INTEGER) AS ${duck})`, type: to, throws: true }
  const exact = asDecimal(from)
  if (exact !== undefined) {
    const widens = to.scale >= exact.scale && to.precision - to.scale >= exact.precision - exact.scale
    // Through text, which is rounded half away from zero, when digits may be lost.
    if (to.scale >= exact.scale) return { sql: `CAST(${sql} AS ${duck})`, type: to, throws: value.throws || !widens }
    return {
      sql: `CAST(t_number_to_decimal(CAST(${sql} AS VARCHAR), ${to.precision}, ${to.scale}) AS ${duck})`,
      type: to,
      throws: true,
    }
  }
  // Trino takes the digits that the double prints (BigDecimal.valueOf).
  if (from.kind === 'double')
    return {
      sql: `CAST(t_number_to_decimal(t_double_key(${sql}), ${to.precision}, ${to.scale}) AS ${duck})`,
      type: to,
      throws: true,
    }
  if (from.kind === 'real') throw notSupportedLocally('CAST from real to decimal')
  throw impossible()
}

function toVarchar(value: Typed, length: number | undefined, impossible: () => Error): Typed {
  const { type: from, sql } = value
  const to: TrinoType = length === undefined ? types.varchar : { kind: 'varchar', length }
  if (from.kind === 'varchar') {
    const fits = length === undefined || (from.length !== undefined && from.length <= length)
    return {
      sql: fits ? sql : `left(${sql}, ${length})`,
      type: to,
      throws: value.throws,
      quiet: fits ? value.quiet : value.quiet && `left(${value.quiet}, ${length})`,
      literal: fits ? value.literal : undefined,
    }
  }
  const text = scalarText(value, impossible)
  if (length === undefined) return { sql: text, type: to, throws: value.throws }
  const message = `t_raise('INVALID_CAST_ARGUMENT', 'Value ' || ${text} || ' cannot be represented as varchar(${length})')`
  return { sql: `(CASE WHEN length(${text}) > ${length} THEN ${message} ELSE ${text} END)`, type: to, throws: true }
}

/** The text of a scalar as CAST(… AS varchar) gives it. */
function scalarText(value: Typed, impossible: () => Error): string {
  const { type, sql } = value
  switch (type.kind) {
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return `CAST(${sql} AS VARCHAR)`
    case 'decimal':
      return decimalTextSql(sql)
    case 'double':
      return `t_double_text(${sql})`
    case 'real':
      return `t_real_text(CAST(${sql} AS DOUBLE))`
    case 'date':
      return `left(t_timestamp_text(epoch_us(CAST(${sql} AS TIMESTAMP)), 0), -9)`
    case 'timestamp':
      return `t_timestamp_text(epoch_us(${sql}), ${type.precision})`
    case 'timestamptz':
      return `(t_timestamp_text(epoch_us(${localSql(value)}), ${type.precision}) || ' ' || struct_extract(${sql}, 'zone'))`
    default:
      throw impossible()
  }
}

let lambdaCount = 0

function toContainer(value: Typed, to: TrinoType, at: Position | undefined, impossible: () => Error): Typed {
  const { type: from, sql } = value
  const parameter = `cast_${lambdaCount++}`
  const element = (name: string, type: TrinoType): Typed => ({ sql: name, type, throws: false })
  if (from.kind === 'array' && to.kind === 'array') {
    const inner = cast(element(parameter, from.element), to.element, at)
    return { sql: `list_transform(${sql}, lambda ${parameter}: ${inner.sql})`, type: to, throws: value.throws || inner.throws }
  }
  if (from.kind === 'map' && to.kind === 'map') {
    const key = cast(element(parameter, from.key), to.key, at)
    const item = cast(element(parameter, from.value), to.value, at)
    const keys = `list_transform(map_keys(${sql}), lambda ${parameter}: ${key.sql})`
    const items = `list_transform(map_values(${sql}), lambda ${parameter}: ${item.sql})`
    return { sql: `(CASE WHEN (${sql}) IS NULL THEN NULL ELSE map(${keys}, ${items}) END)`, type: to, throws: true }
  }
  if (from.kind === 'row' && to.kind === 'row') {
    if (from.fields.length !== to.fields.length) throw impossible()
    const parts = to.fields.map((field, index) => {
      const source = from.fields[index] as (typeof from.fields)[number]
      const taken =
        value.fields?.[index] ?? element(`struct_extract(${sql}, ${quoteText(fieldName(source, index))})`, source.type)
      return cast(taken, field.type, at)
    })
    const packed = `struct_pack(${parts.map((part, index) => `${quoteName(fieldName(to.fields[index] as { type: TrinoType }, index))} := ${castNull(part)}`).join(', ')})`
    const guarded = value.fields === undefined ? `(CASE WHEN (${sql}) IS NULL THEN NULL ELSE ${packed} END)` : packed
    return { sql: guarded, type: to, throws: value.throws || parts.some((part) => part.throws) }
  }
  throw impossible()
}

/** A bare NULL needs a type inside a struct or list. */
export function castNull(value: Typed): string {
  return value.sql === 'NULL' ? `CAST(NULL AS ${duckType(value.type)})` : value.sql
}

/** The error of an integer operation, for a CASE branch. */
export function divisionByZero(type: TrinoType): string {
  return raise('DIVISION_BY_ZERO', 'Division by zero', duckType(type))
}

export { typed }
