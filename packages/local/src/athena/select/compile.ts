import { randomBytes } from 'node:crypto'
import {
  AthenaFailure,
  type CompiledSelect,
  notSupportedLocally,
  type OutputColumn,
  type ScanFilter,
  type TableRelation,
  type TableResolver,
} from '../query-engine'
import { analyzeQuery } from './analyze-query'
import type { Condition, PlannedScan, Session } from './context'
import { AnalysisError, locate } from './failure'
import { outputColumn } from './output-column'
import { quoteName } from './sql-quote'
import { UnsupportedSyntax } from './syntax/cursor'
import { parseQuery } from './syntax/query'
import type { Query, Relation } from './syntax/tree'
import { UnsupportedType } from './trino-type'

/** A compiled query together with the Trino types of its columns, which the text form of the cells needs. */
export interface CompileContext {
  readonly database: string
  readonly resolver: TableResolver
  /** Milliseconds of current_timestamp. */
  readonly now: number
}

/**
 * Trino SQL → DuckDB SQL.
 *
 * @throws {@link AthenaFailure} what Athena would say about a wrong statement, or NOT_SUPPORTED_LOCALLY with the construct.
 */
export async function compileSelect(sql: string, context: CompileContext): Promise<CompiledSelect> {
  try {
    const query = parseQuery(sql)
    const tables = new Map<string, TableRelation>()
    for (const [database, table] of tablesOf(query, context.database)) {
      const key = JSON.stringify([database, table])
      if (!tables.has(key)) tables.set(key, await context.resolver.resolve(database, table))
    }
    let count = 0
    const session: Session = {
      database: context.database.toLowerCase(),
      now: context.now,
      tables,
      scans: [],
      token: `scan${randomBytes(12).toString('hex')}`,
      next: () => count++,
    }
    const analyzed = analyzeQuery(query, undefined, [], session)
    const columns = analyzed.columns.map((column, index) => outputColumn(column.label ?? `_col${index}`, column.type))
    const selected = columns.map((column, index) => `c${index} AS ${quoteName(column.name)}`)
    return await withScans(`SELECT ${selected.join(', ')} FROM (${analyzed.sql}) AS result`, columns, session, tables)
  } catch (error) {
    throw asFailure(error, sql)
  }
}

function asFailure(error: unknown, sql: string): unknown {
  if (error instanceof AnalysisError) return locate(sql, error)
  if (error instanceof UnsupportedSyntax) return notSupportedLocally(error.construct)
  if (error instanceof UnsupportedType) return notSupportedLocally(error.type)
  if (error instanceof RangeError && /call stack/i.test(error.message))
    return new AthenaFailure('SYNTAX_ERROR: statement is too large (stack overflow while parsing)', { cause: error })
  return error
}

async function withScans(
  sql: string,
  columns: readonly OutputColumn[],
  session: Session,
  tables: ReadonlyMap<string, TableRelation>,
): Promise<CompiledSelect> {
  let result = sql
  let bytes = 0
  let files = 0
  const references = columnReferences(sql)
  for (const planned of session.scans) {
    const columns = planned.relation.columns.filter((_, index) => references.has(`${planned.alias}.c${index}`))
    const scan = await planned.relation.scan({ ...scanFilter(planned), columns: columns.map((column) => column.name) })
    bytes += scan.bytes
    files += scan.files
    result = result.replaceAll(planned.placeholder, () => scan.sql)
  }
  return {
    sql: result,
    columns,
    tables: [...tables.values()].map(({ database, table }) => ({ database, table })),
    scannedBytes: bytes,
    scannedFiles: files,
  }
}

/** Columns named in our own SQL, as `alias.column`: what stands in a string or in a quoted name is none. */
function columnReferences(sql: string): ReadonlySet<string> {
  const bare = sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, ' ')
  return new Set(bare.match(/\br\d+\.c\d+\b/g))
}

function scanFilter(planned: PlannedScan): ScanFilter {
  const { conditions } = planned
  if (conditions.length === 0) return {}
  const keep = (values: Readonly<Record<string, string | null>>): boolean =>
    conditions.every((condition: Condition) => condition(values) !== false)
  return { partition: (values) => keep(values), path: (path) => keep({ $path: path }) }
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
  if (table.includes('$')) throw notSupportedLocally(`the hidden table "${table}"`)
  return [names.length > 1 ? (names[names.length - 2] as string) : database.toLowerCase(), table]
}
