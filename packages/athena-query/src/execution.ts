import { createHash, randomUUID } from 'node:crypto'
import {
  type AthenaClient,
  type QueryExecution,
  type ResultConfiguration,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { anySignal, ConfigError, type Duration, durationMs, PipeError, type S3Location, sleep } from '@pipe/core'
import { failureOf } from './failure'
import type { Poller } from './poller'
import { maxStatementBytes } from './render'
import { repeat } from './request'
import type { OpenStore } from './result/result-object'

/** Options of one execution. */
export interface RunOptions {
  /** Aborting stops the execution on the server; the call then rejects with the signal's own reason. */
  readonly signal?: AbortSignal | undefined
  /** After this the execution is stopped on the server and the call rejects with `PIPE_ATHENA_TIMEOUT`. Default none. */
  readonly timeout?: Duration | undefined
  /** Database for this statement only. */
  readonly database?: string | undefined
  /**
   * Same key and same statement: Athena gives back the same execution instead of running it again, also when that one failed. A retry
   * after a failure therefore needs another key.
   */
  readonly idempotencyKey?: string | undefined
  /** Called when the execution is submitted, at each look at it, and for each page of rows. */
  readonly onProgress?:
    | ((progress: { phase: 'queued' | 'running' | 'reading'; done: number; unit: 'ms' | 'rows' }) => void)
    | undefined
}

/** Names of {@link RunOptions}. */
export const runOptionNames: readonly string[] = ['signal', 'timeout', 'database', 'idempotencyKey', 'onProgress']

/** What one execution did and cost. */
export interface ExecutionReport {
  readonly id: string
  /** `DML`, `DDL` or `UTILITY`, as Athena says. */
  readonly statementType: string
  /** From submission to end, with the time in the queue. */
  readonly elapsedMs: number
  readonly queuedMs: number
  /** What Athena charges for (it bills at least 10 MB a query). */
  readonly scannedBytes: number
  /** Rows written by CTAS and INSERT; 0 for others. */
  readonly updatedRows: number
  /** `s3://…` of the result file; absent with managed results. */
  readonly outputLocation: string | undefined
}

/** What all executions of a client share. */
export interface Connection {
  readonly client: AthenaClient
  readonly poller: Poller
  readonly workgroup: string
  readonly database: string | undefined
  /** Aborts when the client closes. */
  readonly closing: AbortSignal
  /** Where result files go, as the client was told. */
  readonly output: S3Location | undefined
  /** Opens a bucket, to read results from. Absent when the caller gave a client of Athena and none of S3. */
  readonly openStore: OpenStore | undefined
  resultConfiguration(signal: AbortSignal | undefined): Promise<ResultConfiguration | undefined>
  /** Tells of work that `close()` waits for. */
  track(work: Promise<unknown>): void
}

/** One execution on its way. */
export interface Run {
  /** Resolves when it has succeeded. */
  readonly ended: Promise<QueryExecution>
  /** Stops it on the server unless it has ended; `ended` then rejects with the reason. */
  stop(reason: unknown): Promise<void>
}

// A caller that aborts waits this long for the server to take the stop; after that the stop goes on by itself.
const stopPatienceMs = 5_000
const longestTimerMs = 2 ** 31 - 1

/**
 * Submits a statement and follows it to its end. Whatever ends the wait early (the signal, the time-out, `stop`, `close()`, a failing
 * call) also stops the execution on the server, with a request of its own. Nothing ever submits it a second time.
 */
export function startRun(connection: Connection, statement: string, options: RunOptions): Run {
  const stopping = new AbortController()
  const signal = anySignal(options.signal, stopping.signal, connection.closing) as AbortSignal
  const startedAt = Date.now()
  let id: string | undefined
  let over = false
  let submission: Promise<string> | undefined
  const timer = armTimeout(options.timeout, () => stopping.abort(timeoutError(options.timeout!, id)))

  async function follow(): Promise<QueryExecution> {
    try {
      checkStatement(statement)
      signal.throwIfAborted()
      const queued = () => options.onProgress?.({ phase: 'queued', done: Date.now() - startedAt, unit: 'ms' })
      submission = submit(connection, statement, options, { signal, onPause: queued })
      id = await unlessAborted(submission, signal)
      queued()
      const execution = await connection.poller.untilEnded(id, {
        signal,
        onState: (seen) =>
          options.onProgress?.({
            phase: seen.Status?.State === 'RUNNING' ? 'running' : 'queued',
            done: Date.now() - startedAt,
            unit: 'ms',
          }),
      })
      over = true
      if (execution.Status?.State !== 'SUCCEEDED') throw failureOf(execution)
      return execution
    } catch (error) {
      if (!over && submission) await stopWithin(stopPatienceMs)
      throw error
    } finally {
      over = true
      clearTimeout(timer)
    }
  }

  async function stopWithin(ms: number): Promise<void> {
    const waiting = new AbortController()
    const stopped = stopSubmitted(connection.client, submission!).catch((error: unknown) => {
      // The caller gets the reason of the abort, unwrapped; that the query may go on and cost money must still be seen.
      process.emitWarning(`Execution ${id ?? '(not yet known)'} may still be running: ${(error as Error).message}`, {
        code: 'PIPE_ATHENA_STOP',
      })
    })
    await Promise.race([stopped, sleep(ms, waiting.signal).catch(() => undefined)])
    waiting.abort()
  }

  const ended = follow()
  // Whoever waits gets the error; when nobody does (a query that was left), it is not an unhandled rejection.
  ended.catch(() => undefined)
  connection.track(ended)
  return {
    ended,
    stop: async (reason) => {
      if (over) return
      stopping.abort(reason)
      await ended.catch(() => undefined)
    },
  }
}

async function submit(
  connection: Connection,
  statement: string,
  options: RunOptions,
  waiting: { signal: AbortSignal; onPause(): void },
): Promise<string> {
  const { workgroup, client } = connection
  const database = options.database ?? connection.database
  const resultConfiguration = await connection.resultConfiguration(waiting.signal)
  const command = {
    QueryString: statement,
    ClientRequestToken: tokenOf(statement, options.idempotencyKey),
    WorkGroup: workgroup,
    ...(database === undefined ? {} : { QueryExecutionContext: { Database: database } }),
    ...(resultConfiguration === undefined ? {} : { ResultConfiguration: resultConfiguration }),
  }
  // The request itself is not cut by the signal: its reply holds the id, without which the execution could not be stopped.
  const answer = await repeat('StartQueryExecution', () => client.send(new StartQueryExecutionCommand(command)), waiting)
  if (!answer.QueryExecutionId) throw new PipeError('PIPE_ATHENA_UNAVAILABLE', 'Athena answered without an execution id.')
  return answer.QueryExecutionId
}

/** The token that makes a repeated submission the same execution: random, or made from the caller's key and the statement. */
export function tokenOf(statement: string, idempotencyKey: string | undefined): string {
  return idempotencyKey === undefined
    ? randomUUID()
    : createHash('sha256').update(idempotencyKey).update('\0').update(statement).digest('hex')
}

async function stopSubmitted(client: AthenaClient, submission: Promise<string>): Promise<void> {
  let id: string
  try {
    id = await submission
  } catch {
    return // Its error is the caller's already, and nothing runs.
  }
  const signal = AbortSignal.timeout(60_000)
  await repeat(
    'StopQueryExecution',
    (abortSignal) => client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), abortSignal ? { abortSignal } : {}),
    { signal, id },
  )
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function armTimeout(timeout: Duration | undefined, onTimeout: () => void): NodeJS.Timeout | undefined {
  return timeout === undefined ? undefined : setTimeout(onTimeout, Math.min(durationMs(timeout), longestTimerMs))
}

