import { notSupportedLocally } from '../query-engine'
import { sortSql } from './analyze-call'
import { analyzeCondition, analyzeExpression } from './analyze-expression'
import { type AnalyzedRelation, analyzeRelation, type RelationContext } from './analyze-relation'
import { castNull } from './cast'
import type { AnalyzedQuery, ExpressionContext, Grouping, ResultColumn } from './context'
import { AnalysisError } from './failure'
import { aggregateFunctions, requireGroupable } from './function/aggregate'
import { notePruning } from './pruning'
import { createScope, type ScopeColumn, starName } from './scope'
import type { Expression, GroupingElement, QueryBody, SelectItem, SortItem } from './syntax/tree'
import type { Typed } from './value'

type SelectNode = Extract<QueryBody, { kind: 'select' }>

/** An analysed SELECT with the keys of its ORDER BY as further columns `s0`, `s1`, …, to be sorted by the caller. */
export interface AnalyzedSelect extends AnalyzedQuery {
  /** ORDER BY list over `c…` and `s…`, without the keywords. */
  readonly order: string | undefined
}

interface Output {
  readonly column: ResultColumn
  readonly value: Typed
}

/** Analyses SELECT … FROM … WHERE … GROUP BY … HAVING with the ORDER BY that belongs to it. */
export function analyzeSelect(node: SelectNode, orderBy: readonly SortItem[], context: RelationContext): AnalyzedSelect {
  const from: AnalyzedRelation =
    node.from === undefined ? { sql: '(SELECT 1) AS one', columns: [] } : analyzeRelation(node.from, context)
  const scope = createScope(from.columns, context.outer)
  const base: ExpressionContext = {
    session: context.session,
    scope,
    ctes: context.ctes,
    lambdas: new Map(),
    clause: 'WHERE clause',
    windows: false,
    free: [],
    analyzeQuery: context.analyzeQuery,
  }
  const where = node.where && analyzeCondition(node.where, base, 'WHERE')
  if (node.where !== undefined) notePruning(node.where, scope, context.session)
  const items = expandItems(node.items, from.columns)
  const grouped =
    node.groupBy !== undefined ||
    node.having !== undefined ||
    [...items.map((item) => item.value), ...orderBy.map((item) => item.value)].some(holdsAggregate)
  const source = ` FROM ${from.sql}${where === undefined ? '' : ` WHERE ${where.sql}`}`
  if (!grouped) {
    const level: ExpressionContext = { ...base, clause: 'SELECT', windows: true, free: [] }
    return finish(node, items, orderBy, level, source)
  }
  const keys = groupKeys(node, items, base)
  const collector = createGrouping(keys.expressions)
  const level: ExpressionContext = { ...base, clause: 'SELECT', windows: true, grouping: collector.grouping, free: [] }
  const having = node.having && analyzeCondition(node.having, { ...level, windows: false, clause: 'HAVING clause' }, 'HAVING')
  const outside = finish(node, items, orderBy, level, '')
  const uncovered = level.free[0]
  if (uncovered !== undefined) {
    throw new AnalysisError(
      'EXPRESSION_NOT_AGGREGATE',
      `'${uncovered.label ?? uncovered.name}' must be an aggregate expression or appear in GROUP BY clause`,
      node.at,
    )
  }
  // The grouping is computed in an inner SELECT; the outer one only names its columns.
  const inner = `SELECT ${collector.columns().join(', ')}${source}${keys.clause}`
  const group = ` FROM (${inner}) AS g${having === undefined ? '' : ` WHERE ${having.sql}`}`
  return { ...outside, sql: outside.sql.replace(sourceMark, () => group) }
}

const sourceMark = '/*source*/'

function finish(
  node: SelectNode,
  items: readonly Extract<SelectItem, { kind: 'expression' }>[],
  orderBy: readonly SortItem[],
  level: ExpressionContext,
  source: string,
): AnalyzedSelect {
  const outputs = items.map((item): Output => {
    const value = analyzeExpression(item.value, level)
    if (value.type.kind.startsWith('interval')) throw notSupportedLocally('an interval as a result')
    const label = item.alias?.text ?? nameOf(item.value)
    return { column: { name: label?.toLowerCase(), label, type: value.type }, value }
  })
  const { order, extra } = analyzeOrder(outputs, items, orderBy, level)
  if (node.distinct) {
    for (const output of outputs) requireGroupable(output.column.type, 'SELECT DISTINCT')
    if (extra.length > 0)
      throw new AnalysisError(
        'EXPRESSION_NOT_IN_DISTINCT',
        'For SELECT DISTINCT, ORDER BY expressions must appear in select list',
        node.at,
      )
  }
  const selected = [
    ...outputs.map((output, index) => `${castNull(output.value)} AS c${index}`),
    ...extra.map((sql, index) => `${sql} AS s${index}`),
  ]
  const sql = `SELECT ${node.distinct ? 'DISTINCT ' : ''}${selected.join(', ')}${level.grouping === undefined ? source : sourceMark}`
  return { sql, columns: outputs.map((output) => output.column), order }
}

