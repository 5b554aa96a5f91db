import { notSupportedLocally } from '../../query-engine'
import { castNull, convert } from '../cast'
import { commonType } from '../coercion'
import { duckType } from '../duckdb-type'
import { typeMismatch } from '../failure'
import type { Expression } from '../syntax/tree'
import { arrayOf, mapOf, type TrinoType, types, typeText } from '../trino-type'
import { raise, type Typed } from '../value'

type LambdaNode = Extract<Expression, { kind: 'lambda' }>

/** What a function with lambdas is given: its arguments as nodes, and ways to type them. */
export interface LambdaSite {
  readonly name: string
  readonly at: number
  readonly nodes: readonly Expression[]
  value(node: Expression): Typed
  /** Types the body with the parameters bound to these DuckDB names and types. */
  body(node: LambdaNode, parameters: readonly Typed[]): Typed
}

let lambdaCount = 0

function lambdaAt(site: LambdaSite, index: number, parameters: number): LambdaNode {
  const node = site.nodes[index]
  if (node?.kind !== 'lambda' || node.parameters.length !== parameters) {
    throw typeMismatch(
      `Unexpected parameters for function ${site.name}: a lambda of ${parameters} parameter(s) is expected`,
      site.at,
    )
  }
  return node
}

function parameter(type: TrinoType, prefix = 'x'): Typed {
  return { sql: `${prefix}_${lambdaCount++}`, type, throws: false }
}

function arrayArgument(site: LambdaSite, index = 0): Typed & { readonly type: Extract<TrinoType, { kind: 'array' }> } {
  const value = site.value(site.nodes[index] as Expression)
  if (value.type.kind !== 'array')
    throw typeMismatch(`Unexpected parameters (${typeText(value.type)}) for function ${site.name}`, site.at)
  return value as Typed & { readonly type: Extract<TrinoType, { kind: 'array' }> }
}

function mapArgument(site: LambdaSite): Typed & { readonly type: Extract<TrinoType, { kind: 'map' }> } {
  const value = site.value(site.nodes[0] as Expression)
  if (value.type.kind !== 'map')
    throw typeMismatch(`Unexpected parameters (${typeText(value.type)}) for function ${site.name}`, site.at)
  return value as Typed & { readonly type: Extract<TrinoType, { kind: 'map' }> }
}

function condition(body: Typed, site: LambdaSite): string {
  const converted = convert(body, types.boolean)
  if (converted === undefined)
    throw typeMismatch(`Lambda of ${site.name} must give a boolean, not ${typeText(body.type)}`, site.at)
  return converted.sql
}

function transform(site: LambdaSite): Typed {
  const array = arrayArgument(site)
  const item = parameter(array.type.element)
  const body = site.body(lambdaAt(site, 1, 1), [item])
  return {
    sql: `list_transform(${array.sql}, lambda ${item.sql}: ${castNull(body)})`,
    type: arrayOf(body.type),
    throws: array.throws || body.throws,
  }
}

function filter(site: LambdaSite): Typed {
  const array = arrayArgument(site)
  const item = parameter(array.type.element)
  const body = site.body(lambdaAt(site, 1, 1), [item])
  return {
    sql: `list_filter(${array.sql}, lambda ${item.sql}: coalesce(${condition(body, site)}, FALSE))`,
    type: array.type,
    throws: array.throws || body.throws,
  }
}

// any_match: TRUE if one is true, else NULL if one is NULL, else FALSE.
function match(site: LambdaSite): Typed {
  const array = arrayArgument(site)
  const item = parameter(array.type.element)
  const body = site.body(lambdaAt(site, 1, 1), [item])
  const results = `list_transform(${array.sql}, lambda ${item.sql}: ${condition(body, site)})`
  const has = (test: string): string => `len(list_filter(${results}, lambda r: ${test})) > 0`
  const [decisive, decided, otherwise] =
    site.name === 'any_match'
      ? ['r', 'TRUE', 'FALSE']
      : site.name === 'all_match'
        ? ['NOT r', 'FALSE', 'TRUE']
        : ['r', 'FALSE', 'TRUE']
  const sql = `(CASE WHEN (${array.sql}) IS NULL THEN NULL WHEN ${has(`coalesce(${decisive}, FALSE)`)} THEN ${decided} WHEN ${has('r IS NULL')} THEN NULL ELSE ${otherwise} END)`
  return { sql, type: types.boolean, throws: array.throws || body.throws }
}

