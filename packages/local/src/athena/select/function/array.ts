import { notSupportedLocally } from '../../query-engine'
import { convert } from '../cast'
import { commonType } from '../coercion'
import { duckType } from '../duckdb-type'
import { arrayOf, type TrinoType, types, typeText } from '../trino-type'
import { decimalTextSql, raise, type Typed } from '../value'
import { elementOf, plain } from './element'
import type { ScalarFunction } from './signature'

let lambdaCount = 0
const fresh = (): string => `item_${lambdaCount++}`

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
    if (type.kind === 'decimal') return `list_transform(${source.sql}, lambda d: ${decimalTextSql('d')})`
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

/** Array functions without lambdas. */
export const arrayFunctions: Readonly<Record<string, ScalarFunction>> = {
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
}
