import {
  type AthenaClient,
  GetQueryResultsCommand,
  type GetQueryResultsCommandOutput,
  type QueryExecution,
} from '@aws-sdk/client-athena'
import { anySignal } from '@pipe/core'
import { compileRows, type Returns, type RowDecoder } from './decode'
import { repeat } from './request'
import { keywordOf } from './statement'

/** Most rows that one call of GetQueryResults gives. */
const maxPageRows = 1_000

/** Options of {@link readRows}. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
  /** Rows of the first page, at most; later pages are full. Default 1 000, the most that Athena gives. */
  readonly firstPageRows?: number | undefined
  readonly onRows?: ((done: number) => void) | undefined
}

/**
 * The rows of an execution that has succeeded, one page at a time: GetQueryResults, at most one page ahead of the reader.
 *
 * The header row is that of the first page of a SELECT-like statement, known by the type of the statement and never by comparing
 * values. A missing VarCharValue is NULL.
 */
export async function* readRows(
  client: AthenaClient,
  execution: QueryExecution,
  returns: Returns,
  options: ReadOptions,
): AsyncGenerator<Record<string, unknown>[]> {
  const header = hasHeader(execution) ? 1 : 0
  const leaving = new AbortController()
  const signal = anySignal(options.signal, leaving.signal)
  const id = execution.QueryExecutionId!
  const fetchPage = (token: string | undefined, rows: number) => {
    const page = resultPage(client, id, { token, maxResults: rows, signal })
    // The page ahead may fail before the reader comes to it; it gets the error then.
    page.catch(() => undefined)
    return page
  }
  let decode: RowDecoder | undefined
  let done = 0
  try {
    let ahead: Promise<GetQueryResultsCommandOutput> | undefined = fetchPage(
      undefined,
      Math.min(maxPageRows, (options.firstPageRows ?? maxPageRows) + header),
    )
    for (let first = true; ahead; first = false) {
      const page: GetQueryResultsCommandOutput = await ahead
      const { ResultSet: set, NextToken: token } = page
      ahead = token && options.firstPageRows === undefined ? fetchPage(token, maxPageRows) : undefined
      decode ??= compileRows(returns, set?.ResultSetMetadata?.ColumnInfo ?? [])
      const rows = (set?.Rows ?? []).slice(first ? header : 0)
      const decoded: Record<string, unknown>[] = []
      for (const row of rows) {
        done += 1
        decoded.push(
          decode(
            (row.Data ?? []).map((cell) => cell.VarCharValue),
            done,
          ),
        )
      }
      options.onRows?.(done)
      if (decoded.length > 0) yield decoded
      if (!ahead && token) ahead = fetchPage(token, maxPageRows)
    }
  } finally {
    leaving.abort()
  }
}

/** Rows that a CTAS or INSERT wrote. Its result has no rows, only their number. */
export async function updatedRows(
  client: AthenaClient,
  execution: QueryExecution,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (!writesRows(execution)) return 0
  const page = await resultPage(client, execution.QueryExecutionId!, { maxResults: 1, signal })
  return page.UpdateCount ?? 0
}

function resultPage(
  client: AthenaClient,
  id: string,
  options: { token?: string | undefined; maxResults: number; signal: AbortSignal | undefined },
): Promise<GetQueryResultsCommandOutput> {
  const input = {
    QueryExecutionId: id,
    MaxResults: options.maxResults,
    ...(options.token === undefined ? {} : { NextToken: options.token }),
  }
  return repeat(
    'GetQueryResults',
    (abortSignal) => client.send(new GetQueryResultsCommand(input), abortSignal ? { abortSignal } : {}),
    { signal: options.signal, id },
  )
}

const writing = /^(?:INSERT|CREATE_TABLE_AS_SELECT|CTAS|UPDATE|DELETE|MERGE|UNLOAD)/i

/** SELECT-like statements only: those of type DML that neither write nor explain (by their substatement type, else first word). */
function hasHeader(execution: QueryExecution): boolean {
  return execution.StatementType === 'DML' && !writing.test(kindOf(execution)) && !/^EXPLAIN/i.test(kindOf(execution))
}

function writesRows(execution: QueryExecution): boolean {
  if (writing.test(kindOf(execution))) return !/^UNLOAD/i.test(kindOf(execution))
  return /^\s*CREATE\s+TABLE\b/i.test(execution.Query ?? '') && execution.StatementType === 'DML'
}

function kindOf(execution: QueryExecution): string {
  return execution.SubstatementType ?? keywordOf(execution.Query ?? '')
}
