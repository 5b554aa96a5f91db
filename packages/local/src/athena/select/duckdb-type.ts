import { quoteName } from './sql-quote'
import { fieldName, type TrinoType } from './trino-type'

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
