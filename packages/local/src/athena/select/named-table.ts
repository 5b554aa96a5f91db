import { AthenaFailure, notSupportedLocally, type TableRelation, type TableResolver, type ViewRelation } from '../query-engine'
import { AnalysisError, locate } from './failure'
import { UnsupportedSyntax } from './syntax/cursor'
import { parseQuery } from './syntax/query'
import type { Query, Relation } from './syntax/tree'

/** A table or view that a query names. */
export type NamedTable = TableRelation | NamedView

/** A view with its query. */
export interface NamedView extends ViewRelation {
  readonly query: Query
}

/** The key of a table in {@link namedTables}. */
export const tableKey = (database: string, table: string): string => JSON.stringify([database, table])

/**
 * All tables that a query names, and those that its views name, to any depth.
 *
 * @throws {@link AthenaFailure} when one does not exist, or a view stands in its own query.
 */
export async function namedTables(
  query: Query,
  database: string,
  resolver: TableResolver,
): Promise<ReadonlyMap<string, NamedTable>> {
  const found = new Map<string, NamedTable>()
  const load = async (inner: Query, home: string, path: readonly string[]): Promise<void> => {
    for (const [schema, table] of tablesOf(inner, home)) {
      const key = tableKey(schema, table)
      if (path.includes(key)) {
        throw new AthenaFailure(`VIEW_IS_RECURSIVE: View is recursive: 'awsdatacatalog.${schema}.${table}'`, { type: 1006 })
      }
      if (found.has(key)) continue
      const relation = await resolver.resolve(schema, table)
      if (!('view' in relation)) found.set(key, relation)
      else {
        const view: NamedView = { ...relation, query: parseView(relation) }
        await load(view.query, relation.view.database, [...path, key]).catch((error: unknown) => {
          throw inView(relation, error)
        })
        found.set(key, view)
      }
    }
  }
  await load(query, database, [])
  return found
}

/** An error inside the query of a view, as Athena reports it to who uses the view. */
export function inView({ database, table, view }: ViewRelation, error: unknown): unknown {
  const failure = error instanceof AnalysisError ? locate(view.sql, error) : error
  if (!(failure instanceof AthenaFailure) || /^(VIEW_IS_RECURSIVE|NOT_SUPPORTED_LOCALLY|INVALID_VIEW)/.test(failure.message)) {
    return failure
  }
  const reason = failure.message.replace(/^[A-Z_]+: /, '')
  return new AthenaFailure(`INVALID_VIEW: Failed analyzing stored view 'awsdatacatalog.${database}.${table}': ${reason}`, {
    type: failure.type,
    cause: error,
  })
}

function parseView(relation: ViewRelation): Query {
  try {
    return parseQuery(relation.view.sql)
  } catch (error) {
    throw error instanceof UnsupportedSyntax ? notSupportedLocally(error.construct) : inView(relation, error)
  }
}

/** Stored tables named in a query, WITH tables left out. */
function tablesOf(query: Query, database: string): [string, string][] {
  const found: [string, string][] = []
  const visit = (value: unknown, ctes: readonly string[]): void => {
    if (value === null || typeof value !== 'object') return
    if (Array.isArray(value)) {
      for (const item of value) visit(item, ctes)
      return
    }
    if ('with' in value && 'body' in value) {
      let known = ctes
      for (const table of (value as Query).with) {
        visit(table.query, known)
        known = [...known, table.name.text.toLowerCase()]
      }
      const { with: _with, ...rest } = value as Query
      visit(Object.values(rest), known)
      return
    }
    const relation = value as Relation
    if (relation.kind === 'table' && 'parts' in relation) {
      const names = relation.parts.map((part) => part.text.toLowerCase())
      if (names.length === 1 && ctes.includes(names[0] as string)) return
      found.push(tableName(names, database))
      return
    }
    for (const child of Object.values(value)) visit(child, ctes)
  }
  visit(query, [])
  return found
}

function tableName(names: readonly string[], database: string): [string, string] {
  const table = names[names.length - 1] as string
  if (names.length > 3) throw new AnalysisError('SYNTAX_ERROR', `Too many parts in table name: ${names.join('.')}`)
  if (names.length === 3 && names[0] !== 'awsdatacatalog') throw notSupportedLocally(`the data catalog ${names[0]}`)
  if (table.includes('$') && !table.endsWith('$partitions')) throw notSupportedLocally(`the hidden table "${table}"`)
  return [names.length > 1 ? (names[names.length - 2] as string) : database.toLowerCase(), table]
}
