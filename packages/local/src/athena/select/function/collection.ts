import { notSupportedLocally } from '../../query-engine'
import { castNull, convert } from '../cast'
import { typeMismatch } from '../failure'
import { arrayOf, commonType, duckType, mapOf, type TrinoType, types, typeText } from '../trino-type'
import { raise, type Typed } from '../value'
import type { ScalarFunction } from './signature'

let lambdaCount = 0
const fresh = (): string => `item_${lambdaCount++}`

/** Types whose values DuckDB finds in a list as Trino does: equality without NULLs inside and without zones. */
function plain(type: TrinoType, name: string): void {
  if (['array', 'map', 'row', 'timestamptz', 'double', 'real'].includes(type.kind))
    throw notSupportedLocally(`${name}() of array(${typeText(type)})`)
}

function elementOf(item: Typed | undefined): TrinoType | undefined {
  return item?.type.kind === 'array' ? item.type.element : undefined
}

// Two arrays, or an array and an element, brought to one element type.
function withElement(items: readonly Typed[]): { array: Typed; value: Typed; element: TrinoType } | undefined {
  const [array, value] = items
  const element = elementOf(array)
  if (items.length !== 2 || array === undefined || value === undefined || element === undefined) return undefined
  const common = commonType(element, value.type)
  const convertedArray = common && convert(array, arrayOf(common))
  const convertedValue = common && convert(value, common)
  return common && convertedArray && convertedValue
    ? { array: convertedArray, value: convertedValue, element: common }
    : undefined
}

