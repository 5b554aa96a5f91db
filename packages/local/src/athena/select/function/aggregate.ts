import { notSupportedLocally } from '../../query-engine'
import { convert } from '../cast'
import { isInteger } from '../coercion'
import { duckType } from '../duckdb-type'
import { arrayOf, mapOf, type TrinoType, types, typeText } from '../trino-type'
import type { Typed } from '../value'

/** A printed aggregate: the call with a place for what stands inside and behind its parentheses. */
export interface Aggregate {
  readonly type: TrinoType
  /** Finishes the SQL. `inside` = DISTINCT and ORDER BY around the arguments, `filter` = FILTER clause. */
  print(parts: AggregateParts): string
  readonly throws: boolean
}

export interface AggregateParts {
  /** `DISTINCT ` or nothing. */
  readonly distinct: string
  /** ` ORDER BY …` or nothing. */
  readonly orderBy: string
  /** Condition of FILTER. */
  readonly filter: string | undefined
  /** ` OVER (…)` or nothing. */
  readonly over: string
}

type AggregateFunction = (items: readonly Typed[], parts: { distinct: boolean; ordered: boolean }) => Aggregate | undefined

function filterSql(parts: AggregateParts, condition?: string): string {
  const terms = [parts.filter, condition].filter((term) => term !== undefined)
  return terms.length === 0 ? '' : ` FILTER (WHERE ${terms.map((term) => `(${term})`).join(' AND ')})`
}

function call(name: string, items: readonly string[], parts: AggregateParts, condition?: string): string {
  return `${name}(${parts.distinct}${items.join(', ')}${parts.orderBy})${filterSql(parts, condition)}${parts.over}`
}

/** Whether DuckDB finds equal values of a type where Trino does, so that DISTINCT and GROUP BY may stand on it. */
export function requireGroupable(type: TrinoType, where: string): void {
  switch (type.kind) {
    case 'map':
      throw notSupportedLocally(`${where} on ${typeText(type)}`)
    case 'timestamptz':
      if (type.zone === undefined)
        throw notSupportedLocally(`${where} on a timestamp with a time zone that varies (add AT TIME ZONE 'UTC')`)
      return
    case 'array':
      requireGroupable(type.element, where)
      return
    case 'row':
      for (const field of type.fields) requireGroupable(field.type, where)
      return
    default:
  }
}

/** Whether DuckDB orders values of a type as Trino does. */
export function requireOrderable(type: TrinoType, where: string): void {
  if (['array', 'map', 'row', 'json'].includes(type.kind)) throw notSupportedLocally(`${where} on ${typeText(type)}`)
}

const count: AggregateFunction = (items, { distinct }) => {
  if (items.length !== 1) return undefined
  const value = items[0] as Typed
  if (distinct) requireGroupable(value.type, 'count(DISTINCT …)')
  return { type: types.bigint, throws: value.throws, print: (parts) => call('count', [value.sql], parts) }
}

const sum: AggregateFunction = (items) => {
  const value = items[0]
  if (items.length !== 1 || value === undefined) return undefined
  const { type } = value
  if (isInteger(type))
    return { type: types.bigint, throws: true, print: (parts) => `CAST(${call('sum', [value.sql], parts)} AS BIGINT)` }
  if (type.kind === 'decimal') {
    const result: TrinoType = { kind: 'decimal', precision: 38, scale: type.scale }
    return { type: result, throws: true, print: (parts) => `CAST(${call('sum', [value.sql], parts)} AS ${duckType(result)})` }
  }
  if (type.kind === 'double') return { type, throws: value.throws, print: (parts) => call('sum', [value.sql], parts) }
  if (type.kind === 'real')
    return {
      type,
      throws: value.throws,
      print: (parts) => `CAST(${call('sum', [`CAST(${value.sql} AS DOUBLE)`], parts)} AS FLOAT)`,
    }
  return undefined
}

