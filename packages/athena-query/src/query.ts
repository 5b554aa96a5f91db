import { ReadableStream } from 'node:stream/web'
import type { QueryExecution } from '@aws-sdk/client-athena'
import { PipeError, type RowOfColumns } from '@pipe/core'
import type { Connection } from './connection'
import { attachRun, type Run, startRun } from './execution'
import { type ExecutionReport, reportOf } from './report'
import { type QueryStatement, queryStatement, type RouteOptions, resumedStatement } from './result/query-statement'
import { firstRow, type OpenResult, type OpenResultOptions, openResult, type ResultDescription } from './result/read-result'
import { checkReturns, type Returns } from './result/row-plan'
import type { FollowOptions, RunOptions } from './run-options'

/** Options of {@link Athena.query}. */
export interface QueryOptions<R extends Returns | 'text'> extends RunOptions, RouteOptions {
  /**
   * The columns of the result. Every column of Athena may be NULL: declare those `.nullable()` in which a NULL is no mistake. `'text'`: rows
   * are arrays of Athena's own texts by position, `null` for NULL; names may be there twice, nothing is decoded.
   */
  readonly returns: R
}

/** Options of {@link Athena.resume}. */
export interface ResumeOptions<R extends Returns | 'text'> extends FollowOptions {
  /** As in {@link QueryOptions}. Default `'text'`. */
  readonly returns?: R | undefined
  /** How the rows come. Default `'auto'`; those of an UNLOAD always come from its files. */
  readonly route?: 'auto' | 'pages' | 'file' | undefined
}

/** Names of the options of a query that decide about its route. */
export const routeOptionNames: readonly string[] = ['route', 'nested']

/** The rows of a query with these `returns`. */
export type QueryRow<R extends Returns | 'text'> = R extends Returns ? RowOfColumns<R> : (string | null)[]

/**
 * A query. Nothing runs before it is iterated or one of its methods is called; it runs once. Rows are read from the result each time
 * they are asked for, a page at a time, and never all held (but by `rows()`).
 */
export interface Query<Row> extends AsyncIterable<Row>, AsyncDisposable {
  /** All rows. For results that fit into memory. */
  rows(): Promise<Row[]>
  /** The first row; reads no further. */
  first(): Promise<Row | undefined>
  /** The rows as a Web stream, at the pace of its reader. Cancelling it stops the query. */
  stream(): ReadableStream<Row>
  /** How the rows come, and their columns. Waits for the execution. */
  result(): Promise<ResultDescription>
  /** Submits it, and resolves with the id of its execution: for {@link Athena.resume} in another process. */
  id(): Promise<string>
  /** Ends when the execution has ended. Rejects when it failed. */
  report(): Promise<ExecutionReport>
  /** Stops it on the server. Idempotent. Leaving the iteration early does the same. */
  cancel(): Promise<void>
}

/** Makes a query over one statement. */
export function createQuery<Row>(
  connection: Connection,
  text: string,
  options: QueryOptions<Returns | 'text'>,
  warnings: readonly string[],
): Query<Row> {
  const { returns } = options
  if (returns !== 'text') checkReturns(returns)
  const statement = queryStatement(text, returns, options, connection.output)
  const begin = () => startRun(connection, statement.text, options)
  return queryOf(connection, { begin, returns, warnings, statementOf: () => statement }, options)
}

/** Makes a query over an execution that was submitted before. */
export function resumeQuery<Row>(connection: Connection, id: string, options: ResumeOptions<Returns | 'text'>): Query<Row> {
  const { returns = 'text', route = 'auto' } = options
  if (returns !== 'text') checkReturns(returns)
  const begin = () => attachRun(connection, id, options)
  const statementOf = ({ Query: text = '' }: QueryExecution) => resumedStatement(text, route)
  return queryOf(connection, { begin, returns, warnings: [], statementOf }, options)
}

interface QuerySource {
  begin(): Run
  readonly returns: Returns | 'text'
  readonly warnings: readonly string[]
  statementOf(execution: QueryExecution): QueryStatement
}

function queryOf<Row>(connection: Connection, source: QuerySource, options: FollowOptions): Query<Row> {
  let run: Run | undefined
  let cancelled = false
  let opened: Promise<OpenResult> | undefined
  const reading = new AbortController()
  const start = () => {
    if (cancelled && !run) throw cancelledError()
    run ??= source.begin()
    return run
  }
  const signalWith = (left?: AbortSignal) =>
    AbortSignal.any([options.signal, connection.closing, reading.signal, left].filter((signal) => signal !== undefined))

  async function resultOptions(): Promise<OpenResultOptions> {
    const execution = await start().ended
    const { client, openStore } = connection
    const { returns } = source
    return { client, openStore, execution, statement: source.statementOf(execution), returns, signal: signalWith() }
  }

  async function open(): Promise<OpenResult> {
    // A failure is not kept: who asks again, tries again.
    opened ??= resultOptions()
      .then(openResult)
      .catch((error: unknown) => {
        opened = undefined
        throw error
      })
    return opened
  }

  async function* batches(left: AbortSignal): AsyncGenerator<Row[]> {
    let done = 0
    for await (const rows of (await open()).rows(signalWith(left))) {
      done += rows.length
      options.onProgress?.({ phase: 'reading', done, unit: 'rows' })
      yield rows as Row[]
    }
  }

  async function* rowsOf(left: AbortSignal): AsyncGenerator<Row> {
    for await (const batch of batches(left)) {
      for (const row of batch) {
        options.signal?.throwIfAborted()
        yield row
      }
    }
  }

  function iterate(): AsyncIterator<Row> {
    const left = new AbortController()
    const rows = rowsOf(left.signal)
    return {
      next: () => rows.next(),
      return: async () => {
        // A generator that waits does not hear of its return before it has something: the wait is ended first.
        await run?.stop(cancelledError())
        left.abort(cancelledError())
        await rows.return(undefined)
        return { done: true, value: undefined }
      },
    }
  }

  async function cancel(): Promise<void> {
    cancelled = true
    await run?.stop(cancelledError())
    reading.abort(cancelledError())
  }

  return {
    [Symbol.asyncIterator]: iterate,
    rows: async () => {
      const all: Row[] = []
      for await (const batch of batches(reading.signal)) for (const row of batch) all.push(row)
      return all
    },
    first: async () => (await firstRow(await resultOptions())) as Row | undefined,
    stream: () => streamOf(iterate()),
    result: async () => (await open()).description,
    id: async () => start().id,
    report: async () => {
      const { ended, runs } = start()
      const execution = await ended
      return reportOf(execution, { prices: connection.prices, runs: runs(), warnings: source.warnings })
    },
    cancel,
    [Symbol.asyncDispose]: cancel,
  }
}

function streamOf<Row>(rows: AsyncIterator<Row>): ReadableStream<Row> {
  return new ReadableStream<Row>(
    {
      async pull(controller) {
        const next = await rows.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await rows.return?.()
      },
    },
    // Nothing is read ahead of the reader.
    { highWaterMark: 0 },
  )
}

function cancelledError(): PipeError {
  return new PipeError('PIPE_ATHENA_CANCELLED', 'The query was cancelled by its caller.')
}
