import type { AthenaClient, ColumnInfo, QueryExecution } from '@aws-sdk/client-athena'
import { anySignal, ConfigError, PipeError, typeName } from '@pipe/core'
import { csvRows } from './csv-rows'
import { hasHeader, maxPageRows, pageRows, type ResultPage, resultPage } from './pages'
import type { QueryStatement, ResultRoute } from './query-statement'
import { type OpenStore, openResultObject, splitUri } from './result-object'
import { type ResultColumn, type Returns, type RowPlan, resultColumns, rowPlan, textPlan } from './row-plan'
import { unloadRows } from './unload-rows'

/** How the rows of a query come, and their columns. */
export interface ResultDescription {
  /** `pages`: GetQueryResults; `file`: the result CSV in S3; `unload`: Parquet files of an UNLOAD. */
  readonly route: ResultRoute
  /** Why this one. */
  readonly why: string
  /** In the order of the result; names may be there twice. Of an UNLOAD the declared ones. */
  readonly columns: readonly ResultColumn[]
}

const noStoreHint = 'Give createAthena({ client, s3: new S3Client({ … }) }).'

/** A result that can be read, as often as wanted. */
export interface OpenResult {
  readonly description: ResultDescription
  /** All rows, in batches. */
  rows(signal: AbortSignal | undefined): AsyncGenerator<unknown[]>
}

/** What {@link openResult} takes. */
export interface OpenResultOptions {
  readonly client: AthenaClient
  /** Absent when the client has no access to S3. */
  readonly openStore: OpenStore | undefined
  readonly execution: QueryExecution
  readonly statement: QueryStatement
  readonly returns: Returns | 'text'
  readonly signal: AbortSignal | undefined
}

/**
 * Opens the result of an execution that has succeeded: checks its columns against the declared ones and chooses the route.
 *
 * With `auto`, one page is read: when it holds all rows, that is it. A larger result is read from its file in S3, if there is one that may be
 * read; else page by page.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_COLUMN` when the columns are not those of `returns`.
 */
export async function openResult(options: OpenResultOptions): Promise<OpenResult> {
  const { statement, execution } = options
  if (statement.route === 'unload') return openUnload(options)
  const first = await pageOf(options, options.signal, statement.route === 'file' ? 1 : maxPageRows)
  const { info, plan } = planOf(options, first)
  const { route, why } = await chooseRoute(options, first)
  const description = { route, why, columns: resultColumns(info) }
  if (route === 'file') return { description, rows: (signal) => fileRows(options, plan, info, signal) }
  let held: ResultPage | undefined = first
  return {
    description,
    async *rows(signal) {
      const leaving = new AbortController()
      const either = anySignal(signal, leaving.signal)
      try {
        const page: ResultPage = held ?? (await pageOf(options, either, maxPageRows))
        // A result that fits on one page stays: reading it again costs nothing.
        if (page.NextToken) held = undefined
        yield* pageRows(page, plan, hasHeader(execution), (token) => pageOf(options, either, maxPageRows, token))
      } finally {
        leaving.abort()
      }
    },
  }
}

/** The first row of a result, with little more than it read. */
export async function firstRow(options: OpenResultOptions): Promise<unknown> {
  if (options.statement.route === 'unload') {
    for await (const rows of openUnload(options).rows(options.signal)) return rows[0]
    return undefined
  }
  const header = hasHeader(options.execution)
  const page = await pageOf(options, options.signal, header ? 2 : 1)
  const { plan } = planOf(options, page)
  const only = { ...page, NextToken: undefined }
  for await (const rows of pageRows(only, plan, header, () => Promise.reject(new Error('there is no page behind it'))))
    return rows[0]
  return undefined
}

function planOf({ returns }: OpenResultOptions, page: ResultPage): { info: ColumnInfo[]; plan: RowPlan<unknown> } {
  const info = page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
  return { info, plan: returns === 'text' ? textPlan(info) : rowPlan(returns, info) }
}

function pageOf(
  { client, execution }: OpenResultOptions,
  signal: AbortSignal | undefined,
  maxResults: number,
  token?: string,
): Promise<ResultPage> {
  return resultPage(client, execution.QueryExecutionId!, { token, maxResults, signal })
}

async function chooseRoute(
  { statement, execution, openStore, signal }: OpenResultOptions,
  first: ResultPage,
): Promise<{ readonly route: 'pages' | 'file'; readonly why: string }> {
  if (statement.route === 'pages') return { route: 'pages', why: statement.why }
  const refusal = noFileReason(execution) ?? (openStore ? undefined : 'no client of S3 was given')
  if (statement.route === 'file') {
    if (refusal === undefined) return { route: 'file', why: statement.why }
    throw new PipeError('PIPE_ATHENA_RESULT', `Execution ${execution.QueryExecutionId} has no file to read: ${refusal}.`, {
      hint: openStore ? "Read it by route: 'pages'." : noStoreHint,
    })
  }
  if (!first.NextToken) return { route: 'pages', why: `not more than ${maxPageRows} rows` }
  if (refusal !== undefined) return { route: 'pages', why: refusal }
  const { bucket, key } = splitUri(execution.ResultConfiguration!.OutputLocation!)
  try {
    await openStore!(bucket).head(key, signal === undefined ? {} : { signal })
  } catch (error) {
    if (!PipeError.isInstance(error) || error.code !== 'PIPE_IAM_DENIED') throw error
    return { route: 'pages', why: 'the result file may not be read' }
  }
  return { route: 'file', why: `more than ${maxPageRows} rows` }
}

/** Why the rows of an execution cannot be read from a CSV in S3; `undefined` when they can. */
function noFileReason(execution: QueryExecution): string | undefined {
  const { OutputLocation: output, EncryptionConfiguration: encryption } = execution.ResultConfiguration ?? {}
  if (!hasHeader(execution)) return 'the statement is no query'
  if (!output?.endsWith('.csv')) return 'Athena manages the result'
  // Encrypted by the client of S3, not by S3: the object is no text.
  return encryption?.EncryptionOption === 'CSE_KMS' ? 'the result file is encrypted with CSE_KMS' : undefined
}

async function* fileRows(
  { openStore, execution }: OpenResultOptions,
  plan: RowPlan<unknown>,
  info: readonly ColumnInfo[],
  signal: AbortSignal | undefined,
): AsyncGenerator<unknown[]> {
  const file = execution.ResultConfiguration!.OutputLocation!
  const object = await openResultObject(openStore!, file, signal)
  const source = object.stream()
  try {
    yield* csvRows(source, { plan, header: info.map(({ Name = '' }) => Name), file, signal })
  } finally {
    source.destroy()
  }
}

function openUnload({ statement, execution, returns, openStore }: OpenResultOptions): OpenResult {
  if (openStore === undefined)
    throw new ConfigError('query: an UNLOAD is read from S3, and no client of S3 was given.', { hint: noStoreHint })
  const declared = returns as Returns
  const columns = Object.entries(declared).map(([name, { type }]) => ({ name, type: typeName(type, 'trino') }))
  return {
    description: { route: 'unload', why: statement.why, columns },
    rows: (signal) => {
      const manifest = execution.Statistics?.DataManifestLocation
      if (!manifest) {
        throw new PipeError('PIPE_ATHENA_RESULT', `Execution ${execution.QueryExecutionId} names no manifest of its files.`)
      }
      return unloadRows({ returns: declared, openStore, target: statement.target!, manifest, signal })
    },
  }
}
