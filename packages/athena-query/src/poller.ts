import { type AthenaClient, BatchGetQueryExecutionCommand, type QueryExecution } from '@aws-sdk/client-athena'
import { PipeError } from '@pipe/core'
import { repeat } from './request'

/** Follows executions until they end, all with the same few calls. */
export interface Poller {
  /**
   * Resolves when the execution has ended, in whichever state. `onState` is told of each look.
   *
   * @throws the signal's reason, or the error of the call.
   */
  untilEnded(
    id: string,
    options: { signal?: AbortSignal | undefined; onState(execution: QueryExecution): void },
  ): Promise<QueryExecution>
  close(): void
}

interface Watch {
  readonly id: string
  pauseMs: number
  dueAt: number
  missing: number
  readonly onState: (execution: QueryExecution) => void
  readonly end: (execution: QueryExecution) => void
  readonly fail: (error: unknown) => void
}

// BatchGetQueryExecution takes up to 50 ids.
const batchSize = 50
// A new execution may not be visible to the batch call at once.
const maxMissing = 20

/** One poller a client. The pause between looks at one execution grows by half from the first to the second value. */
export function createPoller(client: AthenaClient, [firstMs, longestMs]: readonly [number, number]): Poller {
  const watches = new Set<Watch>()
  const closing = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let looking = false

  function arm(): void {
    if (looking || closing.signal.aborted) return
    clearTimeout(timer)
    if (watches.size === 0) return
    const due = Math.min(...[...watches].map((watch) => watch.dueAt))
    timer = setTimeout(() => void look(), Math.max(0, due - Date.now()))
  }

  async function look(): Promise<void> {
    looking = true
    // Those that are due, and as many of the others as the same call can carry.
    const batch = [...watches].sort((a, b) => a.dueAt - b.dueAt).slice(0, batchSize)
    try {
      const ids = batch.map((watch) => watch.id)
      const answer = await repeat(
        'BatchGetQueryExecution',
        (abortSignal) =>
          client.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids }), abortSignal ? { abortSignal } : {}),
        { signal: closing.signal },
      )
      const found = new Map(answer.QueryExecutions?.map((execution) => [execution.QueryExecutionId, execution]))
      const refused = new Map(answer.UnprocessedQueryExecutionIds?.map((one) => [one.QueryExecutionId, one]))
      // Those that have left meanwhile hear nothing more.
      for (const watch of batch.filter((one) => watches.has(one))) {
        const execution = found.get(watch.id)
        if (execution) seen(watch, execution)
        else notSeen(watch, refused.get(watch.id))
      }
    } catch (error) {
      for (const watch of batch) watch.fail(error)
    } finally {
      looking = false
      arm()
    }
  }

  function seen(watch: Watch, execution: QueryExecution): void {
    const state = execution.Status?.State
    watch.missing = 0
    if (state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED') {
      watch.end(execution)
      return
    }
    wait(watch)
    // A mistake in the caller's callback ends this query only, not the look at the others.
    try {
      watch.onState(execution)
    } catch (error) {
      watch.fail(error)
    }
  }

  function notSeen(
    watch: Watch,
    refusal: { ErrorCode?: string | undefined; ErrorMessage?: string | undefined } | undefined,
  ): void {
    watch.missing += 1
    if (watch.missing < maxMissing) {
      wait(watch)
      return
    }
    const why = refusal ? `${refusal.ErrorCode ?? ''} ${refusal.ErrorMessage ?? ''}`.trim() : 'it is not in the answer'
    watch.fail(
      new PipeError('PIPE_ATHENA_UNAVAILABLE', `Athena does not tell the state of execution ${watch.id}: ${why}.`, {
        retryable: true,
        details: { id: watch.id },
      }),
    )
  }

  function wait(watch: Watch): void {
    watch.dueAt = Date.now() + watch.pauseMs
    watch.pauseMs = Math.min(longestMs, watch.pauseMs * 1.5)
  }

  return {
    untilEnded: (id, { signal, onState }) =>
      new Promise<QueryExecution>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const forget = () => {
          watches.delete(watch)
          signal?.removeEventListener('abort', onAbort)
        }
        const watch: Watch = {
          id,
          pauseMs: firstMs,
          dueAt: 0,
          missing: 0,
          onState,
          end: (execution) => {
            forget()
            resolve(execution)
          },
          fail: (error) => {
            forget()
            reject(error)
          },
        }
        const onAbort = () => watch.fail(signal?.reason)
        signal?.addEventListener('abort', onAbort, { once: true })
        wait(watch)
        watches.add(watch)
        arm()
      }),
    close: () => {
      closing.abort(new PipeError('PIPE_ATHENA_CLOSED', 'The Athena client was closed.'))
      clearTimeout(timer)
      for (const watch of [...watches]) watch.fail(closing.signal.reason)
    },
  }
}
