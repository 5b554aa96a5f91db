import { notSupportedLocally } from '../query-engine'
import { sortSql } from './analyze-call'
import { analyzeExpression } from './analyze-expression'
import { analyzeRelation, type RelationContext } from './analyze-relation'
import { analyzeSelect } from './analyze-select'
import { castNull, convert } from './cast'
import { commonType } from './coercion'
import type { AnalyzedQuery, ExpressionContext, NamedQuery, ResultColumn, Session } from './context'
import { AnalysisError, typeMismatch } from './failure'
import { requireGroupable } from './function/aggregate'
import { inView } from './named-table'
import { createScope, type Scope, starName } from './scope'
import type { Expression, Query, QueryBody, SortItem } from './syntax/tree'
import { type TrinoType, types, typeText } from './trino-type'
import type { Typed } from './value'

/** Analyses a whole query: its WITH tables, its body, ORDER BY, OFFSET and LIMIT. */
export function analyzeQuery(
  query: Query,
  outer: Scope | undefined,
  ctes: readonly NamedQuery[],
  session: Session,
): AnalyzedQuery {
  const known = [...ctes]
  const definitions: string[] = []
  for (const table of query.with) {
    if (known.slice(ctes.length).some((other) => other.name === table.name.text.toLowerCase())) {
      throw new AnalysisError(
        'DUPLICATE_NAMED_QUERY',
        `WITH query name '${table.name.text}' specified more than once`,
        table.name.at,
      )
    }
    const analyzed = analyzeQuery(table.query, outer, known, session)
    const names = table.columns
    if (names !== undefined && names.length !== analyzed.columns.length) {
      throw new AnalysisError(
        'MISMATCHED_COLUMN_ALIASES',
        `WITH column alias list has ${names.length} entries but WITH query(${table.name.text}) has ${analyzed.columns.length} columns`,
        table.name.at,
      )
    }
    const columns = analyzed.columns.map(
      (column, index): ResultColumn =>
        names === undefined ? column : { ...column, name: names[index]?.text.toLowerCase(), label: names[index]?.text },
    )
    const alias = `w${session.next()}`
    definitions.push(`${alias} AS (${analyzed.sql})`)
    known.push({ name: table.name.text.toLowerCase(), alias, columns })
  }
  const context: RelationContext = {
    session,
    ctes: known,
    outer,
    analyzeQuery: (inner, scope, tables) => analyzeQuery(inner, scope, tables, session),
    analyzeView(view) {
      try {
        return analyzeQuery(view.query, undefined, [], { ...session, database: view.view.database })
      } catch (error) {
        throw inView(view, error)
      }
    },
  }
  const { sql, columns, order } = analyzeBody(query.body, query.orderBy, context)
  const all = columns.map((_, index) => `c${index}`).join(', ')
  const ordered = finish(query, sql, all, order)
  return { sql: `${definitions.length === 0 ? '' : `WITH ${definitions.join(', ')} `}${ordered}`, columns }
}

function finish(query: Query, sql: string, all: string, order: string | undefined): string {
  const limit = query.limit?.kind === 'integer' ? query.limit.value : undefined
  const offset = query.offset?.kind === 'integer' ? query.offset.value : undefined
  if (order === undefined && limit === undefined && offset === undefined) return sql
  if (query.withTies) {
    if (order === undefined)
      throw new AnalysisError('MISSING_ORDER_BY', 'FETCH FIRST WITH TIES clause requires ORDER BY', query.at)
    if (offset !== undefined) throw notSupportedLocally('OFFSET with FETCH FIRST WITH TIES')
    const ranked = `SELECT *, rank() OVER (ORDER BY ${order}) AS place FROM (${sql}) AS o`
    return `SELECT ${all} FROM (${ranked}) AS p WHERE place <= ${limit} ORDER BY place`
  }
  const tail = `${order === undefined ? '' : ` ORDER BY ${order}`}${limit === undefined ? '' : ` LIMIT ${limit}`}${offset === undefined ? '' : ` OFFSET ${offset}`}`
  return `SELECT ${all} FROM (${sql}) AS o${tail}`
}

interface Body extends AnalyzedQuery {
  readonly order: string | undefined
}

function analyzeBody(body: QueryBody, orderBy: readonly SortItem[], context: RelationContext): Body {
  switch (body.kind) {
    case 'select':
      return analyzeSelect(body, orderBy, context)
    case 'table': {
      const relation = analyzeRelation({ kind: 'table', parts: body.parts, at: body.at }, context)
      const visible = relation.columns.filter((column) => !column.hidden)
      const sql = `SELECT ${visible.map((column, index) => `${column.sql} AS c${index}`).join(', ')} FROM ${relation.sql}`
      return sorted({ sql, columns: visible }, orderBy, context)
    }
    case 'values':
      return sorted(analyzeValues(body, context), orderBy, context)
    case 'parenthesized':
      return sorted(context.analyzeQuery(body.query, context.outer, context.ctes), orderBy, context)
    case 'set':
      return sorted(analyzeSet(body, context), orderBy, context)
  }
}

