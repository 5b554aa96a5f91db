import { AnalysisError } from './failure'
import { quoteName } from './sql-quote'
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
