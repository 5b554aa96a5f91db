import { notSupportedLocally } from '../query-engine'
import { analyzeCondition, analyzeExpression } from './analyze-expression'
import { castNull, convert } from './cast'
import { commonType } from './coercion'
import type { AnalyzedQuery, ExpressionContext, NamedQuery, ResultColumn, Session } from './context'
import { AnalysisError, typeMismatch } from './failure'
import { type NamedView, tableKey } from './named-table'
import { createScope, type Scope, type ScopeColumn } from './scope'
import { quoteName } from './sql-quote'
import type { Expression, Identifier, Query, Relation } from './syntax/tree'
import { fieldName, parseType, type TrinoType, types, typeText } from './trino-type'
import type { Typed } from './value'

/** An analysed item of FROM: DuckDB SQL with its own aliases, and the columns that it brings. */
export interface AnalyzedRelation {
  readonly sql: string
  readonly columns: readonly ScopeColumn[]
}

/** What relations need from around them. */
export interface RelationContext {
  readonly session: Session
  readonly ctes: readonly NamedQuery[]
  /** Scope around the query that this FROM belongs to. */
  readonly outer: Scope | undefined
  analyzeQuery(query: Query, scope: Scope | undefined, ctes: readonly NamedQuery[]): AnalyzedQuery
  /** Analyses the query of a view in its own database, apart from the query around it. */
  analyzeView(view: NamedView): AnalyzedQuery
}

function expressionContext(context: RelationContext, columns: readonly ScopeColumn[], clause: string): ExpressionContext {
  return {
    session: context.session,
    scope: createScope(columns, context.outer),
    ctes: context.ctes,
    lambdas: new Map(),
    clause,
    windows: false,
    free: [],
    analyzeQuery: context.analyzeQuery,
  }
}

/** Analyses one item of FROM. `left` = columns of the relations before it, which only UNNEST may use. */
export function analyzeRelation(
  relation: Relation,
  context: RelationContext,
  left: readonly ScopeColumn[] = [],
): AnalyzedRelation {
  switch (relation.kind) {
    case 'table':
      return analyzeTable(relation, context)
    case 'subquery':
      return fromQuery(context.analyzeQuery(relation.query, context.outer, context.ctes), context, [])
    case 'unnest':
      return analyzeUnnest(relation, context, left)
    case 'aliased':
      return rename(analyzeRelation(relation.relation, context, left), relation.alias, relation.columns)
    case 'sampled':
      return analyzeSample(relation, context, left)
    case 'join':
      return analyzeJoin(relation, context, left)
  }
}

function fromQuery(query: AnalyzedQuery, context: RelationContext, qualifier: readonly string[]): AnalyzedRelation {
  const alias = `r${context.session.next()}`
  return {
    sql: `(${query.sql}) AS ${alias}`,
    columns: query.columns.map((column, index) => ({
      name: column.name,
      label: column.label,
      type: column.type,
      sql: `${alias}.c${index}`,
      hidden: false,
      qualifier,
    })),
  }
}

function analyzeTable(relation: Extract<Relation, { kind: 'table' }>, context: RelationContext): AnalyzedRelation {
  const names = relation.parts.map((part) => part.text.toLowerCase())
  const cte = names.length === 1 ? [...context.ctes].reverse().find((candidate) => candidate.name === names[0]) : undefined
  if (cte !== undefined) {
    const alias = `r${context.session.next()}`
    return {
      sql: `${cte.alias} AS ${alias}`,
      columns: cte.columns.map((column, index) => ({
        name: column.name,
        label: column.label,
        type: column.type,
        sql: `${alias}.c${index}`,
        hidden: false,
        qualifier: [cte.name],
      })),
    }
  }
  const table = names[names.length - 1] as string
  const database = names.length > 1 ? (names[names.length - 2] as string) : context.session.database
  const stored = context.session.tables.get(tableKey(database, table))
  if (stored === undefined)
    throw new AnalysisError('TABLE_NOT_FOUND', `Table 'awsdatacatalog.${database}.${table}' does not exist`, relation.at)
  if ('view' in stored) return fromView(stored, context, relation.at)
  const scan = context.session.scans.length
  const placeholder = `${context.session.token}_${scan}_`
  const alias = `r${context.session.next()}`
  context.session.scans.push({ relation: stored, placeholder, alias, conditions: [] })
  const qualifier = [database, table]
  const columns = stored.columns.map(
    (column, index): ScopeColumn => ({
      name: column.name.toLowerCase(),
      label: column.name,
      type: parseType(column.type),
      sql: `${alias}.c${index}`,
      hidden: false,
      qualifier,
      source: column.partition ? { scan, column: column.name } : undefined,
    }),
  )
  const hiddenNames = stored.hidden ?? ['$path']
  const hidden = hiddenNames.map(
    (name, index): ScopeColumn => ({
      name,
      label: name,
      type: types.varchar,
      sql: `${alias}.c${columns.length + index}`,
      hidden: true,
      qualifier,
      source: name === '$path' ? { scan, column: '$path' } : undefined,
    }),
  )
  const selected = [...stored.columns.map((column) => quoteName(column.name)), ...hiddenNames.map(quoteName)].map(
    (name, index) => `${name} AS c${index}`,
  )
  return { sql: `(SELECT ${selected.join(', ')} FROM ${placeholder}) AS ${alias}`, columns: [...columns, ...hidden] }
}