// ORDER BY over a query whose columns are all that it can name.
function sorted(query: AnalyzedQuery, orderBy: readonly SortItem[], context: RelationContext): Body {
  if (orderBy.length === 0) return { ...query, order: undefined }
  const columns = query.columns.map((column, index) => ({
    name: column.name,
    label: column.label,
    type: column.type,
    sql: `c${index}`,
    hidden: false,
    qualifier: [],
  }))
  const level = plainContext(context, createScope(columns, context.outer), 'ORDER BY')
  const items = orderBy.map((item) => ({ ...item, value: byPlace(item.value, columns) }))
  return { ...query, order: sortSql(items, level, analyzeExpression, 'ORDER BY') }
}

function byPlace(node: Expression, columns: readonly Parameters<typeof starName>[0][]): Expression {
  if (node.kind !== 'integer') return node
  const column = columns[Number(node.value) - 1]
  if (column === undefined)
    throw new AnalysisError('INVALID_COLUMN_REFERENCE', `ORDER BY position ${node.value} is not in select list`, node.at)
  return starName(column, node.at)
}

function plainContext(context: RelationContext, scope: Scope, clause: string): ExpressionContext {
  return {
    session: context.session,
    scope,
    ctes: context.ctes,
    lambdas: new Map(),
    clause,
    windows: false,
    free: [],
    analyzeQuery: context.analyzeQuery,
  }
}

function analyzeValues(body: Extract<QueryBody, { kind: 'values' }>, context: RelationContext): AnalyzedQuery {
  const level = plainContext(context, createScope([], context.outer), 'VALUES')
  const rows = body.rows.map((row) => {
    if (row.kind === 'row') return row.items.map((item) => analyzeExpression(item, level))
    const value = analyzeExpression(row, level)
    if (value.type.kind === 'row') throw notSupportedLocally('VALUES of a row that is not written as one')
    return [value]
  })
  const width = (rows[0] as Typed[]).length
  const columnTypes: TrinoType[] = []
  for (let index = 0; index < width; index++) {
    let type: TrinoType | undefined = types.unknown
    for (const row of rows) {
      if (row.length !== width) throw typeMismatch('Values rows have mismatched types: they have different sizes', body.at)
      type = type && commonType(type, (row[index] as Typed).type)
    }
    if (type === undefined) throw typeMismatch('Values rows have mismatched types', body.at)
    columnTypes.push(type)
  }
  const printed = rows.map(
    (row) =>
      `SELECT ${row.map((item, index) => `${castNull(convert(item, columnTypes[index] as TrinoType) as Typed)} AS c${index}`).join(', ')}`,
  )
  // One VALUES instead of a chain of unions keeps long lists cheap.
  const values = rows.map(
    (row) => `(${row.map((item, index) => castNull(convert(item, columnTypes[index] as TrinoType) as Typed)).join(', ')})`,
  )
  const sql =
    rows.length === 1
      ? (printed[0] as string)
      : `SELECT * FROM (VALUES ${values.join(', ')}) AS v(${columnTypes.map((_, index) => `c${index}`).join(', ')})`
  return { sql, columns: columnTypes.map((type) => ({ name: undefined, label: undefined, type })) }
}

function analyzeSet(body: Extract<QueryBody, { kind: 'set' }>, context: RelationContext): AnalyzedQuery {
  const left = analyzeBody(body.left, [], context)
  const right = analyzeBody(body.right, [], context)
  if (left.columns.length !== right.columns.length) {
    throw typeMismatch(
      `${body.operator.toUpperCase()} query has different number of fields: ${left.columns.length}, ${right.columns.length}`,
      body.at,
    )
  }
  const columns = left.columns.map((column, index): ResultColumn => {
    const other = right.columns[index] as ResultColumn
    const type = commonType(column.type, other.type)
    if (type === undefined) {
      throw typeMismatch(
        `column ${index + 1} in ${body.operator.toUpperCase()} query has incompatible types: ${typeText(column.type)}, ${typeText(other.type)}`,
        body.at,
      )
    }
    if (!body.all || body.operator !== 'union') requireGroupable(type, body.operator.toUpperCase())
    return { ...column, type }
  })
  const side = (query: AnalyzedQuery): string => {
    const same = query.columns.every((column, index) => typeText(column.type) === typeText((columns[index] as ResultColumn).type))
    if (same && !query.columns.some((column) => column.type.kind === 'unknown')) return `SELECT * FROM (${query.sql}) AS q`
    const converted = query.columns.map((column, index) =>
      castNull(convert({ sql: `q.c${index}`, type: column.type, throws: false }, (columns[index] as ResultColumn).type) as Typed),
    )
    return `SELECT ${converted.map((sql, index) => `${sql} AS c${index}`).join(', ')} FROM (${query.sql}) AS q`
  }
  const operator = `${body.operator.toUpperCase()}${body.all ? ' ALL' : ''}`
  return { sql: `SELECT * FROM (${side(left)} ${operator} ${side(right)}) AS u`, columns }
}
