import type { TableRelation } from '../query-engine'
import type { NamedTable } from './named-table'
import type { Scope, ScopeColumn } from './scope'
import type { Query } from './syntax/tree'
import type { TrinoType } from './trino-type'
import type { Typed } from './value'

/** A column of an analysed query; its SQL name inside DuckDB is `c0`, `c1`, … by its place. */
export interface ResultColumn {
  /** Name for references, lower case. */
  readonly name: string | undefined
  /** Spelling for the header; `_col0` … is filled in at the end. */
  readonly label: string | undefined
  readonly type: TrinoType
}

/** An analysed query: a DuckDB query (no parentheses) that yields `c0`, `c1`, … */
export interface AnalyzedQuery {
  readonly sql: string
  readonly columns: readonly ResultColumn[]
}

/** A WITH table in force. */
export interface NamedQuery {
  readonly name: string
  /** Name of the CTE inside DuckDB. */
  readonly alias: string
  readonly columns: readonly ResultColumn[]
}

/** One stored table in a FROM clause, before its scan is known. */
export interface PlannedScan {
  readonly relation: TableRelation
  /** Text in the SQL that the scan replaces. */
  readonly placeholder: string
  /** Name of the scan inside the SQL: its columns are `alias.c0`, `alias.c1`, … in the order of the table. */
  readonly alias: string
  /** Conditions that every row of this scan must meet, for pruning. */
  readonly conditions: Condition[]
}

/** A condition over partition columns and `"$path"`: `undefined` = cannot tell from these alone. */
export type Condition = (values: Readonly<Record<string, string | null>>) => boolean | undefined

/** State of one compilation. */
export interface Session {
  readonly database: string
  /** Milliseconds: one instant for the whole query. */
  readonly now: number
  /** By `tableKey`. */
  readonly tables: ReadonlyMap<string, NamedTable>
  readonly scans: PlannedScan[]
  /** A word that cannot stand in the statement. */
  readonly token: string
  /** A number that was not given out before. */
  next(): number
}

/** Collects aggregates of a grouped query, which are computed in an inner SELECT. */
export interface Grouping {
  /** SQL of a grouping expression → column of the inner SELECT that holds it. */
  readonly keys: ReadonlyMap<string, string>
  /** Whether a key is more than a column. */
  readonly complex: boolean
  /** Adds an aggregate and returns the column of the inner SELECT that holds it. */
  aggregate(sql: string): string
  /** SQL of GROUPING(…) of keys by their place. */
  grouping(indexes: readonly number[]): string
  /** Keys in their order, as SQL. */
  readonly order: readonly string[]
}

/** Where an expression stands. */
export interface ExpressionContext {
  readonly session: Session
  readonly scope: Scope
  readonly ctes: readonly NamedQuery[]
  /** Parameters of the lambdas around. */
  readonly lambdas: ReadonlyMap<string, Typed>
  /** Aggregates go here; `undefined` where none may stand. */
  readonly grouping?: Grouping | undefined
  /** Name of the clause for the error when an aggregate or window may not stand here. */
  readonly clause: string
  readonly windows: boolean
  /** Columns named so far that no aggregate or key covers. */
  readonly free: ScopeColumn[]
  /** Analyses a subquery with this scope around it. */
  analyzeQuery(query: Query, scope: Scope, ctes: readonly NamedQuery[]): AnalyzedQuery
}