// The columns are those that the view had when it was made: what its query yields today must fit them.
function fromView(view: NamedView, context: RelationContext, at: number): AnalyzedRelation {
  const query = context.analyzeView(view)
  const stale = (reason: string) =>
    new AnalysisError(
      'VIEW_IS_STALE',
      `View 'awsdatacatalog.${view.database}.${view.table}' is stale or in invalid state: ${reason}`,
      at,
    )
  if (query.columns.length !== view.columns.length) {
    throw stale(
      `stored view column count (${view.columns.length}) does not match column count derived from the view query analysis (${query.columns.length})`,
    )
  }
  const columns = query.columns.map((column, index): ResultColumn => {
    const declared = view.columns[index] as NamedView['columns'][number]
    const type = parseType(declared.type)
    if (column.name !== declared.name || !sameOrWider(column.type, type)) {
      throw stale(
        `column [${column.label ?? '<anonymous>'}] of type ${typeText(column.type)} projected from query view at position ${index} cannot be coerced to column [${declared.name}] of type ${typeText(type)} stored in view definition`,
      )
    }
    return { name: declared.name, label: declared.name, type }
  })
  const items = query.columns.map((column, index) => {
    const value = { sql: `v.c${index}`, type: column.type, throws: false }
    return `${castNull(convert(value, (columns[index] as ResultColumn).type) as Typed)} AS c${index}`
  })
  const sql = `SELECT ${items.join(', ')} FROM (${query.sql}) AS v`
  return fromQuery({ sql, columns }, context, [view.database, view.table])
}

const sameOrWider = (from: TrinoType, to: TrinoType): boolean => {
  const common = commonType(from, to)
  return common !== undefined && typeText(common) === typeText(to)
}

function rename(relation: AnalyzedRelation, alias: Identifier, names: readonly Identifier[] | undefined): AnalyzedRelation {
  const qualifier = [alias.text.toLowerCase()]
  if (names === undefined) return { sql: relation.sql, columns: relation.columns.map((column) => ({ ...column, qualifier })) }
  const visible = relation.columns.filter((column) => !column.hidden)
  if (visible.length !== names.length) {
    throw new AnalysisError(
      'MISMATCHED_COLUMN_ALIASES',
      `Column alias list has ${names.length} entries but '${alias.text}' has ${visible.length} columns available`,
      alias.at,
    )
  }
  return {
    sql: relation.sql,
    columns: visible.map((column, index) => ({
      ...column,
      qualifier,
      name: (names[index] as Identifier).text.toLowerCase(),
      label: (names[index] as Identifier).text,
    })),
  }
}

function analyzeSample(
  relation: Extract<Relation, { kind: 'sampled' }>,
  context: RelationContext,
  left: readonly ScopeColumn[],
): AnalyzedRelation {
  const { percentage } = relation
  if (relation.method !== 'bernoulli' && relation.method !== 'system')
    throw new AnalysisError('SYNTAX_ERROR', `mismatched input '${relation.method}'`, relation.at)
  // A sample of everything is everything; any other is random.
  if ((percentage.kind !== 'integer' && percentage.kind !== 'decimal') || Number(percentage.value) !== 100)
    throw notSupportedLocally('TABLESAMPLE of less than 100 %')
  return analyzeRelation(relation.relation, context, left)
}

// One row for each element; several arrays side by side, shorter ones filled with NULL.
function analyzeUnnest(
  relation: Extract<Relation, { kind: 'unnest' }>,
  context: RelationContext,
  left: readonly ScopeColumn[],
): AnalyzedRelation {
  const inner = expressionContext(context, left, 'UNNEST')
  const items = relation.items.map((item) => ({ node: item, value: analyzeExpression(item, inner) }))
  const alias = `r${context.session.next()}`
  const lists: string[] = []
  const outputs: { sql: string; type: TrinoType; name?: string }[] = []
  for (const { node, value } of items) {
    const place = `u.l${lists.length}`
    if (value.type.kind === 'map') {
      lists.push(`map_entries(${value.sql})`)
      outputs.push(
        { sql: `struct_extract(${place}, 'key')`, type: value.type.key },
        { sql: `struct_extract(${place}, 'value')`, type: value.type.value },
      )
    } else if (value.type.kind === 'array') {
      lists.push(value.sql)
      const { element } = value.type
      if (element.kind === 'row') {
        element.fields.forEach((field, index) => {
          outputs.push({
            sql: `struct_extract(${place}, '${fieldName(field, index).replaceAll("'", "''")}')`,
            type: field.type,
            ...(field.name === undefined ? {} : { name: field.name }),
          })
        })
      } else {
        outputs.push({ sql: place, type: element })
      }
    } else {
      throw new AnalysisError('INVALID_FUNCTION_ARGUMENT', `Cannot unnest type: ${typeText(value.type)}`, node.at)
    }
  }
  if (relation.ordinality) {
    const longest =
      lists.length === 1 ? `len(${lists[0]})` : `greatest(${lists.map((list) => `coalesce(len(${list}), 0)`).join(', ')})`
    outputs.push({ sql: `u.l${lists.length}`, type: types.bigint })
    lists.push(`range(1, ${longest} + 1)`)
  }
  const unnested = lists.map((list, index) => `unnest(${list}) AS l${index}`).join(', ')
  const selected = outputs.map((output, index) => `${output.sql} AS c${index}`).join(', ')
  return {
    sql: `LATERAL (SELECT ${selected} FROM (SELECT ${unnested}) AS u) AS ${alias}`,
    columns: outputs.map((output, index) => ({
      name: output.name,
      label: output.name,
      type: output.type,
      sql: `${alias}.c${index}`,
      hidden: false,
      qualifier: [],
    })),
  }
}

