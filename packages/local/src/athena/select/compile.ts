import { randomBytes } from 'node:crypto'
import {
  AthenaFailure,
  type CompiledSelect,
  notSupportedLocally,
  type OutputColumn,
  type ScanFilter,
  type TableResolver,
} from '../query-engine'
import { analyzeQuery } from './analyze-query'
import type { Condition, PlannedScan, Session } from './context'
import { AnalysisError, locate } from './failure'
import { namedTables } from './named-table'
import { outputColumn } from './output-column'
import { quoteName } from './sql-quote'
import { UnsupportedSyntax } from './syntax/cursor'
import { parseQuery } from './syntax/query'
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
    const { session, analyzed, columns } = await analyze(sql, context)
    const selected = columns.map((column, index) => `c${index} AS ${quoteName(column.name)}`)
    return await withScans(`SELECT ${selected.join(', ')} FROM (${analyzed.sql}) AS result`, columns, session)
  } catch (error) {
    throw asFailure(error, sql)
  }
}

/** The columns of a query, with nothing read but the catalogue. @throws as {@link compileSelect}. */
export async function columnsOfSelect(sql: string, context: CompileContext): Promise<readonly OutputColumn[]> {
  try {
    return (await analyze(sql, context)).columns
  } catch (error) {
    throw asFailure(error, sql)
  }
}

async function analyze(sql: string, context: CompileContext) {
  const query = parseQuery(sql)
  let count = 0
  const session: Session = {
    database: context.database.toLowerCase(),
    now: context.now,
    tables: await namedTables(query, context.database, context.resolver),
    scans: [],
    token: `scan${randomBytes(12).toString('hex')}`,
    next: () => count++,
  }
  const analyzed = analyzeQuery(query, undefined, [], session)
  const columns = analyzed.columns.map((column, index) => outputColumn(column.label ?? `_col${index}`, column.type))
  return { session, analyzed, columns }
}

function asFailure(error: unknown, sql: string): unknown {
  if (error instanceof AnalysisError) return locate(sql, error)
  if (error instanceof UnsupportedSyntax) return notSupportedLocally(error.construct)
  if (error instanceof UnsupportedType) return notSupportedLocally(error.type)
  if (error instanceof RangeError && /call stack/i.test(error.message))
    return new AthenaFailure('SYNTAX_ERROR: statement is too large (stack overflow while parsing)', { cause: error })
  return error
}

async function withScans(sql: string, columns: readonly OutputColumn[], session: Session): Promise<CompiledSelect> {
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
    tables: [...session.tables.values()].map(({ database, table }) => ({ database, table })),
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
