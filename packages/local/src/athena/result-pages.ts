import { readFile } from 'node:fs/promises'
import type { ObjectFiles } from '../s3/object-files'
import type { Execution } from './execution'
import { invalidRequest, positionToken, tokenPosition } from './request'
import { type Cell, readResultRows } from './result-file'
import type { ResultColumn, StatementOutcome } from './statement-context'

/** Output of GetQueryResults. */
export interface ResultPage {
  readonly UpdateCount: number
  readonly NextToken?: string
  readonly ResultSet: {
    readonly Rows: readonly { readonly Data: readonly { readonly VarCharValue?: string }[] }[]
    readonly ResultSetMetadata: { readonly ColumnInfo: readonly object[] }
  }
}

/**
 * One page of a result. For queries the names of the columns are row 0 and use up one of `maxResults`; a cell without VarCharValue
 * is NULL.
 *
 * @throws InvalidRequestException when the execution has not succeeded, or its result object is gone.
 */
export async function resultPage(
  execution: Execution,
  files: ObjectFiles,
  options: { readonly maxResults: number; readonly nextToken: string | undefined; readonly manifest: boolean },
): Promise<ResultPage> {
  const { outcome, state } = execution
  if (!outcome) {
    throw invalidRequest(
      state === 'QUEUED' || state === 'RUNNING'
        ? `Query has not yet finished. Current state: ${state}`
        : `Query did not finish successfully. Final query state: ${state}`,
      'INVALID_QUERY_EXECUTION_STATE',
    )
  }
  const from = options.nextToken === undefined ? 0 : tokenPosition(execution.id, options.nextToken)
  if (options.manifest) return manifestPage(execution, outcome, files, from, options.maxResults)
  const header = outcome.header ? 1 : 0
  const total = header + (outcome.rows.kind === 'memory' ? outcome.rows.rows.length : outcome.rows.index.rows)
  const end = Math.min(from + options.maxResults, total)
  const rows: (readonly Cell[])[] = []
  if (header === 1 && from === 0) rows.push(outcome.columns.map((column) => column.name))
  const start = Math.max(from - header, 0)
  rows.push(...(await dataRows(execution, outcome, files, start, end - header - start)))
  return page(outcome.columns, rows, outcome.updateCount, end < total ? positionToken(execution.id, end) : undefined)
}

async function dataRows(
  execution: Execution,
  outcome: StatementOutcome,
  files: ObjectFiles,
  from: number,
  count: number,
): Promise<readonly (readonly Cell[])[]> {
  if (outcome.rows.kind === 'memory') return outcome.rows.rows.slice(from, from + Math.max(count, 0))
  const object = files.head(execution.request.output.bucket, outcome.resultKey as string)
  if (!object) throw invalidRequest(`Could not find results at ${execution.outputPath}`)
  return readResultRows(object.file, outcome.rows.index, from, count)
}

/** QueryResultType DATA_MANIFEST: the files of a CTAS, one a row. */
async function manifestPage(
  execution: Execution,
  outcome: StatementOutcome,
  files: ObjectFiles,
  from: number,
  maxResults: number,
): Promise<ResultPage> {
  const { bucket } = execution.request.output
  const manifest =
    outcome.manifest === undefined ? undefined : files.head(bucket, outcome.manifest.slice(`s3://${bucket}/`.length))
  if (!manifest) throw invalidRequest('DATA_MANIFEST results exist only for CTAS, UNLOAD and INSERT statements.')
  const paths = (await readFile(manifest.file, 'utf8')).split('\n').filter((line) => line !== '')
  const end = from + maxResults
  const columns: ResultColumn[] = [{ name: 'path', type: 'varchar', precision: 2_147_483_647, scale: 0 }]
  return page(
    columns,
    paths.slice(from, end).map((path) => [path]),
    outcome.updateCount,
    end < paths.length ? positionToken(execution.id, end) : undefined,
  )
}

function page(
  columns: readonly ResultColumn[],
  rows: readonly (readonly Cell[])[],
  updateCount: number,
  next: string | undefined,
): ResultPage {
  return {
    UpdateCount: updateCount,
    ...(next === undefined ? {} : { NextToken: next }),
    ResultSet: {
      Rows: rows.map((row) => ({ Data: row.map((cell) => (cell === null ? {} : { VarCharValue: cell })) })),
      ResultSetMetadata: { ColumnInfo: columns.map(columnInfo) },
    },
  }
}

function columnInfo(column: ResultColumn): object {
  return {
    CatalogName: 'hive',
    SchemaName: '',
    TableName: '',
    Name: column.name,
    Label: column.name,
    Type: column.type,
    Precision: column.precision,
    Scale: column.scale,
    Nullable: 'UNKNOWN',
    CaseSensitive: column.type === 'varchar' || column.type === 'char',
  }
}
