import pRetry from 'p-retry'
import { type Clock, systemClock } from './clock'
import { type Duration, durationMs } from './duration'
import { ConfigError, PipeError } from './error'
import { checkOptions } from './options'

/** How {@link retry} goes about it. */
export interface RetryOptions {
  /** Calls in all, the first one included. Default 5. */
  readonly attempts?: number | undefined
  /** Upper bound of the first wait; it doubles with each attempt. Default `'100 ms'`. */
  readonly firstDelay?: Duration | undefined
  /** Upper bound of every wait. Default `'20 seconds'`. */
  readonly maxDelay?: Duration | undefined
  /** Whether the same call may succeed later. Default {@link isRetryable}. */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined
  /** An abort ends the waiting and rejects with its own `reason`; it is never retried. */
  readonly signal?: AbortSignal | undefined
  /** Where waits take place. Default {@link systemClock}. */
  readonly clock?: Clock | undefined
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/**
 * Calls `work` until it succeeds. Waits with full jitter in between: uniform between nothing and the doubled bound, so that many callers
 * that failed together do not come back together.
 *
 * The error of the last attempt is thrown as it is. An abort ends everything with `signal.reason` and is never retried.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `attempts` is not a whole number of at least 1.
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  checkOptions('retry', options, {
    optional: ['attempts', 'firstDelay', 'maxDelay', 'isRetryable', 'signal', 'clock', 'random'],
  })
  const { attempts = 5, signal, clock = systemClock, random = Math.random } = options
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new ConfigError(`retry needs a whole number of attempts, not ${attempts}.`)
  const firstMs = durationMs(options.firstDelay ?? '100 ms')
  const maxMs = durationMs(options.maxDelay ?? '20 seconds')
  const mayRetry = options.isRetryable ?? isRetryable

  // p-retry counts; the waiting is ours, for the clock and the jitter. Errors are boxed, as it turns what is no Error, and every
  // TypeError, into a final failure by itself.
  class Failed extends Error {
    constructor(readonly reason: unknown) {
      super('failed')
    }
  }
  try {
    return await pRetry(
      async (attempt) => {
        signal?.throwIfAborted()
        try {
          return await work(attempt)
        } catch (error) {
          throw new Failed(error)
        }
      },
      {
        retries: attempts - 1,
        minTimeout: 0,
        shouldRetry: async ({ error, attemptNumber }) => {
          if (signal?.aborted || !mayRetry((error as Failed).reason)) return false
          const bound = Math.min(maxMs, firstMs * 2 ** (attemptNumber - 1))
          await clock.sleep(Math.floor(random() * bound), signal)
          return true
        },
      },
    )
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw error instanceof Failed ? error.reason : error
  }
}

const networkCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
])

const throttlingNames =
  /^(Throttling|ThrottlingException|ThrottledException|TooManyRequestsException|SlowDown|RequestLimitExceeded|ProvisionedThroughputExceededException|RequestTimeout|TimeoutError|InternalError|ServiceUnavailable)$/

/**
 * Whether the same call may succeed later: a PipeError that says so, an answer 429 or 5xx, throttling, or a broken connection. Never an
 * abort, and never an error that nothing is known about.
 */
export function isRetryable(error: unknown): boolean {
  if (PipeError.isInstance(error)) return error.retryable
  if (typeof error !== 'object' || error === null) return false
  const { name, code, $metadata, $retryable } = error as {
    name?: unknown
    code?: unknown
    $metadata?: { httpStatusCode?: number }
    $retryable?: unknown
  }
  if (name === 'AbortError') return false
  const status = $metadata?.httpStatusCode ?? 0
  return (
    status === 429 ||
    status >= 500 ||
    ($retryable !== undefined && $retryable !== null) ||
    throttlingNames.test(String(name)) ||
    networkCodes.has(String(code))
  )
}
