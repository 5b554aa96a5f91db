import { notSupportedLocally } from '../../query-engine'
import { convert } from '../cast'
import { type TrinoType, types } from '../trino-type'
import type { Typed } from '../value'

/** A window function: its type and the call before OVER. */
export interface WindowCall {
  readonly type: TrinoType
  readonly sql: (nulls: string) => string
}

type WindowFunction = (items: readonly Typed[]) => WindowCall | undefined

const ranking =
  (sql: string, type: TrinoType): WindowFunction =>
  (items) =>
    items.length === 0 ? { type, sql: () => sql } : undefined

const ntile: WindowFunction = (items) => {
  const buckets = items[0]
  if (items.length !== 1 || typeof buckets?.literal !== 'bigint' || buckets.literal <= 0n) {
    throw notSupportedLocally('ntile() of what is not a positive literal')
  }
  return { type: types.bigint, sql: () => `ntile(${buckets.literal})` }
}

const shifted =
  (name: 'lag' | 'lead'): WindowFunction =>
  (items) => {
    const [value, offset, otherwise] = items
    if (value === undefined || items.length > 3) return undefined
    if (offset !== undefined && (typeof offset.literal !== 'bigint' || offset.literal < 0n))
      throw notSupportedLocally(`${name}() with an offset that is not a literal ≥ 0`)
    const fallback = otherwise && convert(otherwise, value.type)
    if (otherwise !== undefined && fallback === undefined) return undefined
    const rest = [offset?.sql ?? '1', ...(fallback ? [fallback.sql] : [])]
    return { type: value.type, sql: (nulls) => `${name}(${[value.sql, ...rest].join(', ')}${nulls})` }
  }

const framed =
  (name: 'first_value' | 'last_value'): WindowFunction =>
  (items) => {
    const value = items[0]
    return items.length === 1 && value !== undefined
      ? { type: value.type, sql: (nulls) => `${name}(${value.sql}${nulls})` }
      : undefined
  }

const nthValue: WindowFunction = (items) => {
  const [value, offset] = items
  if (items.length !== 2 || value === undefined || offset === undefined) return undefined
  if (typeof offset.literal !== 'bigint' || offset.literal <= 0n)
    throw notSupportedLocally('nth_value() with an offset that is not a positive literal')
  return { type: value.type, sql: (nulls) => `nth_value(${value.sql}, ${offset.literal}${nulls})` }
}

/** The allow-list of pure window functions. */
export const windowFunctions: ReadonlyMap<string, WindowFunction> = new Map(
  Object.entries({
    row_number: ranking('row_number()', types.bigint),
    rank: ranking('rank()', types.bigint),
    dense_rank: ranking('dense_rank()', types.bigint),
    percent_rank: ranking('percent_rank()', types.double),
    cume_dist: ranking('cume_dist()', types.double),
    ntile,
    lag: shifted('lag'),
    lead: shifted('lead'),
    first_value: framed('first_value'),
    last_value: framed('last_value'),
    nth_value: nthValue,
  }),
)
