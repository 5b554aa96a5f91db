import { AnalysisError } from './failure'
import { createCursor } from './syntax/cursor'
import { tokenize } from './syntax/token'
import type { TypeName } from './syntax/tree'
import { parseTypeName } from './syntax/type-name'

/** A type of Trino. `unknown` is the type of NULL. */
export type TrinoType =
  | {
      readonly kind:
        | 'boolean'
        | 'tinyint'
        | 'smallint'
        | 'integer'
        | 'bigint'
        | 'real'
        | 'double'
        | 'varbinary'
        | 'date'
        | 'json'
        | 'unknown'
    }
  | { readonly kind: 'varchar'; readonly length?: number | undefined }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'timestamp'; readonly precision: number }
  /** `zone` is set when every value is known to carry that zone. */
  | { readonly kind: 'timestamptz'; readonly precision: number; readonly zone?: string | undefined }
  | { readonly kind: 'interval-day' | 'interval-year' }
  | { readonly kind: 'array'; readonly element: TrinoType }
  | { readonly kind: 'map'; readonly key: TrinoType; readonly value: TrinoType }
  | { readonly kind: 'row'; readonly fields: readonly RowField[] }

export interface RowField {
  readonly name?: string | undefined
  readonly type: TrinoType
}

export const types: Readonly<
  Record<
    | 'boolean'
    | 'tinyint'
    | 'smallint'
    | 'integer'
    | 'bigint'
    | 'real'
    | 'double'
    | 'varbinary'
    | 'date'
    | 'json'
    | 'unknown'
    | 'varchar'
    | 'timestamp'
    | 'timestamptz',
    TrinoType
  >
> = {
  boolean: { kind: 'boolean' },
  tinyint: { kind: 'tinyint' },
  smallint: { kind: 'smallint' },
  integer: { kind: 'integer' },
  bigint: { kind: 'bigint' },
  real: { kind: 'real' },
  double: { kind: 'double' },
  varbinary: { kind: 'varbinary' },
  date: { kind: 'date' },
  json: { kind: 'json' },
  unknown: { kind: 'unknown' },
  varchar: { kind: 'varchar' },
  timestamp: { kind: 'timestamp', precision: 3 },
  timestamptz: { kind: 'timestamptz', precision: 3 },
}

export function arrayOf(element: TrinoType): TrinoType {
  return { kind: 'array', element }
}

export function mapOf(key: TrinoType, value: TrinoType): TrinoType {
  return { kind: 'map', key, value }
}

const simple: Readonly<Record<string, TrinoType>> = {
  boolean: types.boolean,
  tinyint: types.tinyint,
  smallint: types.smallint,
  integer: types.integer,
  int: types.integer,
  bigint: types.bigint,
  real: types.real,
  double: types.double,
  varbinary: types.varbinary,
  date: types.date,
  json: types.json,
  unknown: types.unknown,
}

/** A type that Athena knows and the local Athena does not. */
export class UnsupportedType extends Error {
  readonly type: string
  constructor(type: string) {
    super(type)
    this.name = 'UnsupportedType'
    this.type = type
  }
}

/** @throws {@link AnalysisError} for a name that is no type; {@link UnsupportedType} for one that is not supported. */
export function resolveType(name: TypeName): TrinoType {
  const numbers = name.arguments.filter((item): item is number => typeof item === 'number')
  const nested = name.arguments.filter((item): item is TypeName => typeof item !== 'number').map(resolveType)
  const wrong = (): AnalysisError => new AnalysisError('TYPE_MISMATCH', `Unknown type: ${name.name}`, name.at)
  const known = simple[name.name]
  if (known !== undefined) {
    if (name.arguments.length > 0) throw wrong()
    return known
  }
  switch (name.name) {
    case 'varchar':
    case 'string':
      if (name.name === 'string' || nested.length > 0 || numbers.length > 1) throw wrong()
      return numbers[0] === undefined || numbers[0] >= 2147483647 ? types.varchar : { kind: 'varchar', length: numbers[0] }
    case 'decimal':
    case 'dec':
    case 'numeric': {
      const [precision = 38, scale = 0] = numbers
      if (precision < 1 || precision > 38 || scale > precision) {
        throw new AnalysisError(
          'INVALID_FUNCTION_ARGUMENT',
          `DECIMAL precision must be in range [1, 38] and scale at most the precision: decimal(${precision}, ${scale})`,
          name.at,
        )
      }
      return { kind: 'decimal', precision, scale }
    }
    case 'timestamp': {
      const precision = numbers[0] ?? 3
      if (precision > 12)
        throw new AnalysisError(
          'INVALID_FUNCTION_ARGUMENT',
          `TIMESTAMP precision must be in range [0, 12]: ${precision}`,
          name.at,
        )
      if (precision > 6) throw new UnsupportedType(`timestamp(${precision})`)
      return name.withTimeZone === true ? { kind: 'timestamptz', precision } : { kind: 'timestamp', precision }
    }
    case 'array':
      if (nested.length !== 1) throw wrong()
      return arrayOf(nested[0] as TrinoType)
    case 'map':
      if (nested.length !== 2) throw wrong()
      return mapOf(nested[0] as TrinoType, nested[1] as TrinoType)
    case 'row': {
      if (nested.length === 0) throw wrong()
      const fields = nested.map((type, index) => ({ name: name.fields?.[index], type }))
      const names = fields.map((field, index) => fieldName(field, index))
      if (new Set(names).size !== names.length) throw new UnsupportedType('a row type with two fields of one name')
      return { kind: 'row', fields }
    }
    case 'char':
    case 'time':
    case 'interval':
    case 'uuid':
    case 'ipaddress':
    case 'hyperloglog':
      throw new UnsupportedType(`the type ${name.name}`)
    default:
      throw wrong()
  }
}

