import { ConfigError } from './error'

/** The type of a column as plain data. Nested types carry their own nullability. */
export type ColumnType =
  | { readonly kind: 'boolean' | 'integer' | 'bigint' | 'float' | 'double' | 'string' | 'binary' | 'date' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  /** `precision`: digits of the fraction of a second, 0–9. `zone`: whether the zone is kept with the instant. */
  | { readonly kind: 'timestamp'; readonly precision: number; readonly zone: boolean }
  | { readonly kind: 'array'; readonly element: Column }
  | { readonly kind: 'map'; readonly key: Column; readonly value: Column }
  | { readonly kind: 'struct'; readonly fields: Readonly<Record<string, Column>> }

/** A column of a table contract. `T` is the TypeScript type of its values. */
export interface Column<T = unknown> {
  readonly type: ColumnType
  readonly isNullable: boolean
  /** The same column, in which a value may be missing (`null`). */
  nullable(): Column<T | null>
  /** Only a type: never present at run time. */
  readonly '~value'?: T
}

/** The TypeScript type of the values of a column. */
export type ValueOf<C> = C extends Column<infer T> ? T : never

/** Columns by name. */
export type ColumnMap = Readonly<Record<string, Column>>

type StructValue<Fields extends ColumnMap> = { [Name in keyof Fields]: ValueOf<Fields[Name]> }

function make<T>(type: ColumnType, isNullable = false): Column<T> {
  return { type, isNullable, nullable: () => make<T | null>(type, true) }
}

function checkRange(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new ConfigError(`${what} must be a whole number from ${min} to ${max}, not ${value}.`)
  }
}

/**
 * Makes the columns of a table contract. Each type knows its form in TypeScript, Hive DDL, Trino, DuckDB, Parquet and JSON.
 *
 * | column | TypeScript | Hive | Trino | JSON and CSV text |
 * |---|---|---|---|---|
 * | `boolean()` | `boolean` | boolean | boolean | `true` |
 * | `integer()` | `number` | int | integer | `-7` (32 bits) |
 * | `bigint()` | `bigint` | bigint | bigint | `-7` (64 bits) |
 * | `float()`, `double()` | `number` | float, double | real, double | `1.5`, in text also `NaN`, `Infinity` |
 * | `decimal(p, s)` | `string` | decimal(p,s) | decimal(p,s) | `12.50` |
 * | `string()` | `string` | string | varchar | text |
 * | `binary()` | `Uint8Array` | binary | varbinary | base64 |
 * | `date()` | `string` | date | date | `2026-11-24` |
 * | `timestamp(p = 3)` | `Date`; for p > 3 `string` | timestamp | timestamp(p) | `2026-11-24 15:31:00.000` (UTC) |
 * | `timestampWithZone(p = 3)` | `string` | – | timestamp(p) with time zone | `2026-11-24 15:31:00.000 Europe/Berlin` |
 * | `array(c)` | `T[]` | array<…> | array(…) | `[…]` |
 * | `map(k, v)` | `Map<K, V>` | map<…> | map(…) | `{…}` |
 * | `struct({ … })` | object | struct<…> | row(…) | `{…}` |
 *
 * @example
 * ```ts
 * const columns = { at: column.timestamp(), device: column.string(), reading: column.double().nullable() }
 * ```
 */