function reduce(site: LambdaSite): Typed {
  const array = arrayArgument(site)
  const start = site.value(site.nodes[1] as Expression)
  const item = parameter(array.type.element)
  const first = parameter(start.type, 's')
  const trial = site.body(lambdaAt(site, 2, 2), [first, item])
  const stateType = commonType(start.type, trial.type)
  if (stateType === undefined) throw typeMismatch(`Unexpected parameters for function reduce`, site.at)
  if (typeText(stateType) !== typeText(start.type) || typeText(trial.type) !== typeText(stateType)) {
    // Trino asks for equal types as well; what it would convert here is not established.
    throw notSupportedLocally('reduce() whose state changes its type')
  }
  if (start.sql === 'NULL') throw notSupportedLocally('reduce() from NULL')
  // Elements must have the type of the state in DuckDB's list_reduce, so that each stands in a struct beside it.
  const duck = `STRUCT(s ${duckType(stateType)}, v ${duckType(array.type.element)})`
  const state = `red_${lambdaCount++}`
  const element = `red_${lambdaCount++}`
  const step = site.body(lambdaAt(site, 2, 2), [
    { sql: `struct_extract(${state}, 's')`, type: stateType, throws: false },
    { sql: `struct_extract(${element}, 'v')`, type: array.type.element, throws: false },
  ])
  const wrap = parameter(array.type.element)
  const list = `list_transform(${array.sql}, lambda ${wrap.sql}: CAST({'s': NULL, 'v': ${wrap.sql}} AS ${duck}))`
  const reduced = `struct_extract(list_reduce(${list}, lambda ${state}, ${element}: CAST({'s': ${castNull(step)}, 'v': NULL} AS ${duck}), CAST({'s': ${castNull(start)}, 'v': NULL} AS ${duck})), 's')`
  const finish = lambdaAt(site, 3, 1)
  const output = parameter(stateType, 'o')
  const final = site.body(finish, [output])
  const sql = `(CASE WHEN (${array.sql}) IS NULL THEN NULL ELSE list_extract(list_transform([${reduced}], lambda ${output.sql}: ${castNull(final)}), 1) END)`
  return { sql, type: final.type, throws: array.throws || start.throws || step.throws || final.throws }
}

function zipWith(site: LambdaSite): Typed {
  const [left, right] = [arrayArgument(site, 0), arrayArgument(site, 1)]
  const index = `i_${lambdaCount++}`
  const at = (array: Typed & { readonly type: { readonly kind: 'array'; readonly element: TrinoType } }): Typed => ({
    sql: `list_extract(${array.sql}, ${index})`,
    type: array.type.element,
    throws: false,
  })
  const body = site.body(lambdaAt(site, 2, 2), [at(left), at(right)])
  const sql = `(CASE WHEN (${left.sql}) IS NULL OR (${right.sql}) IS NULL THEN NULL ELSE list_transform(range(1, greatest(len(${left.sql}), len(${right.sql})) + 1), lambda ${index}: ${castNull(body)}) END)`
  return { sql, type: arrayOf(body.type), throws: left.throws || right.throws || body.throws }
}

function entry(map: Typed & { readonly type: Extract<TrinoType, { kind: 'map' }> }): { name: string; parameters: Typed[] } {
  const name = `e_${lambdaCount++}`
  return {
    name,
    parameters: [
      { sql: `struct_extract(${name}, 'key')`, type: map.type.key, throws: false },
      { sql: `struct_extract(${name}, 'value')`, type: map.type.value, throws: false },
    ],
  }
}

function mapFilter(site: LambdaSite): Typed {
  const map = mapArgument(site)
  const { name, parameters } = entry(map)
  const body = site.body(lambdaAt(site, 1, 2), parameters)
  return {
    sql: `map_from_entries(list_filter(map_entries(${map.sql}), lambda ${name}: coalesce(${condition(body, site)}, FALSE)))`,
    type: map.type,
    throws: map.throws || body.throws,
  }
}

function transformValues(site: LambdaSite): Typed {
  const map = mapArgument(site)
  const { name, parameters } = entry(map)
  const body = site.body(lambdaAt(site, 1, 2), parameters)
  const values = `list_transform(map_entries(${map.sql}), lambda ${name}: ${castNull(body)})`
  return {
    sql: `(CASE WHEN (${map.sql}) IS NULL THEN NULL ELSE map(map_keys(${map.sql}), ${values}) END)`,
    type: mapOf(map.type.key, body.type),
    throws: map.throws || body.throws,
  }
}

function transformKeys(site: LambdaSite): Typed {
  const map = mapArgument(site)
  const { name, parameters } = entry(map)
  const body = site.body(lambdaAt(site, 1, 2), parameters)
  if (['array', 'map', 'row', 'timestamptz', 'double', 'real'].includes(body.type.kind))
    throw notSupportedLocally(`transform_keys() to ${typeText(body.type)}`)
  const type = mapOf(body.type, map.type.value)
  const keys = `list_transform(map_entries(${map.sql}), lambda ${name}: ${castNull(body)})`
  const bad = `len(list_distinct(${keys})) <> len(${keys})`
  const sql = `(CASE WHEN (${map.sql}) IS NULL THEN NULL WHEN ${bad} THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'Duplicate or null map keys', duckType(type))} ELSE map(${keys}, map_values(${map.sql})) END)`
  return { sql, type, throws: true }
}

/** The allow-list of functions that take a lambda. array_sort with a comparator has no form in DuckDB and is refused. */
export const lambdaFunctions: ReadonlyMap<string, (site: LambdaSite) => Typed> = new Map(
  Object.entries({
    transform,
    filter,
    any_match: match,
    all_match: match,
    none_match: match,
    reduce,
    zip_with: zipWith,
    map_filter: mapFilter,
    transform_values: transformValues,
    transform_keys: transformKeys,
  }),
)
