import { notSupportedLocally } from '../query-engine'
import { isInteger } from './coercion'
import { duckType } from './duckdb-type'
import type { Position } from './failure'
import { quoteName, quoteText } from './sql-quote'
import { fieldName, type TrinoType, types, typeText } from './trino-type'
import { decimalTextSql, type Typed } from './value'

type Cast = (value: Typed, to: TrinoType, at: Position | undefined) => Typed

let lambdaCount = 0

/** CAST(json AS to). `cast(json_parse(text) AS array/map/row)` reads the text itself, as Trino's optimizer rewrites it. */
export function castFromJson(value: Typed, to: TrinoType, cast: Cast, impossible: () => Error): Typed {
  const source = (to.kind === 'array' || to.kind === 'map' || to.kind === 'row' ? value.jsonText?.sql : undefined) ?? value.sql
  const target = quoteText(typeText(to))
  const inner = (sql: string, type: TrinoType): Typed =>
    type.kind === 'json'
      ? { sql, type, throws: false }
      : castFromJson({ sql, type: types.json, throws: false }, type, cast, impossible)
  const parameter = `json_${lambdaCount++}`
  switch (to.kind) {
    case 'array':
      return {
        sql: `list_transform(t_json_elements(${source}, ${target}), lambda ${parameter}: ${inner(parameter, to.element).sql})`,
        type: to,
        throws: true,
      }
    case 'map': {
      if (to.key.kind === 'json' || to.key.kind === 'array' || to.key.kind === 'map' || to.key.kind === 'row') throw impossible()
      const keys = `t_json_keys(${source}, ${target})`
      const key = cast({ sql: parameter, type: types.varchar, throws: false }, to.key, undefined)
      const keySql =
        to.key.kind === 'varchar' && to.key.length === undefined
          ? keys
          : `list_transform(${keys}, lambda ${parameter}: ${key.sql})`
      const values = `t_json_values(${source}, ${target})`
      const valueSql =
        to.value.kind === 'json' ? values : `list_transform(${values}, lambda ${parameter}: ${inner(parameter, to.value).sql})`
      return { sql: `(CASE WHEN ${keys} IS NULL THEN NULL ELSE map(${keySql}, ${valueSql}) END)`, type: to, throws: true }
    }
    case 'row': {
      const names = quoteText(JSON.stringify(to.fields.map((field) => field.name?.toLowerCase() ?? '')))
      const items = `t_json_fields(${source}, ${names}, ${target})`
      const fields = to.fields.map(
        (field, index) => `${quoteName(fieldName(field, index))} := ${inner(`${items}[${index + 1}]`, field.type).sql}`,
      )
      return { sql: `(CASE WHEN ${items} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END)`, type: to, throws: true }
    }
    case 'varchar': {
      const text = `t_json_scalar(${source}, 'varchar', 0)`
      return { sql: to.length === undefined ? text : `left(${text}, ${to.length})`, type: to, throws: true }
    }
    case 'boolean':
    case 'double':
    case 'real':
    case 'decimal':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint': {
      const scale = to.kind === 'decimal' ? to.scale : 0
      return { sql: `CAST(t_json_scalar(${source}, '${to.kind}', ${scale}) AS ${duckType(to)})`, type: to, throws: true }
    }
    default:
      throw impossible()
  }
}

/** CAST(value AS json). */
export function castToJson(value: Typed, impossible: () => Error): Typed {
  return {
    sql: `(CASE WHEN (${value.sql}) IS NULL THEN NULL ELSE ${jsonText(value.sql, value.type, impossible)} END)`,
    type: types.json,
    throws: value.throws,
  }
}

// JSON text of a value that may be NULL inside a container.
function jsonOrNull(sql: string, type: TrinoType, impossible: () => Error): string {
  return `coalesce(${jsonText(sql, type, impossible)}, 'null')`
}

function jsonText(sql: string, type: TrinoType, impossible: () => Error): string {
  if (type.kind === 'decimal') return decimalTextSql(sql)
  if (isInteger(type) || type.kind === 'boolean') return `CAST(${sql} AS VARCHAR)`
  const parameter = `json_${lambdaCount++}`
  switch (type.kind) {
    case 'unknown':
      return `CAST(NULL AS VARCHAR)`
    case 'json':
      return sql
    case 'varchar':
      return `t_json_string(${sql})`
    case 'double':
      return `t_double_json(${sql})`
    case 'real':
      return `t_real_json(CAST(${sql} AS DOUBLE))`
    case 'date':
      return `('"' || left(t_timestamp_text(epoch_us(CAST(${sql} AS TIMESTAMP)), 0), -9) || '"')`
    case 'timestamp':
      return `('"' || t_timestamp_text(epoch_us(${sql}), ${type.precision}) || '"')`
    case 'array':
      return `(CASE WHEN (${sql}) IS NULL THEN NULL ELSE '[' || coalesce(array_to_string(list_transform(${sql}, lambda ${parameter}: ${jsonOrNull(parameter, type.element, impossible)}), ','), '') || ']' END)`
    case 'map': {
      if (type.key.kind !== 'varchar') throw impossible()
      // Members are sorted by name.
      const entry = `t_json_string(${parameter}.key) || ':' || ${jsonOrNull(`${parameter}.value`, type.value, impossible)}`
      const entries = `list_transform(list_sort(map_entries(${sql})), lambda ${parameter}: ${entry})`
      return `(CASE WHEN (${sql}) IS NULL THEN NULL ELSE '{' || coalesce(array_to_string(${entries}, ','), '') || '}' END)`
    }
    case 'row':
      // An array in the documentation of older versions, an object in newer ones; which one Athena gives was not established.
      throw notSupportedLocally('CAST from row to json')
    default:
      throw impossible()
  }
}
