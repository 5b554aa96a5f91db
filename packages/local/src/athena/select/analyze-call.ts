import { notSupportedLocally } from '../query-engine'
import { castNull, convert, instantSql } from './cast'
import { commonType } from './coercion'
import type { ExpressionContext } from './context'
import { AnalysisError, typeMismatch } from './failure'
import { type Aggregate, aggregateFunctions, refusedAggregates, requireGroupable, requireOrderable } from './function/aggregate'
import { scalarFunctions } from './function/allow-list'
import { lambdaFunctions } from './function/lambda'
import { windowFunctions } from './function/window'
import { currentTime } from './literal'
import type { Call, Expression, SortItem, WindowSpecification } from './syntax/tree'
import { type TrinoType, types, typeText } from './trino-type'
import { nullValue, type Typed } from './value'

type Analyze = (node: Expression, context: ExpressionContext) => Typed

/** Types a function call: a special form, an aggregate, a window function, a function with lambdas, or one of the allow-list. */
export function analyzeCall(node: Call, context: ExpressionContext, analyze: Analyze): Typed {
  const { name } = node
  const special = specialForms[name]
  if (special !== undefined) {
    plainOnly(node)
    return special(node, context, analyze)
  }
  if (refusedAggregates.has(name)) throw notSupportedLocally(`function ${name}()`)
  if (aggregateFunctions.has(name))
    return node.over === undefined ? analyzeAggregate(node, context, analyze) : analyzeWindow(node, context, analyze)
  if (windowFunctions.has(name)) {
    if (node.over === undefined)
      throw new AnalysisError('MISSING_OVER', `Window function ${name} requires an OVER clause`, node.at)
    return analyzeWindow(node, context, analyze)
  }
  if (name === 'grouping') return analyzeGrouping(node, context, analyze)
  plainOnly(node)
  const withLambda = lambdaFunctions.get(name)
  if (withLambda !== undefined && (name !== 'filter' || node.arguments[1]?.kind === 'lambda')) {
    return withLambda({
      name,
      at: node.at,
      nodes: node.arguments,
      value: (inner) => analyze(inner, context),
      body(lambda, parameters) {
        const lambdas = new Map(context.lambdas)
        lambda.parameters.forEach((parameter, index) => {
          lambdas.set(parameter, parameters[index] as Typed)
        })
        // Inside a lambda no aggregate may stand, but keys of the group may.
        return analyze(lambda.body, { ...context, lambdas, windows: false })
      },
    })
  }
  const scalar = scalarFunctions.get(name)
  if (scalar === undefined || node.arguments.some((item) => item.kind === 'lambda'))
    throw notSupportedLocally(`function ${name}()`)
  const items = node.arguments.map((item) => analyze(item, context))
  const result = scalar(items, { name, at: node.at })
  if (result !== undefined) return result
  if (furtherOverloads.has(name) || items.some((item) => item.type.kind === 'unknown'))
    throw notSupportedLocally(`${name}(${items.map((item) => typeText(item.type)).join(', ')})`)
  throw unexpectedParameters(name, items, node.at)
}

// Functions that Trino also has for arguments that are not known here (instances, varbinary, arrays).
const furtherOverloads = new Set([
  'strpos',
  'reverse',
  'substr',
  'substring',
  'lpad',
  'rpad',
  'concat',
  'contains',
  'round',
  'to_hex',
  'split',
  'from_unixtime',
  'abs',
  'sign',
])

function unexpectedParameters(name: string, items: readonly Typed[], at: number): AnalysisError {
  return new AnalysisError(
    'FUNCTION_NOT_FOUND',
    `Unexpected parameters (${items.map((item) => typeText(item.type)).join(', ')}) for function ${name}`,
    at,
  )
}

