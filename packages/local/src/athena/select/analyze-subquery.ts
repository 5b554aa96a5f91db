import { notSupportedLocally } from '../query-engine'
import { convert } from './cast'
import { commonType } from './coercion'
import type { ExpressionContext } from './context'
import { typeMismatch } from './failure'
import type { Expression } from './syntax/tree'
import { types, typeText } from './trino-type'
import type { Typed } from './value'

/** EXISTS (SELECT …). */
export function existsSubquery(node: Extract<Expression, { kind: 'exists' }>, context: ExpressionContext): Typed {
  const query = subquery(node.query, context)
  return { sql: `(EXISTS (${query.sql}))`, type: types.boolean, throws: true }
}

/** A query of one column and one row as a value. */
export function scalarSubquery(node: Extract<Expression, { kind: 'scalar-query' }>, context: ExpressionContext): Typed {
  const query = subquery(node.query, context)
  const column = query.columns[0]
  if (column === undefined || query.columns.length !== 1) throw notSupportedLocally('a scalar subquery of several columns')
  return { sql: `(${query.sql})`, type: column.type, throws: true }
}

/** value [NOT] IN (SELECT …). */
export function inSubquery(node: Extract<Expression, { kind: 'in-query' }>, value: Typed, context: ExpressionContext): Typed {
  const query = subquery(node.query, context)
  const column = query.columns[0]
  if (column === undefined || query.columns.length !== 1) throw notSupportedLocally('IN (subquery) of several columns')
  const common = commonType(value.type, column.type)
  if (common === undefined)
    throw typeMismatch(
      `Value expression and result of subquery must be of the same type: ${typeText(value.type)} vs ${typeText(column.type)}`,
      node.at,
    )
  if (['array', 'map', 'row', 'json', 'timestamptz', 'double', 'real'].includes(common.kind))
    throw notSupportedLocally(`IN (subquery) over ${typeText(common)}`)
  const left = convert(value, common) as Typed
  const right = convert({ sql: 'q.c0', type: column.type, throws: false }, common) as Typed
  const sql = `((${left.sql}) ${node.negated ? 'NOT ' : ''}IN (SELECT ${right.sql} FROM (${query.sql}) AS q))`
  return { sql, type: types.boolean, throws: true }
}

function subquery(
  query: Parameters<ExpressionContext['analyzeQuery']>[0],
  context: ExpressionContext,
): ReturnType<ExpressionContext['analyzeQuery']> {
  if (context.lambdas.size > 0) throw notSupportedLocally('a subquery inside a lambda')
  // The scope is copied so that correlation of this subquery alone is seen.
  const scope = { columns: context.scope.columns, parent: context.scope.parent, correlated: false }
  const correlation = { used: false }
  const watched = {
    ...scope,
    columns: scope.columns.map((column) => ({
      ...column,
      get sql() {
        correlation.used = true
        return column.sql
      },
    })),
  }
  const result = context.analyzeQuery(query, watched, context.ctes)
  if (correlation.used) {
    if (context.grouping !== undefined) throw notSupportedLocally('a correlated subquery in a grouped query')
    if (query.limit !== undefined || query.offset !== undefined) throw notSupportedLocally('LIMIT in a correlated subquery')
  }
  return result
}
