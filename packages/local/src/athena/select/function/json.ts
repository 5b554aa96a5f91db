import { convert } from '../cast'
import { type TrinoType, types } from '../trino-type'
import { nativeCall, type Typed } from '../value'
import type { ScalarFunction } from './signature'

// Most JSON functions take JSON text or a JSON value; here both are text.
function jsonInput(item: Typed | undefined): Typed | undefined {
  if (item === undefined) return undefined
  if (item.type.kind === 'json' || item.type.kind === 'varchar') return item
  return item.type.kind === 'unknown' ? convert(item, types.varchar) : undefined
}

function withPath(name: `t_${string}`, result: (json: Typed) => TrinoType): ScalarFunction {
  return (items) => {
    const json = jsonInput(items[0])
    const path = items[1] && convert(items[1], types.varchar)
    if (items.length !== 2 || json === undefined || path === undefined) return undefined
    return nativeCall(name, [json, path], result(json), (call, text, place) => `${call}(${text}, ${place})`)
  }
}

function unary(print: (json: string) => string, result: TrinoType, throws: boolean): ScalarFunction {
  return (items) => {
    const json = jsonInput(items[0])
    if (items.length !== 1 || json === undefined) return undefined
    return { sql: print(json.sql), type: result, throws: throws || json.throws }
  }
}

const scalarType = (json: Typed): TrinoType => (json.type.kind === 'varchar' ? json.type : types.varchar)

const jsonParse: ScalarFunction = (items) => {
  const text = items[0] && convert(items[0], types.varchar)
  if (items.length !== 1 || text === undefined) return undefined
  return { ...nativeCall('t_json_parse', [text], types.json, (name, json) => `${name}(${json})`), jsonText: text }
}

const jsonFormat: ScalarFunction = (items) => {
  const value = items[0]
  if (items.length !== 1 || value === undefined) return undefined
  if (value.type.kind === 'json') return { sql: value.sql, type: types.varchar, throws: value.throws }
  // Trino converts text to JSON only by a cast: json_format('x') is a type error.
  return value.type.kind === 'unknown' ? { sql: 'CAST(NULL AS VARCHAR)', type: types.varchar, throws: false } : undefined
}

const jsonArrayContains: ScalarFunction = (items) => {
  const json = jsonInput(items[0])
  const wanted = items[1]
  if (items.length !== 2 || json === undefined || wanted === undefined) return undefined
  for (const type of [types.boolean, types.bigint, types.double, types.varchar] as const) {
    const value = convert(wanted, type)
    if (value === undefined) continue
    const text = type.kind === 'double' ? `t_double_key(${value.sql})` : `CAST(${value.sql} AS VARCHAR)`
    return {
      sql: `t_json_array_contains(${json.sql}, ${text}, '${type.kind}')`,
      type: types.boolean,
      throws: json.throws || value.throws,
    }
  }
  return undefined
}

/** JSON functions; paths are those of json_extract, not of SQL/JSON. */
export const jsonFunctions: Readonly<Record<string, ScalarFunction>> = {
  json_parse: jsonParse,
  json_format: jsonFormat,
  json_extract: withPath('t_json_extract', () => types.json),
  json_extract_scalar: withPath('t_json_extract_scalar', scalarType),
  json_size: withPath('t_json_size', () => types.bigint),
  json_array_length: unary((json) => `t_json_array_length(${json})`, types.bigint, false),
  json_array_contains: jsonArrayContains,
  is_json_scalar: unary((json) => `t_is_json_scalar(${json})`, types.boolean, true),
}