function nameOf(node: Expression): string | undefined {
  // A column without a name, which `*` stands for, stays without one.
  if (node.kind === 'name' || node.kind === 'field') return node.name.text || undefined
  return undefined
}

// `*` and `t.*` become names that resolve to exactly those columns.
function expandItems(
  items: readonly SelectItem[],
  columns: readonly ScopeColumn[],
): Extract<SelectItem, { kind: 'expression' }>[] {
  return items.flatMap((item) => {
    if (item.kind === 'expression') return [item]
    const qualifier = item.of?.map((part) => part.text.toLowerCase())
    const chosen = columns.filter(
      (column) =>
        !column.hidden &&
        (qualifier === undefined ||
          (qualifier.length <= column.qualifier.length &&
            qualifier.every((part, index) => part === column.qualifier[column.qualifier.length - qualifier.length + index]))),
    )
    if (chosen.length === 0) {
      if (qualifier === undefined)
        throw new AnalysisError('COLUMN_NOT_FOUND', 'SELECT * not allowed from relation that has no columns', item.at)
      throw new AnalysisError(
        'TABLE_NOT_FOUND',
        `Unable to resolve reference ${item.of?.map((part) => part.text).join('.')}`,
        item.at,
      )
    }
    return chosen.map((column) => ({
      kind: 'expression' as const,
      value: starName(column, item.at),
      at: item.at,
      alias: column.label === undefined ? undefined : { text: column.label, at: item.at },
    }))
  })
}

interface Keys {
  readonly expressions: readonly Typed[]
  readonly clause: string
}

function groupKeys(
  node: SelectNode,
  items: readonly Extract<SelectItem, { kind: 'expression' }>[],
  base: ExpressionContext,
): Keys {
  const expressions: Typed[] = []
  const place = (expression: Expression): number => {
    const target = expression.kind === 'integer' ? ordinal(expression.value, items, expression.at) : expression
    const value = analyzeExpression(target, { ...base, clause: 'GROUP BY clause', free: [] })
    requireGroupable(value.type, 'GROUP BY')
    const known = expressions.findIndex((key) => key.sql === value.sql)
    if (known >= 0) return known
    expressions.push(value)
    return expressions.length - 1
  }
  const elements = node.groupBy?.elements ?? []
  if (node.groupBy?.distinct === true && elements.length > 1) throw notSupportedLocally('GROUP BY DISTINCT')
  // As one list of grouping sets: the product of the elements.
  let sets: number[][] = [[]]
  for (const element of elements) {
    const alternatives = setsOf(element, place)
    sets = sets.flatMap((set) => alternatives.map((alternative) => [...set, ...alternative]))
  }
  if (node.groupBy === undefined) return { expressions, clause: '' }
  const printed = sets.map((set) => `(${[...new Set(set)].map((index) => index + 1).join(', ')})`)
  if (printed.length === 1)
    return { expressions, clause: printed[0] === '()' ? ' GROUP BY ()' : ` GROUP BY ${(printed[0] as string).slice(1, -1)}` }
  return { expressions, clause: ` GROUP BY GROUPING SETS (${printed.join(', ')})` }
}

function ordinal(text: string, items: readonly Extract<SelectItem, { kind: 'expression' }>[], at: number): Expression {
  const item = items[Number(text) - 1]
  if (item === undefined)
    throw new AnalysisError('INVALID_COLUMN_REFERENCE', `GROUP BY position ${text} is not in select list`, at)
  if (holdsAggregate(item.value))
    throw new AnalysisError(
      'EXPRESSION_NOT_SCALAR',
      `GROUP BY clause cannot contain aggregations, window functions or grouping operations`,
      at,
    )
  return item.value
}

function setsOf(element: GroupingElement, place: (expression: Expression) => number): number[][] {
  if (element.kind === 'simple') return [element.items.map(place)]
  const parts = element.items.map((set) => set.map(place))
  if (element.kind === 'sets') return parts
  if (element.kind === 'rollup')
    return Array.from({ length: parts.length + 1 }, (_, index) => parts.slice(0, parts.length - index).flat())
  if (parts.length > 6) throw notSupportedLocally('CUBE of more than six items')
  return Array.from({ length: 2 ** parts.length }, (_, mask) =>
    parts.filter((_part, index) => (mask & (1 << index)) === 0).flat(),
  )
}

