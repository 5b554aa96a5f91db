import { convert } from '../cast'
import { commonType } from '../coercion'
import { duckType } from '../duckdb-type'
import { arrayOf, mapOf, type TrinoType, types } from '../trino-type'
import { raise, type Typed } from '../value'
import { plain } from './element'
import type { ScalarFunction } from './signature'

const map: ScalarFunction = (items) => {
  if (items.length === 0)
    return { sql: 'CAST(map([], []) AS MAP(INTEGER, INTEGER))', type: mapOf(types.unknown, types.unknown), throws: false }
  const [keys, values] = items
  if (items.length !== 2 || keys?.type.kind !== 'array' || values?.type.kind !== 'array') return undefined
  const type = mapOf(keys.type.element, values.type.element)
  plain(keys.type.element, 'map')
  const duck = duckType(type)
  const sql =
    `(CASE WHEN (${keys.sql}) IS NULL OR (${values.sql}) IS NULL THEN NULL ` +
    `WHEN len(${keys.sql}) <> len(${values.sql}) THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'Key and value arrays must be the same length', duck)} ` +
    `WHEN len(list_filter(${keys.sql}, lambda n: n IS NULL)) > 0 THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'map key cannot be null', duck)} ` +
    `WHEN len(list_distinct(${keys.sql})) <> len(${keys.sql}) THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'Duplicate map keys are not allowed', duck)} ` +
    `ELSE map(${keys.sql}, ${values.sql}) END)`
  return { sql, type, throws: true }
}

const mapConcat: ScalarFunction = (items) => {
  const common = items
    .map((item) => item.type)
    .reduce<TrinoType | undefined>((left, right) => left && commonType(left, right), types.unknown)
  if (items.length < 2 || common?.kind !== 'map') return undefined
  plain(common.key, 'map_concat')
  const converted = items.map((item) => convert(item, common) as Typed)
  const nulls = converted.map((item) => `(${item.sql}) IS NULL`).join(' OR ')
  return {
    sql: `(CASE WHEN ${nulls} THEN NULL ELSE map_concat(${converted.map((item) => item.sql).join(', ')}) END)`,
    type: common,
    throws: items.some((item) => item.throws),
  }
}

function ofMap(print: (sql: string) => string, result: (type: Extract<TrinoType, { kind: 'map' }>) => TrinoType): ScalarFunction {
  return (items) => {
    const value = items[0]
    if (items.length !== 1 || value?.type.kind !== 'map') return undefined
    return { sql: print(value.sql), type: result(value.type), throws: value.throws }
  }
}

/** Map functions without lambdas. */
export const mapFunctions: Readonly<Record<string, ScalarFunction>> = {
  map,
  map_concat: mapConcat,
  map_keys: ofMap(
    (sql) => `map_keys(${sql})`,
    (type) => arrayOf(type.key),
  ),
  map_values: ofMap(
    (sql) => `map_values(${sql})`,
    (type) => arrayOf(type.value),
  ),
  map_entries: ofMap(
    (sql) => `list_transform(map_entries(${sql}), lambda e: struct_pack(field0 := e.key, field1 := e.value))`,
    (type) => arrayOf({ kind: 'row', fields: [{ type: type.key }, { type: type.value }] }),
  ),
}