function twoArrays(items: readonly Typed[], name: string): { left: Typed; right: Typed; element: TrinoType } | undefined {
  const [left, right] = items
  if (items.length !== 2 || left === undefined || right === undefined) return undefined
  const common = commonType(left.type, right.type)
  if (common?.kind !== 'array') return undefined
  plain(common.element, name)
  return { left: convert(left, common) as Typed, right: convert(right, common) as Typed, element: common.element }
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

// NULL when the value is not found but a NULL stands in the array.
const contains: ScalarFunction = (items) => {
  const found = withElement(items)
  if (found === undefined) return undefined
  plain(found.element, 'contains')
  const { array, value } = found
  const sql = `(CASE WHEN (${array.sql}) IS NULL OR (${value.sql}) IS NULL THEN NULL WHEN list_contains(${array.sql}, ${value.sql}) THEN TRUE WHEN len(list_filter(${array.sql}, lambda c: c IS NULL)) > 0 THEN NULL ELSE FALSE END)`
  return { sql, type: types.boolean, throws: array.throws || value.throws }
}

const arrayPosition: ScalarFunction = (items) => {
  const found = withElement(items)
  if (found === undefined) return undefined
  plain(found.element, 'array_position')
  const { array, value } = found
  const sql = `(CASE WHEN (${array.sql}) IS NULL OR (${value.sql}) IS NULL THEN NULL ELSE CAST(coalesce(list_position(${array.sql}, ${value.sql}), 0) AS BIGINT) END)`
  return { sql, type: types.bigint, throws: array.throws || value.throws }
}

const arrayRemove: ScalarFunction = (items) => {
  const found = withElement(items)
  if (found === undefined) return undefined
  plain(found.element, 'array_remove')
  const name = fresh()
  const { array, value } = found
  // A NULL element is kept; a NULL to remove gives NULL.
  const sql = `(CASE WHEN (${value.sql}) IS NULL THEN NULL ELSE list_filter(${array.sql}, lambda ${name}: ${name} IS DISTINCT FROM ${value.sql}) END)`
  return { sql, type: array.type, throws: array.throws || value.throws }
}

// Elements of `array` in their order, without repetitions; NULL counts as one value.
function distinctSql(array: string): string {
  const [name, index] = [fresh(), fresh()]
  return `list_filter(${array}, lambda ${name}, ${index}: len(list_filter(list_slice(${array}, 1, ${index} - 1), lambda d: d IS NOT DISTINCT FROM ${name})) = 0)`
}

const arrayDistinct: ScalarFunction = (items) => {
  const array = items[0]
  const element = elementOf(array)
  if (items.length !== 1 || array === undefined || element === undefined) return undefined
  plain(element, 'array_distinct')
  return { sql: distinctSql(array.sql), type: array.type, throws: array.throws }
}

function setOperation(name: string, print: (left: string, right: string) => string): ScalarFunction {
  return (items) => {
    const pair = twoArrays(items, name)
    if (pair === undefined) return undefined
    const { left, right } = pair
    const sql = `(CASE WHEN (${left.sql}) IS NULL OR (${right.sql}) IS NULL THEN NULL ELSE ${print(left.sql, right.sql)} END)`
    return { sql, type: left.type, throws: left.throws || right.throws }
  }
}

function member(array: string, name: string): string {
  return `(len(list_filter(${array}, lambda m: m IS NOT DISTINCT FROM ${name})) > 0)`
}

const arraysOverlap: ScalarFunction = (items) => {
  const pair = twoArrays(items, 'arrays_overlap')
  if (pair === undefined) return undefined
  const { left, right } = pair
  const nulls = (sql: string): string => `len(list_filter(${sql}, lambda n: n IS NULL)) > 0`
  const sql = `(CASE WHEN (${left.sql}) IS NULL OR (${right.sql}) IS NULL THEN NULL WHEN list_has_any(list_filter(${left.sql}, lambda n: n IS NOT NULL), list_filter(${right.sql}, lambda n: n IS NOT NULL)) THEN TRUE WHEN ((${nulls(left.sql)}) AND len(${right.sql}) > 0) OR ((${nulls(right.sql)}) AND len(${left.sql}) > 0) THEN NULL ELSE FALSE END)`
  return { sql, type: types.boolean, throws: left.throws || right.throws }
}

// Ascending, NULLs last.
const arraySort: ScalarFunction = (items) => {
  const array = items[0]
  const element = elementOf(array)
  if (items.length !== 1 || array === undefined || element === undefined) return undefined
  if (element.kind !== 'double' && element.kind !== 'real') plain(element, 'array_sort')
  if (element.kind === 'json') return undefined
  return { sql: `list_sort(${array.sql}, 'ASC', 'NULLS LAST')`, type: array.type, throws: array.throws }
}

// A NULL element makes the result NULL; an empty array gives NULL.
const arrayExtreme =
  (name: 'max' | 'min'): ScalarFunction =>
  (items) => {
    const array = items[0]
    const element = elementOf(array)
    if (items.length !== 1 || array === undefined || element === undefined) return undefined
    plain(element, `array_${name}`)
    const sql = `(CASE WHEN len(list_filter(${array.sql}, lambda n: n IS NULL)) > 0 THEN NULL ELSE list_${name}(${array.sql}) END)`
    return { sql, type: element, throws: array.throws }
  }

const arrayJoin: ScalarFunction = (items) => {
  const [array, by, instead] = items
  const element = elementOf(array)
  const delimiter = by && convert(by, types.varchar)
  const replacement = instead && convert(instead, types.varchar)
  if (
    items.length < 2 ||
    items.length > 3 ||
    array === undefined ||
    element === undefined ||
    delimiter === undefined ||
    (instead && !replacement)
  )
    return undefined
  if (['array', 'map', 'row', 'timestamptz', 'json', 'varbinary'].includes(element.kind))
    throw notSupportedLocally(`array_join() of array(${typeText(element)})`)
  const texts = convert(array, arrayOf(types.varchar))?.sql ?? castElements(array, element)
  const name = fresh()
  const kept =
    replacement === undefined
      ? `list_filter(${texts}, lambda ${name}: ${name} IS NOT NULL)`
      : `list_transform(${texts}, lambda ${name}: coalesce(${name}, ${replacement.sql}))`
  const nulls = [array.sql, delimiter.sql, ...(replacement ? [replacement.sql] : [])]
    .map((sql) => `(${sql}) IS NULL`)
    .join(' OR ')
  return {
    sql: `(CASE WHEN ${nulls} THEN NULL ELSE coalesce(array_to_string(${kept}, ${delimiter.sql}), '') END)`,
    type: types.varchar,
    throws: items.some((item) => item.throws),
  }

  function castElements(source: Typed, type: TrinoType): string {
    if (type.kind === 'double' || type.kind === 'real') throw notSupportedLocally(`array_join() of array(${typeText(type)})`)
    if (type.kind === 'timestamp' || type.kind === 'date') throw notSupportedLocally(`array_join() of array(${typeText(type)})`)
    return `CAST(${source.sql} AS VARCHAR[])`
  }
}

const slice: ScalarFunction = (items) => {
  const [array, start, size] = [
    items[0],
    items[1] && convert(items[1], types.bigint),
    items[2] && convert(items[2], types.bigint),
  ]
  if (items.length !== 3 || array?.type.kind !== 'array' || start === undefined || size === undefined) return undefined
  const duck = duckType(array.type)
  const first = `(CASE WHEN ${start.sql} > 0 THEN ${start.sql} ELSE len(${array.sql}) + ${start.sql} + 1 END)`
  const sql =
    `(CASE WHEN ${start.sql} = 0 THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1', duck)} ` +
    `WHEN ${size.sql} < 0 THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'length must be greater than or equal to 0', duck)} ` +
    `WHEN ${first} < 1 OR ${size.sql} = 0 THEN list_slice(${array.sql}, 1, 0) ELSE list_slice(${array.sql}, ${first}, ${first} + ${size.sql} - 1) END)`
  return { sql, type: array.type, throws: true }
}

const flatten: ScalarFunction = (items) => {
  const array = items[0]
  const element = elementOf(array)
  if (items.length !== 1 || array === undefined || element?.kind !== 'array') return undefined
  return { sql: `flatten(${array.sql})`, type: element, throws: array.throws }
}

const sequence: ScalarFunction = (items, site) => {
  const [from, to, step] = items
  if (from === undefined || to === undefined) return undefined
  if (from.type.kind === 'date' && to.type.kind === 'date') {
    const stepSql =
      step === undefined
        ? 'INTERVAL (1) DAY'
        : step.type.kind === 'interval-day' && step.literal === 'days'
          ? step.sql
          : undefined
    if (stepSql === undefined) throw notSupportedLocally('sequence() of dates with this step')
    return {
      sql: `list_transform(generate_series(CAST(${from.sql} AS TIMESTAMP), CAST(${to.sql} AS TIMESTAMP), ${stepSql}), lambda d: CAST(d AS DATE))`,
      type: arrayOf(types.date),
      throws: true,
    }
  }
  const [start, stop, by] = [convert(from, types.bigint), convert(to, types.bigint), step && convert(step, types.bigint)]
  if (start === undefined || stop === undefined || (step !== undefined && by === undefined)) {
    if ([from, to].some((item) => item.type.kind.startsWith('timestamp')))
      throw notSupportedLocally(`${site.name}() of timestamps`)
    return undefined
  }
  const duck = 'BIGINT[]'
  const stepSql = by?.sql ?? `(CASE WHEN ${start.sql} <= ${stop.sql} THEN CAST(1 AS BIGINT) ELSE CAST(-1 AS BIGINT) END)`
  const count = `((${stop.sql} - ${start.sql}) // ${stepSql} + 1)`
  const sql =
    `(CASE WHEN ${stepSql} = 0 THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'step must not be zero', duck)} ` +
    `WHEN (${stepSql} > 0 AND ${stop.sql} < ${start.sql}) OR (${stepSql} < 0 AND ${stop.sql} > ${start.sql}) THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start', duck)} ` +
    `WHEN ${count} > 10000 THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'result of sequence function must not have more than 10000 entries', duck)} ` +
    `ELSE CAST(generate_series(${start.sql}, ${stop.sql}, ${stepSql}) AS BIGINT[]) END)`
  return { sql, type: arrayOf(types.bigint), throws: true }
}

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

/** Array and map functions without lambdas. */
export const collectionFunctions: Readonly<Record<string, ScalarFunction>> = {
  element_at: elementAt,
  cardinality,
  contains,
  array_position: arrayPosition,
  array_remove: arrayRemove,
  array_distinct: arrayDistinct,
  array_sort: arraySort,
  array_max: arrayExtreme('max'),
  array_min: arrayExtreme('min'),
  array_join: arrayJoin,
  array_except: setOperation('array_except', (left, right) => {
    const name = fresh()
    return distinctSql(`list_filter(${left}, lambda ${name}: NOT ${member(right, name)})`)
  }),
  array_intersect: setOperation('array_intersect', (left, right) => {
    const name = fresh()
    return distinctSql(`list_filter(${left}, lambda ${name}: ${member(right, name)})`)
  }),
  array_union: setOperation('array_union', (left, right) => distinctSql(`list_concat(${left}, ${right})`)),
  arrays_overlap: arraysOverlap,
  slice,
  flatten,
  sequence,
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
