import { PipeError } from '@pipe/core'
import { checkReturns, type Returns } from './decode'
import { type Connection, type ExecutionReport, type Run, type RunOptions, reportOf, startRun } from './execution'
import { readRows } from './result-pages'

/** Options of {@link Athena.query}. */
export interface QueryOptions<R extends Returns> extends RunOptions {
  /** The columns of the result. Every column of Athena may be NULL: declare those `.nullable()` in which a NULL is no mistake. */
  readonly returns: R
}

/**
 * A query. Nothing runs before it is iterated or one of its methods is called; it runs once. Rows are read from the result each time
 * they are asked for, a page at a time, and never all held (but by `rows()`).
 */
export interface Query<Row> extends AsyncIterable<Row>, AsyncDisposable {
  /** All rows. For results that fit into memory. */
  rows(): Promise<Row[]>
  /** The first row; reads no further. */
  first(): Promise<Row | undefined>
  /** Ends when the execution has ended. Rejects when it failed. */
  report(): Promise<ExecutionReport>
  /** Stops it on the server. Idempotent. Leaving the iteration early does the same. */
  cancel(): Promise<void>
}

/** Makes a query over one statement. */
export function createQuery<Row>(connection: Connection, statement: string, options: QueryOptions<Returns>): Query<Row> {
  checkReturns(options.returns)
  let run: Run | undefined
  let cancelled = false
  const reading = new AbortController()
  const start = () => {
    if (cancelled && !run) throw cancelledError()
    run ??= startRun(connection, statement, options)
    return run
  }

  async function* pages(firstPageRows: number | undefined, left: AbortSignal): AsyncGenerator<Row[]> {
    const execution = await start().ended
    const signals = [options.signal, connection.closing, reading.signal, left].filter((signal) => signal !== undefined)
    yield* readRows(connection.client, execution, options.returns, {
      signal: AbortSignal.any(signals),
      firstPageRows,
      onRows: (done) => options.onProgress?.({ phase: 'reading', done, unit: 'rows' }),
    }) as AsyncGenerator<Row[]>
  }

  async function* rowsOf(left: AbortSignal): AsyncGenerator<Row> {
    for await (const page of pages(undefined, left)) {
      for (const row of page) {
        options.signal?.throwIfAborted()
        yield row
      }
    }
  }

  async function cancel(): Promise<void> {
    cancelled = true
    await run?.stop(cancelledError())
    reading.abort(cancelledError())
  }

  return {
    [Symbol.asyncIterator]: () => {
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
    },
    rows: async () => {
      const all: Row[] = []
      for await (const page of pages(undefined, reading.signal)) for (const row of page) all.push(row)
      return all
    },
    first: async () => {
      for await (const page of pages(1, reading.signal)) return page[0]
      return undefined
    },
    report: async () => reportOf(await start().ended, 0),
    cancel,
    [Symbol.asyncDispose]: cancel,
  }
}

function cancelledError(): PipeError {
  return new PipeError('PIPE_ATHENA_CANCELLED', 'The query was cancelled by its caller.')
}