const avg: AggregateFunction = (items) => {
  const value = items[0]
  if (items.length !== 1 || value === undefined) return undefined
  const { type } = value
  if (isInteger(type) || type.kind === 'double') {
    // The sum is a double already while it is built, as Trino's is.
    return { type: types.double, throws: value.throws, print: (parts) => call('avg', [`CAST(${value.sql} AS DOUBLE)`], parts) }
  }
  if (type.kind === 'real')
    return {
      type,
      throws: value.throws,
      print: (parts) => `CAST(${call('avg', [`CAST(${value.sql} AS DOUBLE)`], parts)} AS FLOAT)`,
    }
  if (type.kind === 'decimal') {
    return {
      type,
      throws: true,
      print: (parts) => {
        const total = call('sum', [value.sql], parts)
        const rows = call('count', [value.sql], parts)
        return `CAST(t_decimal_divide(CAST(${total} AS VARCHAR), nullif(CAST(${rows} AS VARCHAR), '0'), 0, ${type.scale}) AS ${duckType(type)})`
      },
    }
  }
  return undefined
}

const extreme =
  (name: 'min' | 'max'): AggregateFunction =>
  (items) => {
    const value = items[0]
    if (items.length === 2) throw notSupportedLocally(`${name}(x, n)`)
    if (items.length !== 1 || value === undefined) return undefined
    requireOrderable(value.type, `${name}()`)
    if (value.type.kind === 'double' || value.type.kind === 'real') {
      // NaN: the versions of Trino differ in what wins, so a NaN in the data is refused.
      return { type: value.type, throws: true, print: (parts) => call(name, [noNaN(value, `${name}()`)], parts) }
    }
    return { type: value.type, throws: value.throws, print: (parts) => call(name, [value.sql], parts) }
  }

function noNaN(value: Typed, where: string): string {
  return `(CASE WHEN isnan(${value.sql}) THEN CAST(t_raise('NOT_SUPPORTED_LOCALLY', '${where} over NaN') AS ${duckType(value.type)}) ELSE ${value.sql} END)`
}

// The value at the greatest or least key; rows whose key is NULL do not count, but a NULL value may win.
const extremeBy =
  (direction: 'max' | 'min'): AggregateFunction =>
  (items, { distinct }) => {
    const [value, key, limit] = items
    if (value === undefined || key === undefined || items.length > 3) return undefined
    if (distinct) throw notSupportedLocally(`${direction}_by(DISTINCT …)`)
    requireOrderable(key.type, `${direction}_by()`)
    const keySql = key.type.kind === 'double' || key.type.kind === 'real' ? noNaN(key, `${direction}_by()`) : key.sql
    const throws = items.some((item) => item.throws)
    if (limit !== undefined) {
      if (typeof limit.literal !== 'bigint' || limit.literal <= 0n)
        throw notSupportedLocally(`${direction}_by(x, y, n) where n is not a positive literal`)
      const order = direction === 'max' ? 'DESC' : 'ASC'
      return {
        type: arrayOf(value.type),
        throws,
        print: (parts) => {
          if (parts.over !== '' || parts.orderBy !== '')
            throw notSupportedLocally(`${direction}_by(x, y, n) with ORDER BY or OVER`)
          return `list_slice(list(${value.sql} ORDER BY ${keySql} ${order})${filterSql(parts, `${key.sql} IS NOT NULL`)}, 1, ${limit.literal})`
        },
      }
    }
    return {
      type: value.type,
      throws,
      print: (parts) => call(direction === 'max' ? 'arg_max_null' : 'arg_min_null', [value.sql, keySql], parts),
    }
  }

const arrayAgg: AggregateFunction = (items, { distinct }) => {
  const value = items[0]
  if (items.length !== 1 || value === undefined) return undefined
  if (distinct) requireGroupable(value.type, 'array_agg(DISTINCT …)')
  return { type: arrayOf(value.type), throws: value.throws, print: (parts) => call('list', [value.sql], parts) }
}

const arbitrary: AggregateFunction = (items) => {
  const value = items[0]
  if (items.length !== 1 || value === undefined) return undefined
  return { type: value.type, throws: value.throws, print: (parts) => call('any_value', [value.sql], parts) }
}

const boolean =
  (name: string): AggregateFunction =>
  (items) => {
    const value = items[0] && convert(items[0], types.boolean)
    if (items.length !== 1 || value === undefined) return undefined
    return { type: types.boolean, throws: value.throws, print: (parts) => call(name, [value.sql], parts) }
  }

