import { type AthenaClient, BatchGetQueryExecutionCommand, type QueryExecution } from '@aws-sdk/client-athena'
import { type Clock, PipeError } from '@pipe/core'
import { type Attempts, attemptsOf } from './attempts'

/** How an execution is followed. */
export interface WatchOptions {
  /** Pause before the first look at it, and the longest that it grows to. */
  readonly pauses: readonly [number, number]
  readonly signal: AbortSignal
  /** Told of each look that found it not ended. What it throws ends the watch. */
  onState(execution: QueryExecution): void
}

/** Follows executions until they end, all with the same few calls. */
export interface Poller {
  /**
   * Resolves when the execution has ended, in whichever state.
   *
   * @throws the signal's reason, or the error of the call.
   */
  untilEnded(id: string, options: WatchOptions): Promise<QueryExecution>
}

interface Watch {
  readonly id: string
  readonly longestMs: number
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
/** Between two looks when more than one execution is followed, however many they are. */
const spacingMs = 1_000

/**
 * One poller for all executions of a client of the SDK. One execution alone is looked at after its own pauses, which grow by half; as soon as
 * there are several, there is at most one call a second, for the 50 that have waited longest.
 */
export function createPoller(client: AthenaClient, clock: Clock): Poller {
  const watches = new Set<Watch>()
  let attempts: Attempts | undefined
  let lastLookAt = Number.NEGATIVE_INFINITY
  let notBefore = 0
  let waiting: AbortController | undefined
  let look: AbortController | undefined

  function arm(): void {
    waiting?.abort()
    waiting = undefined
    if (look || watches.size === 0) return
    const wait = new AbortController()
    waiting = wait
    clock.sleep(Math.max(0, nextLookAt() - clock.now()), wait.signal).then(
      () => {
        // A timer may be a little early.
        if (nextLookAt() > clock.now()) arm()
        else void takeLook()
      },
      () => undefined,
    )
  }

  function nextLookAt(): number {
    const all = [...watches]
    const due = Math.min(...all.map((watch) => watch.dueAt))
    // A caller who asks for faster looks gets them.
    const spacing = all.length > 1 ? Math.min(spacingMs, ...all.map((watch) => watch.longestMs)) : 0
    return Math.max(due, lastLookAt + spacing, notBefore)
  }

  async function takeLook(): Promise<void> {
    const current = new AbortController()
    look = current
    lastLookAt = clock.now()
    // Those that are due, and as many of the others as the same call can carry.
    const batch = [...watches].sort((a, b) => a.dueAt - b.dueAt).slice(0, batchSize)
    attempts ??= attemptsOf('BatchGetQueryExecution', undefined, clock)
    try {
      const command = new BatchGetQueryExecutionCommand({ QueryExecutionIds: batch.map((watch) => watch.id) })
      const answer = await client.send(command, { abortSignal: current.signal })
      attempts = undefined
      const found = new Map(answer.QueryExecutions?.map((execution) => [execution.QueryExecutionId, execution]))
      const refused = new Map(answer.UnprocessedQueryExecutionIds?.map((one) => [one.QueryExecutionId, one]))
      // Those that have left meanwhile hear nothing more.
      for (const watch of batch.filter((one) => watches.has(one))) {
        const execution = found.get(watch.id)
        if (execution) seen(watch, execution)
        else notSeen(watch, refused.get(watch.id))
      }
    } catch (error) {
      if (!current.signal.aborted) failed(batch, error)
    } finally {
      look = undefined
      arm()
    }
  }

  /** A look that failed is repeated as a look of its own, so that repeating adds no calls. */
  function failed(batch: readonly Watch[], error: unknown): void {
    try {
      notBefore = clock.now() + (attempts as Attempts).failed(error).pauseMs
    } catch (final) {
      attempts = undefined
      for (const watch of batch) watch.fail(final)
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
    watch.dueAt = clock.now() + watch.pauseMs
    watch.pauseMs = Math.min(watch.longestMs, watch.pauseMs * 1.5)
  }

  return {
    untilEnded: (id, { signal, onState, pauses: [firstMs, longestMs] }) =>
      new Promise<QueryExecution>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const forget = () => {
          watches.delete(watch)
          signal.removeEventListener('abort', onAbort)
          if (watches.size > 0) return
          // Nobody waits for the answer any more.
          waiting?.abort()
          look?.abort()
        }
        const watch: Watch = {
          id,
          longestMs,
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
        const onAbort = () => watch.fail(signal.reason)
        signal.addEventListener('abort', onAbort, { once: true })
        wait(watch)
        watches.add(watch)
        arm()
      }),
  }
}
