import {
  type AthenaClient,
  GetQueryResultsCommand,
  type GetQueryResultsCommandOutput,
  type QueryExecution,
} from '@aws-sdk/client-athena'
import { repeat } from '../request'
import { keywordOf } from '../statement'
import { decodeCells, type RowPlan } from './row-plan'

/** Most rows that one call of GetQueryResults gives. */
export const maxPageRows = 1_000

/** One answer of GetQueryResults. */
export type ResultPage = GetQueryResultsCommandOutput

/** Reads one page. The header row, where there is one, uses up one of `maxResults`. */
export function resultPage(
  client: AthenaClient,
  id: string,
  options: { token?: string | undefined; maxResults: number; signal: AbortSignal | undefined },
): Promise<ResultPage> {
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

/**
 * The rows of a result, one page at a time, at most one page ahead of the reader. A missing VarCharValue is NULL.
 *
 * The header row is that of the first page of a SELECT-like statement, known by the type of the statement and never by comparing values.
 *
 * @param first the first page.
 * @param fetchPage reads the page behind a token.
 */
export async function* pageRows<Row>(
  first: ResultPage,
  plan: RowPlan<Row>,
  hasHeaderRow: boolean,
  fetchPage: (token: string) => Promise<ResultPage>,
): AsyncGenerator<Row[]> {
  const fetchAhead = (token: string | undefined) => {
    if (!token) return undefined
    const page = fetchPage(token)
    // The page ahead may fail before the reader comes to it; it gets the error then.
    page.catch(() => undefined)
    return page
  }
  let page: ResultPage | undefined = first
  let skip = hasHeaderRow ? 1 : 0
  let done = 0
  while (page) {
    const ahead: Promise<ResultPage> | undefined = fetchAhead(page.NextToken)
    const found = page.ResultSet?.Rows ?? []
    const rows: Row[] = []
    for (let i = skip; i < found.length; i++) {
      done += 1
      const cells = found[i]!.Data ?? []
      rows.push(
        decodeCells(
          plan,
          cells.map((cell) => cell.VarCharValue),
          done,
        ),
      )
    }
    skip = 0
    if (rows.length > 0) yield rows
    page = await ahead
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

const writing = /^(?:INSERT|CREATE_TABLE_AS_SELECT|CTAS|UPDATE|DELETE|MERGE|UNLOAD)/i

/** SELECT-like statements only: those of type DML that neither write nor explain (by their substatement type, else first word). */
export function hasHeader(execution: QueryExecution): boolean {
  return execution.StatementType === 'DML' && !writing.test(kindOf(execution)) && !/^EXPLAIN/i.test(kindOf(execution))
}

function writesRows(execution: QueryExecution): boolean {
  if (writing.test(kindOf(execution))) return !/^UNLOAD/i.test(kindOf(execution))
  return /^\s*CREATE\s+TABLE\b/i.test(execution.Query ?? '') && execution.StatementType === 'DML'
}

function kindOf(execution: QueryExecution): string {
  return execution.SubstatementType ?? keywordOf(execution.Query ?? '')
}