const countIf: AggregateFunction = (items) => {
  const value = items[0] && convert(items[0], types.boolean)
  if (items.length !== 1 || value === undefined) return undefined
  return {
    type: types.bigint,
    throws: value.throws,
    print: (parts) => {
      if (parts.distinct !== '') throw notSupportedLocally('count_if(DISTINCT …)')
      return `count(*)${filterSql(parts, value.sql)}${parts.over}`
    },
  }
}

const listagg: AggregateFunction = (items, { ordered }) => {
  const value = items[0] && convert(items[0], types.varchar)
  const separator = items[1]
  if (items.length > 2 || value === undefined) return undefined
  if (!ordered) throw notSupportedLocally('listagg() without WITHIN GROUP')
  if (separator !== undefined && typeof separator.literal !== 'string')
    throw notSupportedLocally('listagg() with a separator that is not a literal')
  return {
    type: types.varchar,
    throws: value.throws,
    print: (parts) => call('string_agg', [value.sql, separator?.sql ?? `''`], parts),
  }
}

// Keys in no order; of one key an arbitrary value. Only when keys cannot repeat is that the same everywhere, so DuckDB's check decides.
const mapAgg: AggregateFunction = (items) => {
  const [key, value] = items
  if (items.length !== 2 || key === undefined || value === undefined) return undefined
  requireGroupable(key.type, 'map_agg()')
  return {
    type: mapOf(key.type, value.type),
    throws: true,
    print: (parts) => {
      if (parts.over !== '' || parts.distinct !== '') throw notSupportedLocally('map_agg() with DISTINCT or OVER')
      const keys = `list(${key.sql}${parts.orderBy})${filterSql(parts, `${key.sql} IS NOT NULL`)}`
      const values = `list(${value.sql}${parts.orderBy})${filterSql(parts, `${key.sql} IS NOT NULL`)}`
      const repeated = `CAST(t_raise('NOT_SUPPORTED_LOCALLY', 'map_agg() over repeated keys') AS ${duckType(mapOf(key.type, value.type))})`
      return `(CASE WHEN ${keys} IS NULL THEN NULL WHEN len(list_distinct(${keys})) <> len(${keys}) THEN ${repeated} ELSE map(${keys}, ${values}) END)`
    },
  }
}

const histogram: AggregateFunction = (items) => {
  const value = items[0]
  if (items.length !== 1 || value === undefined) return undefined
  if (!['varchar', 'integer', 'bigint', 'boolean', 'date'].includes(value.type.kind))
    throw notSupportedLocally(`histogram() of ${typeText(value.type)}`)
  return {
    type: mapOf(value.type, types.bigint),
    throws: value.throws,
    print: (parts) => {
      if (parts.over !== '' || parts.distinct !== '') throw notSupportedLocally('histogram() with DISTINCT or OVER')
      const map = call('histogram', [value.sql], { ...parts, orderBy: '' })
      return `CAST(${map} AS MAP(${duckType(value.type)}, BIGINT))`
    },
  }
}

/** The allow-list of aggregates. Approximate ones and checksum() have no known exact result and are refused. */
export const aggregateFunctions: ReadonlyMap<string, AggregateFunction> = new Map(
  Object.entries({
    count,
    count_if: countIf,
    sum,
    avg,
    min: extreme('min'),
    max: extreme('max'),
    min_by: extremeBy('min'),
    max_by: extremeBy('max'),
    array_agg: arrayAgg,
    arbitrary,
    any_value: arbitrary,
    bool_and: boolean('bool_and'),
    bool_or: boolean('bool_or'),
    every: boolean('bool_and'),
    listagg,
    map_agg: mapAgg,
    histogram,
  }),
)

/** Aggregates of Trino that are refused by name wherever they stand. */
export const refusedAggregates: ReadonlySet<string> = new Set(
  (
    'approx_distinct approx_percentile approx_most_frequent approx_set checksum geometric_mean bitwise_and_agg bitwise_or_agg bitwise_xor_agg multimap_agg ' +
    'map_union numeric_histogram corr covar_pop covar_samp kurtosis regr_intercept regr_slope skewness stddev stddev_pop stddev_samp variance var_pop ' +
    'var_samp reduce_agg merge tdigest_agg qdigest_agg set_agg set_union'
  ).split(' '),
)