export const column: {
  boolean(): Column<boolean>
  integer(): Column<number>
  bigint(): Column<bigint>
  float(): Column<number>
  double(): Column<number>
  /** @throws {@link ConfigError} unless 1 ≤ precision ≤ 38 and 0 ≤ scale ≤ precision. */
  decimal(precision: number, scale: number): Column<string>
  string(): Column<string>
  binary(): Column<Uint8Array>
  date(): Column<string>
  timestamp(precision?: 0 | 1 | 2 | 3): Column<Date>
  timestampMicros(): Column<string>
  timestampWithZone(precision?: number): Column<string>
  array<T>(element: Column<T>): Column<T[]>
  map<K extends string | number | bigint, V>(key: Column<K>, value: Column<V>): Column<Map<K, V>>
  struct<Fields extends ColumnMap>(fields: Fields): Column<StructValue<Fields>>
} = {
  boolean: () => make({ kind: 'boolean' }),
  integer: () => make({ kind: 'integer' }),
  bigint: () => make({ kind: 'bigint' }),
  float: () => make({ kind: 'float' }),
  double: () => make({ kind: 'double' }),
  decimal: (precision, scale) => {
    checkRange('The precision of a decimal', precision, 1, 38)
    checkRange('The scale of a decimal', scale, 0, precision)
    return make({ kind: 'decimal', precision, scale })
  },
  string: () => make({ kind: 'string' }),
  binary: () => make({ kind: 'binary' }),
  date: () => make({ kind: 'date' }),
  timestamp: (precision = 3) => {
    checkRange('The precision of a timestamp', precision, 0, 3)
    return make({ kind: 'timestamp', precision, zone: false })
  },
  // A Date holds milliseconds only, so finer instants stay text.
  timestampMicros: () => make({ kind: 'timestamp', precision: 6, zone: false }),
  timestampWithZone: (precision = 3) => {
    checkRange('The precision of a timestamp', precision, 0, 9)
    return make({ kind: 'timestamp', precision, zone: true })
  },
  array: (element) => make({ kind: 'array', element }),
  map: (key, value) => {
    if (key.isNullable) throw new ConfigError('The keys of a map cannot be nullable.')
    return make({ kind: 'map', key, value })
  },
  struct: (fields) => {
    if (Object.keys(fields).length === 0) throw new ConfigError('A struct needs at least one field.')
    return make({ kind: 'struct', fields })
  },
}

/** A SQL engine whose type names differ. */
export type TypeDialect = 'hive' | 'trino' | 'duckdb'

const simpleNames: Record<TypeDialect, Record<string, string>> = {
  hive: { integer: 'int', string: 'string', binary: 'binary' },
  trino: { float: 'real', string: 'varchar', binary: 'varbinary' },
  duckdb: { string: 'VARCHAR', binary: 'BLOB' },
}

/**
 * The name of a type in a dialect: `hive` for Athena DDL, `trino` for Athena queries, `duckdb` for the in-process engine.
 *
 * @throws {@link ConfigError} for a timestamp with zone in Hive DDL, which has no such type.
 * @example
 * ```ts
 * typeName(column.array(column.bigint()).type, 'hive') // 'array<bigint>'
 * ```
 */
export function typeName(type: ColumnType, dialect: TypeDialect): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'timestamp':
      return timestampName(type.precision, type.zone, dialect)
    case 'array': {
      const element = typeName(type.element.type, dialect)
      return dialect === 'hive' ? `array<${element}>` : dialect === 'trino' ? `array(${element})` : `${element}[]`
    }
    case 'map': {
      const pair = `${typeName(type.key.type, dialect)}${dialect === 'hive' ? ',' : ', '}${typeName(type.value.type, dialect)}`
      return dialect === 'hive' ? `map<${pair}>` : dialect === 'trino' ? `map(${pair})` : `MAP(${pair})`
    }
    case 'struct': {
      const fields = Object.entries(type.fields).map(([name, field]) => {
        const inner = typeName(field.type, dialect)
        return dialect === 'hive' ? `${name}:${inner}` : `"${name.replaceAll('"', '""')}" ${inner}`
      })
      return dialect === 'hive'
        ? `struct<${fields.join(',')}>`
        : `${dialect === 'trino' ? 'row' : 'STRUCT'}(${fields.join(', ')})`
    }
    default:
      return simpleNames[dialect][type.kind] ?? type.kind
  }
}

function timestampName(precision: number, zone: boolean, dialect: TypeDialect): string {
  if (dialect === 'trino') return `timestamp(${precision})${zone ? ' with time zone' : ''}`
  if (dialect === 'duckdb') return zone ? 'TIMESTAMPTZ' : precision > 6 ? 'TIMESTAMP_NS' : 'TIMESTAMP'
  if (zone)
    throw new ConfigError('Hive tables have no timestamp with time zone.', {
      hint: 'Keep it as column.string() or convert to UTC.',
    })
  return 'timestamp'
}
