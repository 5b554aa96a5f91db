import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'

/** What to do with a record whose handler failed: again, away with it, or stop reading. */
export type FailureVerdict = 'retry' | 'dead-letter' | 'stop'

/** How often and how fast a failed record is handled again. Records of its key wait; others go on. */
export interface RetryOptions {
  /** Calls of the handler for one record, the first one included. Default 5. */
  readonly attempts?: number | undefined
  /** Pause before the second call; doubled for each one after it, ± 20 %. Default `'200 ms'`. */
  readonly backoff?: Duration | undefined
  /** Longest pause. Default `'30 seconds'`. */
  readonly maxBackoff?: Duration | undefined
  /**
   * Decides by the error. Default: `'retry'`. `'dead-letter'` spares the attempts that are left; `'stop'` ends the consumer with this
   * error, with nothing committed past the record.
   */
  readonly decide?: ((error: unknown, attempt: number) => FailureVerdict) | undefined
}

/** What follows a failure. `exhausted`: the attempts are used up; `dead-letter`: it was decided so. */
export type NextStep =
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'dead-letter' }
  | { readonly kind: 'stop' }

/** A retry policy at work. */
export interface RetryPolicy {
  /** @param attempt the number of the call that failed, from 1. */
  after(error: unknown, attempt: number): NextStep
}

/**
 * Makes a retry policy.
 *
 * @param random uniform in [0, 1); for tests.
 * @throws {@link ConfigError} `PIPE_CONFIG` for unknown options or attempts below 1.
 */
export function createRetryPolicy(options: RetryOptions = {}, random: () => number = Math.random): RetryPolicy {
  checkOptions('retry', options, { optional: ['attempts', 'backoff', 'maxBackoff', 'decide'] })
  const { attempts = 5, decide } = options
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new ConfigError(`retry: attempts must be a whole number of at least 1, not ${attempts}.`)
  }
  const backoffMs = durationMs(options.backoff ?? '200 ms')
  const maxBackoffMs = durationMs(options.maxBackoff ?? '30 seconds')
  return {
    after(error, attempt) {
      const verdict = decide?.(error, attempt) ?? 'retry'
      if (verdict !== 'retry' && verdict !== 'dead-letter' && verdict !== 'stop') {
        throw new ConfigError(`retry: decide returned ${JSON.stringify(verdict)}.`, {
          hint: "Return 'retry', 'dead-letter' or 'stop'.",
        })
      }
      if (verdict !== 'retry') return { kind: verdict }
      if (attempt >= attempts) return { kind: 'exhausted' }
      return { kind: 'retry', afterMs: backoffAfter(attempt, backoffMs, maxBackoffMs, random) }
    },
  }
}

/** The pause after a number of failures: doubled each time up to a most, ± 20 %. */
export function backoffAfter(failures: number, firstMs: number, maxMs: number, random: () => number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30)) * (0.8 + 0.4 * random())
}