function isUnnest(relation: Relation): boolean {
  return relation.kind === 'unnest' || (relation.kind === 'aliased' && isUnnest(relation.relation))
}

function analyzeJoin(
  relation: Extract<Relation, { kind: 'join' }>,
  context: RelationContext,
  before: readonly ScopeColumn[],
): AnalyzedRelation {
  const left = analyzeRelation(relation.left, context, before)
  const unnest = isUnnest(relation.right)
  const right = analyzeRelation(relation.right, context, unnest ? [...before, ...left.columns] : [])
  const columns = [...left.columns, ...right.columns]
  if (relation.type === 'cross') return { sql: `${left.sql} CROSS JOIN ${right.sql}`, columns }
  const keyword = `${relation.type.toUpperCase()} JOIN`
  if (unnest) {
    if (relation.on?.kind !== 'boolean' || !relation.on.value || relation.type === 'right' || relation.type === 'full') {
      throw notSupportedLocally('a join with UNNEST other than CROSS JOIN, INNER JOIN or LEFT JOIN … ON TRUE')
    }
    return { sql: `${left.sql} ${keyword} ${right.sql} ON TRUE`, columns }
  }
  if (relation.using !== undefined) return joinUsing(relation, left, right, keyword)
  const condition = analyzeCondition(relation.on as Expression, expressionContext(context, columns, 'JOIN'), 'JOIN ON')
  return {
    sql: `(${left.sql} ${keyword} ${right.sql} ON ${condition.sql})`,
    columns: outerSources(relation.type, left.columns, right.columns),
  }
}

// A row that an outer join made up must not be dropped by pruning the side that may be missing: its columns prune no more.
function outerSources(type: string, left: readonly ScopeColumn[], right: readonly ScopeColumn[]): ScopeColumn[] {
  const cut = (columns: readonly ScopeColumn[], cuts: boolean): ScopeColumn[] =>
    columns.map((column) => (cuts ? { ...column, source: undefined } : column))
  return [...cut(left, type === 'right' || type === 'full'), ...cut(right, type === 'left' || type === 'full')]
}

function joinUsing(
  relation: Extract<Relation, { kind: 'join' }>,
  left: AnalyzedRelation,
  right: AnalyzedRelation,
  keyword: string,
): AnalyzedRelation {
  const joined: ScopeColumn[] = []
  const used = new Set<ScopeColumn>()
  const conditions = (relation.using as readonly Identifier[]).map((name) => {
    const [a, b] = [left, right].map((side, index) => {
      const found = side.columns.filter((column) => column.name === name.text.toLowerCase())
      if (found.length === 0)
        throw new AnalysisError(
          'COLUMN_NOT_FOUND',
          `Column '${name.text}' is missing from ${index === 0 ? 'left' : 'right'} side of join`,
          name.at,
        )
      if (found.length > 1) throw new AnalysisError('AMBIGUOUS_NAME', `Column '${name.text}' is ambiguous`, name.at)
      return found[0] as ScopeColumn
    }) as [ScopeColumn, ScopeColumn]
    const type = commonType(a.type, b.type)
    if (type === undefined)
      throw typeMismatch(`Column types of USING differ: ${typeText(a.type)} and ${typeText(b.type)}`, name.at)
    if (['array', 'map', 'row', 'timestamptz', 'double', 'real', 'json'].includes(type.kind))
      throw notSupportedLocally(`JOIN USING over ${typeText(type)}`)
    const [x, y] = [a, b].map((column) =>
      castNull(convert({ sql: column.sql, type: column.type, throws: false }, type) as Typed),
    ) as [string, string]
    used.add(a).add(b)
    const sql = relation.type === 'full' ? `coalesce(${x}, ${y})` : relation.type === 'right' ? y : x
    joined.push({ name: a.name, label: name.text, type, sql, hidden: false, qualifier: [] })
    return `${x} = ${y}`
  })
  const rest = outerSources(
    relation.type,
    left.columns.filter((column) => !used.has(column)),
    right.columns.filter((column) => !used.has(column)),
  )
  return { sql: `(${left.sql} ${keyword} ${right.sql} ON ${conditions.join(' AND ')})`, columns: [...joined, ...rest] }
}