function timeoutError(timeout: Duration, id: string | undefined): PipeError {
  const what = id === undefined ? 'The statement was not yet submitted' : `Execution ${id} had not ended`
  return new PipeError('PIPE_ATHENA_TIMEOUT', `${what} after ${timeout}; it is being stopped on the server.`, {
    hint: 'Read fewer partitions, or give a longer timeout.',
    details: { id },
  })
}

function checkStatement(statement: string): void {
  if (statement.trim() === '') throw new ConfigError('The statement is empty.', { code: 'PIPE_ATHENA_SQL' })
  const bytes = Buffer.byteLength(statement)
  if (bytes > maxStatementBytes) {
    throw new PipeError(
      'PIPE_ATHENA_QUERY_TOO_LONG',
      `The statement has ${bytes} bytes in UTF-8; Athena takes ${maxStatementBytes}. It was not sent.`,
      { hint: 'Split it, or put long lists into a table.', details: { bytes, maxBytes: maxStatementBytes } },
    )
  }
}

/** The report of an execution that has succeeded. */
export function reportOf(execution: QueryExecution, updatedRows: number): ExecutionReport {
  const { Statistics: statistics, Status: status } = execution
  const span = (status?.CompletionDateTime?.getTime() ?? 0) - (status?.SubmissionDateTime?.getTime() ?? 0)
  return {
    id: execution.QueryExecutionId ?? '',
    statementType: execution.StatementType ?? '',
    elapsedMs: statistics?.TotalExecutionTimeInMillis ?? Math.max(0, span),
    queuedMs: statistics?.QueryQueueTimeInMillis ?? 0,
    scannedBytes: statistics?.DataScannedInBytes ?? 0,
    updatedRows,
    outputLocation: execution.ResultConfiguration?.OutputLocation,
  }
}
