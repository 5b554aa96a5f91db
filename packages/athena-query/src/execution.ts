import type { QueryExecution } from '@aws-sdk/client-athena'
import { anySignal, type Duration, durationMs, PipeError, sleep } from '@pipe/core'
import { pauseMs } from './attempts'
import type { Connection } from './connection'
import { failureOf } from './failure'
import { mayRunAgain } from './rerun'
import type { FollowOptions, RunOptions } from './run-options'
import type { Admitted } from './scheduler'
import { checkStatement, stopExecution, submit } from './submission'

/** One execution on its way. */
export interface Run {
  /** Resolves when it is submitted. Of a statement that is run again, the first. */
  readonly id: Promise<string>
  /** Resolves when it has succeeded. */
  readonly ended: Promise<QueryExecution>
  /** Runs of the statement so far. */
  runs(): number
  /** Stops it on the server unless it has ended; `ended` then rejects with the reason. */
  stop(reason: unknown): Promise<void>
}

// A caller that aborts waits this long for the server to take the stop; after that the stop goes on by itself.
const stopPatienceMs = 5_000
const longestTimerMs = 2 ** 31 - 1

/** An execution by its submission or by an id that is known. */
type Begin = (around: { readonly signal: AbortSignal; readonly attempt: number; onPause(): void }) => Promise<Admitted<string>>

/**
 * Submits a statement and follows it to its end. Whatever ends the wait early (the signal, the time-out, `stop`, `close()`, a failing
 * call, a limit) also stops the execution on the server, with a request of its own. It is submitted a second time only when the first has failed and
 * {@link mayRunAgain}.
 */
export function startRun(connection: Connection, statement: string, options: RunOptions): Run {
  const begin: Begin = async (around) => {
    checkStatement(statement)
    connection.ledger.checkBudget()
    return submit(connection, statement, options, around)
  }
  return run(connection, begin, options, options.reruns ?? 1)
}

/** Follows an execution that was submitted elsewhere or before. It is never run again. */
export function attachRun(connection: Connection, id: string, options: FollowOptions): Run {
  return run(connection, async () => ({ value: id, release: () => undefined }), options, 0)
}

function run(connection: Connection, begin: Begin, options: FollowOptions, reruns: number): Run {
  const stopping = new AbortController()
  const signal = anySignal(options.signal, stopping.signal, connection.closing) as AbortSignal
  const startedAt = Date.now()
  let id: string | undefined
  let over = false
  /** Whether the submission is to be stopped when the wait ends. */
  let active = false
  let runs = 0
  let submission: Promise<Admitted<string>> | undefined
  let submitted: (id: string) => void = () => undefined
  let refused: (error: unknown) => void = () => undefined
  const firstId = new Promise<string>((resolve, reject) => {
    submitted = resolve
    refused = reject
  })
  const timer = armTimeout(options.timeout, () => stopping.abort(timeoutError(options.timeout!, id)))
  const queued = () => options.onProgress?.({ phase: 'queued', done: Date.now() - startedAt, unit: 'ms' })

  async function follow(): Promise<QueryExecution> {
    try {
      for (;;) {
        const execution = await runOnce()
        if (execution.Status?.State === 'SUCCEEDED') return execution
        if (runs > reruns || !mayRunAgain(execution)) throw failureOf(execution)
        queued()
        await sleep(pauseMs('slots', runs), signal)
      }
    } catch (error) {
      if (active && submission) await stopWithin(stopPatienceMs)
      refused(error)
      throw error
    } finally {
      over = true
      clearTimeout(timer)
    }
  }

  async function runOnce(): Promise<QueryExecution> {
    signal.throwIfAborted()
    active = true
    submission = begin({ signal, attempt: runs, onPause: queued })
    runs++
    const admitted = await unlessAborted(submission, signal)
    id = admitted.value
    submitted(id)
    try {
      queued()
      const execution = await connection.poller.untilEnded(id, { signal, pauses: connection.pauses, onState: seen })
      active = false
      connection.ledger.seen(execution, undefined)
      return execution
    } finally {
      admitted.release()
      connection.ledger.left(id)
    }
  }

  function seen(execution: QueryExecution): void {
    connection.ledger.seen(execution, options.maxScannedBytes)
    const phase = execution.Status?.State === 'RUNNING' ? 'running' : 'queued'
    options.onProgress?.({ phase, done: Date.now() - startedAt, unit: 'ms' })
  }

  async function stopWithin(ms: number): Promise<void> {
    const waiting = new AbortController()
    const stopped = stopSubmitted(connection, submission!).catch((error: unknown) => {
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
  firstId.catch(() => undefined)
  connection.track(ended)
  return {
    id: firstId,
    ended,
    runs: () => runs,
    stop: async (reason) => {
      if (over) return
      stopping.abort(reason)
      await ended.catch(() => undefined)
    },
  }
}

async function stopSubmitted(connection: Connection, submission: Promise<Admitted<string>>): Promise<void> {
  let admitted: Admitted<string>
  try {
    admitted = await submission
  } catch {
    return // Its error is the caller's already, and nothing runs.
  }
  admitted.release()
  await stopExecution(connection, admitted.value)
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