function plainOnly(node: Call): void {
  const clause =
    node.over !== undefined
      ? 'OVER'
      : node.filter !== undefined
        ? 'FILTER'
        : node.distinct
          ? 'DISTINCT'
          : node.orderBy.length > 0
            ? 'ORDER BY'
            : node.ignoreNulls
              ? 'IGNORE NULLS'
              : undefined
  if (clause !== undefined)
    throw new AnalysisError('FUNCTION_NOT_AGGREGATE', `${clause} is not allowed for the scalar function ${node.name}`, node.at)
  if (node.star) throw new AnalysisError('SYNTAX_ERROR', `* is not allowed as an argument of ${node.name}`, node.at)
}

type SpecialForm = (node: Call, context: ExpressionContext, analyze: Analyze) => Typed

const specialForms: Readonly<Record<string, SpecialForm>> = {
  now(node, context) {
    if (node.arguments.length > 0)
      throw new AnalysisError('FUNCTION_NOT_FOUND', 'Unexpected parameters for function now', node.at)
    return currentTime({ kind: 'now', name: 'current_timestamp', at: node.at }, context.session.now)
  },
  coalesce(node, context, analyze) {
    const items = node.arguments.map((item) => analyze(item, context))
    if (items.length < 2)
      throw new AnalysisError('SYNTAX_ERROR', 'The "coalesce" function must have at least two arguments', node.at)
    const type = items
      .map((item) => item.type)
      .reduce<TrinoType | undefined>((left, right) => left && commonType(left, right), types.unknown)
    if (type === undefined) throw typeMismatch('All COALESCE operands must be the same type', node.at)
    const converted = items.map((item) => castNull(convert(item, type) as Typed))
    return { sql: `coalesce(${converted.join(', ')})`, type, throws: items.some((item) => item.throws) }
  },
  nullif(node, context, analyze) {
    const [first, second] = node.arguments.map((item) => analyze(item, context))
    if (node.arguments.length !== 2 || first === undefined || second === undefined)
      throw new AnalysisError('SYNTAX_ERROR', 'Invalid number of arguments for nullif', node.at)
    const common = commonType(first.type, second.type)
    if (common === undefined)
      throw typeMismatch(`Types are not comparable with NULLIF: ${typeText(first.type)} vs ${typeText(second.type)}`, node.at)
    if (['array', 'map', 'row', 'timestamptz', 'double', 'real'].includes(common.kind))
      throw notSupportedLocally(`nullif() of ${typeText(common)}`)
    const [a, b] = [convert(first, common) as Typed, convert(second, common) as Typed]
    // The first argument keeps its own type.
    return {
      sql: `(CASE WHEN ${a.sql} = ${b.sql} THEN NULL ELSE ${castNull(first)} END)`,
      type: first.type,
      throws: first.throws || second.throws,
    }
  },
  if(node, context, analyze) {
    const [test, yes, no] = node.arguments.map((item) => analyze(item, context))
    const condition = test && convert(test, types.boolean)
    if (node.arguments.length < 2 || node.arguments.length > 3 || yes === undefined)
      throw new AnalysisError('SYNTAX_ERROR', 'Invalid number of arguments for if', node.at)
    if (condition === undefined) throw typeMismatch('IF condition must evaluate to a boolean', node.at)
    const otherwise = no ?? nullValue
    const type = commonType(yes.type, otherwise.type)
    if (type === undefined)
      throw typeMismatch(`All IF results must be the same type: ${typeText(yes.type)} vs ${typeText(otherwise.type)}`, node.at)
    const [a, b] = [convert(yes, type) as Typed, convert(otherwise, type) as Typed]
    return {
      sql: `(CASE WHEN ${condition.sql} THEN ${castNull(a)} ELSE ${castNull(b)} END)`,
      type,
      throws: condition.throws || a.throws || b.throws,
    }
  },
  try(node, context, analyze) {
    if (node.arguments.length !== 1)
      throw new AnalysisError('SYNTAX_ERROR', "The 'try' function must have exactly one argument", node.at)
    const value = analyze(node.arguments[0] as Expression, context)
    if (!value.throws) return value
    if (/\(SELECT /.test(value.sql)) throw notSupportedLocally('a subquery inside try()')
    return { sql: value.quiet ?? `TRY(${castNull(value)})`, type: value.type, throws: false }
  },
}

function sortItem(item: SortItem, value: Typed, where: string): string {
  requireOrderable(value.type, where)
  const sql = value.type.kind === 'timestamptz' ? instantSql(value) : castNull(value)
  // NULLs are last in both directions unless it is said otherwise.
  return `${sql} ${item.descending ? 'DESC' : 'ASC'} NULLS ${item.nullsFirst === true ? 'FIRST' : 'LAST'}`
}

/** ORDER BY items as DuckDB SQL, with Trino's place of NULLs. */
export function sortSql(items: readonly SortItem[], context: ExpressionContext, analyze: Analyze, where: string): string {
  return items.map((item) => sortItem(item, analyze(item.value, context), where)).join(', ')
}

// Aggregates that give the same whatever the order of their rows.
const orderFree = new Set(['count', 'count_if', 'sum', 'avg', 'min', 'max', 'bool_and', 'bool_or', 'every', 'histogram'])

function analyzeAggregateCall(
  node: Call,
  inner: ExpressionContext,
  analyze: Analyze,
): { aggregate: Aggregate; filter: string | undefined; orderBy: string } {
  const items = node.arguments.map((item) => analyze(item, inner))
  const filter = node.filter && convert(analyze(node.filter, inner), types.boolean)
  if (node.filter !== undefined && filter === undefined)
    throw typeMismatch('Filter expression must evaluate to a boolean', node.filter.at)
  if (node.star && node.name !== 'count') throw unexpectedParameters(node.name, [], node.at)
  if (node.ignoreNulls) throw notSupportedLocally(`${node.name} IGNORE NULLS`)
  const star = node.star || (node.name === 'count' && items.length === 0)
  const aggregate: Aggregate | undefined = star
    ? {
        type: types.bigint,
        throws: false,
        print: (parts) => `count(*)${parts.filter === undefined ? '' : ` FILTER (WHERE ${parts.filter})`}${parts.over}`,
      }
    : aggregateFunctions.get(node.name)?.(items, { distinct: node.distinct, ordered: node.orderBy.length > 0 })
  if (aggregate === undefined) throw unexpectedParameters(node.name, items, node.at)
  if (node.distinct) for (const item of items) requireGroupable(item.type, `${node.name}(DISTINCT …)`)
  const orderBy =
    node.orderBy.length === 0 || orderFree.has(node.name)
      ? ''
      : ` ORDER BY ${sortSql(node.orderBy, inner, analyze, 'ORDER BY in an aggregate')}`
  if (node.distinct && orderBy !== '') throw notSupportedLocally(`${node.name}(DISTINCT … ORDER BY …)`)
  return { aggregate, filter: filter?.sql, orderBy }
}

const argumentOf = 'Argument of '

function analyzeAggregate(node: Call, context: ExpressionContext, analyze: Analyze): Typed {
  const { grouping, clause } = context
  if (clause.startsWith(argumentOf)) {
    const outer = clause.slice(argumentOf.length)
    throw new AnalysisError(
      'NESTED_AGGREGATION',
      `Cannot nest aggregations inside aggregation '${outer}': [${node.name}]`,
      node.at,
    )
  }
  if (grouping === undefined || context.lambdas.size > 0) {
    throw new AnalysisError(
      'EXPRESSION_NOT_SCALAR',
      `${context.lambdas.size > 0 ? 'Lambda expression' : context.clause} cannot contain aggregations, window functions or grouping operations: [${node.name}]`,
      node.at,
    )
  }
  const inner: ExpressionContext = {
    ...context,
    grouping: undefined,
    windows: false,
    clause: `${argumentOf}${node.name}`,
    free: [],
  }
  const { aggregate, filter, orderBy } = analyzeAggregateCall(node, inner, analyze)
  const sql = aggregate.print({ distinct: node.distinct ? 'DISTINCT ' : '', orderBy, filter, over: '' })
  return { sql: grouping.aggregate(sql), type: aggregate.type, throws: false }
}

function analyzeWindow(node: Call, context: ExpressionContext, analyze: Analyze): Typed {
  if (!context.windows)
    throw new AnalysisError(
      'EXPRESSION_NOT_SCALAR',
      `${context.clause} cannot contain aggregations, window functions or grouping operations: [${node.name}]`,
      node.at,
    )
  const inner: ExpressionContext = { ...context, windows: false, clause: 'Window function' }
  const window = node.over as WindowSpecification
  const over = ` OVER (${windowSql(window, inner, analyze, node)})`
  if (node.distinct) throw notSupportedLocally('DISTINCT in a window function')
  const pure = windowFunctions.get(node.name)
  if (pure === undefined) {
    if (node.orderBy.length > 0) throw notSupportedLocally('ORDER BY in the arguments of a window function')
    // Arguments of an aggregate over a window are ordinary expressions of this level.
    const { aggregate, filter } = analyzeAggregateCall(node, inner, analyze)
    return { sql: `(${aggregate.print({ distinct: '', orderBy: '', filter, over })})`, type: aggregate.type, throws: true }
  }
  if (node.filter !== undefined) throw new AnalysisError('SYNTAX_ERROR', `FILTER is not allowed for ${node.name}`, node.at)
  const items = node.arguments.map((item) => analyze(item, inner))
  const call = pure(items)
  if (call === undefined) throw unexpectedParameters(node.name, items, node.at)
  return { sql: `(${call.sql(node.ignoreNulls ? ' IGNORE NULLS' : '')}${over})`, type: call.type, throws: true }
}

function windowSql(window: WindowSpecification, context: ExpressionContext, analyze: Analyze, node: Call): string {
  const partition = window.partitionBy.map((item) => {
    const value = analyze(item, context)
    requireGroupable(value.type, 'PARTITION BY')
    return castNull(value)
  })
  const order =
    window.orderBy.length === 0 ? '' : ` ORDER BY ${sortSql(window.orderBy, context, analyze, 'ORDER BY of a window')}`
  return `${partition.length === 0 ? '' : `PARTITION BY ${partition.join(', ')}`}${order}${frameSql(window, node)}`
}

function frameSql(window: WindowSpecification, node: Call): string {
  const { frame } = window
  if (frame === undefined) return ''
  if (frame.unit === 'groups') throw notSupportedLocally('a GROUPS frame')
  const bound = (item: NonNullable<typeof frame.end>): string => {
    if (item.value === undefined) return item.kind.toUpperCase()
    if (frame.unit === 'range') throw notSupportedLocally('a RANGE frame with an offset')
    if (item.value.kind !== 'integer') throw notSupportedLocally('a window frame whose offset is not an integer literal')
    return `${item.value.value} ${item.kind.toUpperCase()}`
  }
  if (
    windowFunctions.has(node.name) &&
    ['row_number', 'rank', 'dense_rank', 'ntile', 'lag', 'lead', 'percent_rank', 'cume_dist'].includes(node.name)
  ) {
    throw new AnalysisError('INVALID_WINDOW_FRAME', `Cannot specify window frame for ${node.name} function`, node.at)
  }
  return ` ${frame.unit.toUpperCase()} BETWEEN ${bound(frame.start)} AND ${frame.end === undefined ? 'CURRENT ROW' : bound(frame.end)}`
}

function analyzeGrouping(node: Call, context: ExpressionContext, analyze: Analyze): Typed {
  const { grouping } = context
  if (grouping === undefined)
    throw new AnalysisError(
      'EXPRESSION_NOT_SCALAR',
      'A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/ROLLUP/GROUP BY clause',
      node.at,
    )
  const indexes = node.arguments.map((item) => {
    const key = analyze(item, { ...context, grouping: undefined, free: [] })
    const index = grouping.order.indexOf(key.sql)
    if (index < 0)
      throw new AnalysisError(
        'INVALID_ARGUMENTS',
        'The arguments to GROUPING() must be expressions referenced by the GROUP BY',
        item.at,
      )
    return index
  })
  return {
    sql: `CAST(${grouping.grouping(indexes)} AS ${indexes.length < 32 ? 'INTEGER' : 'BIGINT'})`,
    type: indexes.length < 32 ? types.integer : types.bigint,
    throws: false,
  }
}