/** Reads a type from text, as the catalogue holds it. */
export function parseType(text: string): TrinoType {
  const cursor = createCursor(tokenize(text))
  const type = resolveType(parseTypeName(cursor))
  if (cursor.peek().kind !== 'end') throw cursor.unexpected('<EOF>')
  return type
}

/** As Trino writes it: `varchar(3)`, `timestamp(3) with time zone`, `row(a integer, varchar)`. */
export function typeText(type: TrinoType): string {
  switch (type.kind) {
    case 'varchar':
      return type.length === undefined ? 'varchar' : `varchar(${type.length})`
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'timestamp':
      return `timestamp(${type.precision})`
    case 'timestamptz':
      return `timestamp(${type.precision}) with time zone`
    case 'interval-day':
      return 'interval day to second'
    case 'interval-year':
      return 'interval year to month'
    case 'array':
      return `array(${typeText(type.element)})`
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`
    case 'row':
      return `row(${type.fields.map((field) => (field.name === undefined ? typeText(field.type) : `${fieldText(field.name)} ${typeText(field.type)}`)).join(', ')})`
    default:
      return type.kind
  }
}

function fieldText(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteName(name)
}

/** Name of a field inside DuckDB: the one that it has, or `field0`, `field1`, … as Trino prints unnamed fields. */
export function fieldName(field: RowField, index: number): string {
  return field.name ?? `field${index}`
}

/** The DuckDB type that holds it. A timestamp with a zone is a struct of the UTC instant and the zone's name; JSON is canonical text. */
export function duckType(type: TrinoType): string {
  switch (type.kind) {
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'double':
    case 'date':
      return type.kind.toUpperCase()
    case 'real':
      return 'FLOAT'
    case 'varbinary':
      return 'BLOB'
    case 'varchar':
    case 'json':
      return 'VARCHAR'
    case 'unknown':
      return 'INTEGER'
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'timestamp':
      return 'TIMESTAMP'
    case 'timestamptz':
      return 'STRUCT(instant TIMESTAMP, zone VARCHAR)'
    case 'interval-day':
    case 'interval-year':
      return 'INTERVAL'
    case 'array':
      return `${duckType(type.element)}[]`
    case 'map':
      return `MAP(${duckType(type.key)}, ${duckType(type.value)})`
    case 'row':
      return `STRUCT(${type.fields.map((field, index) => `${quoteName(fieldName(field, index))} ${duckType(field.type)}`).join(', ')})`
  }
}

/** A name for DuckDB. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal for DuckDB. NUL cannot stand in a statement, so it is put together. */
export function quoteText(text: string): string {
  if (!text.includes('\0')) return `'${text.replaceAll("'", "''")}'`
  return `(${text
    .split('\0')
    .map((part) => `'${part.replaceAll("'", "''")}'`)
    .join(' || chr(0) || ')})`
}

const integers = ['tinyint', 'smallint', 'integer', 'bigint'] as const

export function isInteger(type: TrinoType): boolean {
  return (integers as readonly string[]).includes(type.kind)
}

export function isNumeric(type: TrinoType): boolean {
  return isInteger(type) || type.kind === 'decimal' || type.kind === 'double' || type.kind === 'real'
}

/** Digits that an integer type can need, as Trino's coercion to decimal counts them. */
const integerDigits: Readonly<Record<string, number>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 }

/** An integer type as the decimal that holds all of its values; a decimal as itself. */
export function asDecimal(
  type: TrinoType,
): { readonly kind: 'decimal'; readonly precision: number; readonly scale: number } | undefined {
  if (type.kind === 'decimal') return type
  const precision = integerDigits[type.kind]
  return precision === undefined ? undefined : { kind: 'decimal', precision, scale: 0 }
}

export function sameType(left: TrinoType, right: TrinoType): boolean {
  return typeText(left) === typeText(right)
}

/**
 * The type that both convert to without a cast, by Trino's rules; `undefined` when there is none (`varchar` and `integer`).
 */
export function commonType(left: TrinoType, right: TrinoType): TrinoType | undefined {
  if (left.kind === 'timestamptz' && right.kind === 'timestamptz') {
    return {
      kind: 'timestamptz',
      precision: Math.max(left.precision, right.precision),
      zone: left.zone === right.zone ? left.zone : undefined,
    }
  }
  if (sameType(left, right)) return left
  if (left.kind === 'unknown') return right
  if (right.kind === 'unknown') return left
  if (isNumeric(left) && isNumeric(right)) return commonNumber(left, right)
  if (left.kind === 'varchar' && right.kind === 'varchar') {
    return left.length === undefined || right.length === undefined
      ? types.varchar
      : { kind: 'varchar', length: Math.max(left.length, right.length) }
  }
  const temporal = commonTemporal(left, right) ?? commonTemporal(right, left)
  if (temporal !== undefined) return temporal
  if (left.kind === 'array' && right.kind === 'array') {
    const element = commonType(left.element, right.element)
    return element && arrayOf(element)
  }
  if (left.kind === 'map' && right.kind === 'map') {
    const key = commonType(left.key, right.key)
    const value = commonType(left.value, right.value)
    return key && value && mapOf(key, value)
  }
  if (left.kind === 'row' && right.kind === 'row' && left.fields.length === right.fields.length) {
    const fields: RowField[] = []
    for (const [index, field] of left.fields.entries()) {
      const other = right.fields[index] as RowField
      const type = commonType(field.type, other.type)
      if (type === undefined) return undefined
      fields.push({ name: field.name === other.name ? field.name : undefined, type })
    }
    return { kind: 'row', fields }
  }
  return undefined
}

function commonNumber(left: TrinoType, right: TrinoType): TrinoType {
  if (left.kind === 'double' || right.kind === 'double') return types.double
  if (left.kind === 'real' || right.kind === 'real') return types.real
  if (left.kind !== 'decimal' && right.kind !== 'decimal') {
    const rank = (type: TrinoType): number => integers.indexOf(type.kind as 'tinyint')
    return rank(left) >= rank(right) ? left : right
  }
  const a = asDecimal(left) as { precision: number; scale: number }
  const b = asDecimal(right) as { precision: number; scale: number }
  const scale = Math.max(a.scale, b.scale)
  const precision = Math.min(38, Math.max(a.precision - a.scale, b.precision - b.scale) + scale)
  return { kind: 'decimal', precision, scale }
}

function commonTemporal(left: TrinoType, right: TrinoType): TrinoType | undefined {
  if (left.kind === 'date' && right.kind === 'timestamp') return right
  if (left.kind === 'date' && right.kind === 'timestamptz') return { ...right, zone: undefined }
  if (left.kind === 'timestamp' && right.kind === 'timestamp') return left.precision >= right.precision ? left : right
  if (left.kind === 'timestamp' && right.kind === 'timestamptz') {
    return {
      kind: 'timestamptz',
      precision: Math.max(left.precision, right.precision),
      zone: right.zone === 'UTC' ? 'UTC' : undefined,
    }
  }
  return undefined
}

/** Whether `from` converts to `to` without a cast. */
export function coerces(from: TrinoType, to: TrinoType): boolean {
  const common = commonType(from, to)
  if (common === undefined) return false
  // Field names of rows do not matter for a conversion.
  return typeText(withoutNames(common)) === typeText(withoutNames(to))
}

function withoutNames(type: TrinoType): TrinoType {
  switch (type.kind) {
    case 'array':
      return arrayOf(withoutNames(type.element))
    case 'map':
      return mapOf(withoutNames(type.key), withoutNames(type.value))
    case 'row':
      return { kind: 'row', fields: type.fields.map((field) => ({ type: withoutNames(field.type) })) }
    default:
      return type
  }
}
