import { type Duration, durationMs, PipeError } from '@pipe/core'
import type { LambdaContext } from '@pipe/core/internal'

/** The part of a Lambda context that the handlers of this package use; AWS's own fits. */
export type { LambdaContext }

/** What every handler is given beside its input. */
export interface HandlerContext {
  /** Aborts shortly before the function runs out of time, with a PipeError `PIPE_DEADLINE`. */
  readonly signal: AbortSignal
  /** Milliseconds until then; `Infinity` where nobody set a limit. */
  remainingMs(): number
}

/** Options of every handler. */
export interface DeadlineOptions {
  /** Time kept at the end of an invocation for answering. Default `'1 second'`. */
  readonly reserve?: Duration
}

/** Why work was stopped before the function's time-out. */
export function deadlineError(): PipeError {
  return new PipeError('PIPE_DEADLINE', 'The invocation is about to run out of time.', {
    retryable: true,
    hint: 'Give the function more time, or fewer records a batch.',
  })
}

/** Runs `work` with a signal that aborts when the invocation's time, less the reserve, is over. Its timer ends with the work. */
export async function withDeadline<T>(
  context: LambdaContext | undefined,
  reserve: Duration | undefined,
  work: (context: HandlerContext) => Promise<T>,
): Promise<T> {
  const reserveMs = durationMs(reserve ?? '1 second')
  const remainingMs = () => (context ? Math.max(0, context.getRemainingTimeInMillis() - reserveMs) : Number.POSITIVE_INFINITY)
  const controller = new AbortController()
  const left = remainingMs()
  const abort = () => controller.abort(deadlineError())
  // Time-outs of functions are real time, also under a virtual clock.
  const timer = Number.isFinite(left) ? setTimeout(abort, left) : undefined
  try {
    if (left <= 0) abort()
    return await work({ signal: controller.signal, remainingMs })
  } finally {
    clearTimeout(timer)
  }
}

/** Settles as `work` does, or rejects with the signal's reason when that comes first: the handler may not listen. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) {
      // Its error belongs to nobody any more.
      work.catch(() => {})
      return onAbort()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** A handler's failure, for the log: one line with what failed. */
export function logFailure(what: string, error: unknown): void {
  console.error(`${what}: ${error instanceof Error ? error.message : String(error)}`)
}
