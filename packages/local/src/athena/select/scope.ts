import { AnalysisError } from './failure'
import type { Expression, Identifier } from './syntax/tree'
import type { TrinoType } from './trino-type'

/** A column that an expression can name. */
export interface ScopeColumn {
  /** Lower case; `undefined` for an expression without a name. */
  readonly name: string | undefined
  readonly type: TrinoType
  /** DuckDB SQL of the column, qualified by our own alias. */
  readonly sql: string
  /** Not part of `*` (`"$path"`). */
  readonly hidden: boolean
  /** Spelling for the result header. */
  readonly label: string | undefined
  /** Relation names that may qualify it, innermost last: `[database, table]` or `[alias]`; empty after JOIN … USING. */
  readonly qualifier: readonly string[]
  /** The column of a stored table behind it, for pruning. */
  readonly source?: { readonly scan: number; readonly column: string } | undefined
}

/** What names mean at one place of a query. */
export interface Scope {
  readonly columns: readonly ScopeColumn[]
  readonly parent?: Scope | undefined
  /** Set when a name was found in a parent: the subquery is correlated. */
  correlated: boolean
}

export function createScope(columns: readonly ScopeColumn[], parent?: Scope): Scope {
  return { columns, parent, correlated: false }
}

/** Columns that a dotted name can stand for, by the longest qualifier that fits. */
function candidates(scope: Scope, parts: readonly string[]): readonly ScopeColumn[] {
  const name = parts[parts.length - 1] as string
  const qualifier = parts.slice(0, -1)
  return scope.columns.filter(
    (column) =>
      column.name === name &&
      (qualifier.length === 0 ||
        (qualifier.length <= column.qualifier.length &&
          qualifier.every((part, index) => column.qualifier[column.qualifier.length - qualifier.length + index] === part))),
  )
}

/**
 * Finds a column by its dotted name, in this scope or those around it.
 *
 * @throws {@link AnalysisError} AMBIGUOUS_NAME when two columns fit.
 */
export function resolveColumn(scope: Scope, parts: readonly Identifier[]): { column: ScopeColumn; outer: boolean } | undefined {
  const names = parts.map((part) => part.text.toLowerCase())
  const path: Scope[] = []
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    const found = candidates(current, names)
    if (found.length > 1)
      throw new AnalysisError('AMBIGUOUS_NAME', `Column '${parts.map((part) => part.text).join('.')}' is ambiguous`, parts[0]?.at)
    const column = found[0]
    if (column !== undefined) {
      for (const inner of path) inner.correlated = true
      return { column, outer: current !== scope }
    }
    path.push(current)
  }
  return undefined
}

export function columnNotFound(parts: readonly Identifier[]): AnalysisError {
  return new AnalysisError(
    'COLUMN_NOT_FOUND',
    `Column '${parts.map((part) => part.text).join('.')}' cannot be resolved or requester is not authorized to access requested resources`,
    parts[0]?.at,
  )
}

const starColumns = new WeakMap<Expression, ScopeColumn>()

/** A name that `*` stands for: that one column, whatever else is called alike. */
export function starName(column: ScopeColumn, at: number): Expression {
  const node: Expression = { kind: 'name', name: { text: column.label ?? column.name ?? '', at }, at }
  starColumns.set(node, column)
  return node
}

/** The column of a name made by {@link starName}. */
export function starColumn(node: Expression): ScopeColumn | undefined {
  return starColumns.get(node)
}
