import { notSupportedLocally } from '../../query-engine'
import { castNull, convert } from '../cast'
import { duckType } from '../duckdb-type'
import { typeMismatch } from '../failure'
import { type TrinoType, types, typeText } from '../trino-type'
import { raise, type Typed } from '../value'
import type { ScalarFunction } from './signature'

/** Types whose values DuckDB finds in a list as Trino does: equality without NULLs inside and without zones. */
export function plain(type: TrinoType, name: string): void {
  if (['array', 'map', 'row', 'timestamptz', 'double', 'real'].includes(type.kind))
    throw notSupportedLocally(`${name}() of array(${typeText(type)})`)
}

/** Type of the elements of an array; `undefined` for anything else. */
export function elementOf(item: Typed | undefined): TrinoType | undefined {
  return item?.type.kind === 'array' ? item.type.element : undefined
}

const elementAt: ScalarFunction = (items) => {
  const [base, index] = items
  if (items.length !== 2 || base === undefined || index === undefined) return undefined
  if (base.type.kind === 'map') {
    plain(base.type.key, 'element_at')
    const key = convert(index, base.type.key)
    return (
      key && { sql: `map_extract_value(${base.sql}, ${castNull(key)})`, type: base.type.value, throws: base.throws || key.throws }
    )
  }
  const position = convert(index, types.bigint)
  if (base.type.kind !== 'array' || position === undefined) return undefined
  const at = position.sql
  const zero = raise('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1', duckType(base.type.element))
  const sql = `(CASE WHEN ${at} = 0 THEN ${zero} WHEN abs(${at}) > len(${base.sql}) THEN NULL ELSE list_extract(${base.sql}, ${at}) END)`
  return { sql, type: base.type.element, throws: true }
}

/** `base[index]`: an error where element_at gives NULL. */
export function subscript(base: Typed, index: Typed, at: number): Typed {
  if (base.type.kind === 'map') {
    plain(base.type.key, 'subscript')
    const key = convert(index, base.type.key)
    if (key === undefined) throw typeMismatch(`Cannot use ${typeText(index.type)} for subscript of ${typeText(base.type)}`, at)
    const missing = `CAST(t_raise('INVALID_FUNCTION_ARGUMENT', 'Key not present in map: ' || CAST(${castNull(key)} AS VARCHAR)) AS ${duckType(base.type.value)})`
    const sql = `(CASE WHEN (${base.sql}) IS NULL OR (${key.sql}) IS NULL THEN NULL WHEN NOT map_contains(${base.sql}, ${key.sql}) THEN ${missing} ELSE map_extract_value(${base.sql}, ${key.sql}) END)`
    return { sql, type: base.type.value, throws: true }
  }
  if (base.type.kind === 'row') throw notSupportedLocally('subscript of a row')
  const position = convert(index, types.bigint)
  if (base.type.kind !== 'array' || position === undefined)
    throw typeMismatch(`Cannot use ${typeText(index.type)} for subscript of ${typeText(base.type)}`, at)
  const duck = duckType(base.type.element)
  const sql =
    `(CASE WHEN ${position.sql} = 0 THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1', duck)} ` +
    `WHEN ${position.sql} < 0 THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'Array subscript is negative', duck)} ` +
    `WHEN ${position.sql} > len(${base.sql}) THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'Array subscript must be less than or equal to array length', duck)} ` +
    `ELSE list_extract(${base.sql}, ${position.sql}) END)`
  return { sql, type: base.type.element, throws: true }
}

const cardinality: ScalarFunction = (items) => {
  const value = items[0]
  if (items.length !== 1 || value === undefined) return undefined
  if (value.type.kind === 'array') return { sql: `CAST(len(${value.sql}) AS BIGINT)`, type: types.bigint, throws: value.throws }
  if (value.type.kind === 'map')
    return { sql: `CAST(cardinality(${value.sql}) AS BIGINT)`, type: types.bigint, throws: value.throws }
  return value.type.kind === 'unknown' ? { sql: 'CAST(NULL AS BIGINT)', type: types.bigint, throws: false } : undefined
}

/** Functions of arrays and maps alike. */
export const elementFunctions: Readonly<Record<string, ScalarFunction>> = {
  element_at: elementAt,
  cardinality,
}