function createGrouping(keys: readonly Typed[]): { grouping: Grouping; columns(): string[] } {
  const byKey = new Map(keys.map((key, index) => [key.sql, `g.k${index}`]))
  const aggregates: string[] = []
  const add = (sql: string): string => {
    const known = aggregates.indexOf(sql)
    if (known >= 0) return `g.a${known}`
    aggregates.push(sql)
    return `g.a${aggregates.length - 1}`
  }
  return {
    grouping: {
      keys: byKey,
      complex: keys.some((key) => !/^r\d+\.c\d+$/.test(key.sql)),
      order: keys.map((key) => key.sql),
      aggregate: add,
      grouping: (indexes) => add(`GROUPING(${indexes.map((index) => (keys[index] as Typed).sql).join(', ')})`),
    },
    columns: () => {
      const all = [
        ...keys.map((key, index) => `${castNull(key)} AS k${index}`),
        ...aggregates.map((sql, index) => `${sql} AS a${index}`),
      ]
      return all.length === 0 ? ['1 AS nothing'] : all
    },
  }
}

/** Whether an aggregate (not one over a window) stands in it, outside of subqueries. */
export function holdsAggregate(node: Expression): boolean {
  let found = false
  const visit = (value: unknown, key: string): void => {
    if (found || value === null || typeof value !== 'object' || key === 'query') return
    if (Array.isArray(value)) {
      for (const item of value) visit(item, key)
      return
    }
    const inner = value as Partial<Extract<Expression, { kind: 'call' }>>
    if (
      inner.kind === 'call' &&
      inner.over === undefined &&
      inner.name !== undefined &&
      (aggregateFunctions.has(inner.name) || inner.name === 'grouping')
    ) {
      found = true
      return
    }
    for (const [name, child] of Object.entries(value)) visit(child, name)
  }
  visit(node, '')
  return found
}

// ORDER BY names an output column, its place, or any expression of the level below.
function analyzeOrder(
  outputs: readonly Output[],
  items: readonly Extract<SelectItem, { kind: 'expression' }>[],
  orderBy: readonly SortItem[],
  level: ExpressionContext,
): { order: string | undefined; extra: string[] } {
  if (orderBy.length === 0) return { order: undefined, extra: [] }
  const extra: string[] = []
  const aliases = new Map<string, number[]>()
  items.forEach((item, index) => {
    const name = (item.alias?.text ?? nameOf(item.value))?.toLowerCase()
    if (name !== undefined) aliases.set(name, [...(aliases.get(name) ?? []), index])
  })
  const terms = orderBy.map((item) => {
    // Trino takes it only beside keys that are no output columns.
    if (item.value.kind === 'call' && item.value.name === 'grouping') throw notSupportedLocally('grouping() in ORDER BY')
    const output = outputOf(item.value, outputs, aliases)
    if (output !== undefined) {
      const value = (outputs[output] as Output).value
      return sortSql([item], level, () => ({ ...value, sql: `c${output}` }), 'ORDER BY')
    }
    if (namesOutput(item.value, items)) throw notSupportedLocally('an output column inside an expression of ORDER BY')
    const value = analyzeExpression(item.value, level)
    const same = outputs.findIndex((candidate) => candidate.value.sql === value.sql)
    if (same >= 0) return sortSql([item], level, () => ({ ...value, sql: `c${same}` }), 'ORDER BY')
    extra.push(castNull(value))
    return sortSql([item], level, () => ({ ...value, sql: `s${extra.length - 1}` }), 'ORDER BY')
  })
  return { order: terms.join(', '), extra }
}

// Trino reads a name inside such an expression as the output column; that differs from the column only where an alias renames something.
function namesOutput(node: Expression, items: readonly Extract<SelectItem, { kind: 'expression' }>[]): boolean {
  const aliased = items.filter(
    ({ alias, value }) => alias !== undefined && nameOf(value)?.toLowerCase() !== alias.text.toLowerCase(),
  )
  const names = new Set(aliased.map(({ alias }) => alias?.text.toLowerCase()))
  const visit = (value: unknown): boolean => {
    if (value === null || typeof value !== 'object') return false
    if (Array.isArray(value)) return value.some(visit)
    const inner = value as Expression
    if (inner.kind === 'name') return names.has(inner.name.text.toLowerCase())
    return Object.values(inner).some(visit)
  }
  return visit(node)
}

function outputOf(
  node: Expression,
  outputs: readonly Output[],
  aliases: ReadonlyMap<string, readonly number[]>,
): number | undefined {
  if (node.kind === 'integer') {
    const index = Number(node.value) - 1
    if (outputs[index] === undefined)
      throw new AnalysisError('INVALID_COLUMN_REFERENCE', `ORDER BY position ${node.value} is not in select list`, node.at)
    return index
  }
  if (node.kind !== 'name') return undefined
  const found = aliases.get(node.name.text.toLowerCase())
  if (found === undefined) return undefined
  const first = found[0] as number
  const distinctValues = new Set(found.map((index) => (outputs[index] as Output).value.sql))
  if (distinctValues.size > 1) throw new AnalysisError('AMBIGUOUS_NAME', `Column '${node.name.text}' is ambiguous`, node.at)
  return first
}
