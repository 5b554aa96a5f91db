import { type Clock, PipeError, systemClock } from '@pipe/core'
import { refusalOf } from './failure'

/** Why a call to Athena did not succeed, as far as waiting can help. */
export type Trouble = 'rate' | 'slots' | 'connection'

const rateLimitMs: readonly [number, number] = [100, 5_000]
const slotsMs: readonly [number, number] = [1_000, 30_000]
/** How long one call is repeated before its trouble is reported. */
const patienceMs: Record<Trouble, number> = { rate: 120_000, connection: 60_000, slots: 30 * 60_000 }

/** The attempts at one call. */
export interface Attempts {
  /**
   * What is wrong, and how long to wait before the next attempt.
   *
   * @throws {@link AthenaQueryError} when Athena refuses the call, {@link PipeError} `PIPE_ATHENA_UNAVAILABLE` or `PIPE_ATHENA_BUSY` (both
   * retryable) when patience ends, `PIPE_ATHENA_CLIENT` when it could not be sent.
   */
  failed(error: unknown): { readonly trouble: Trouble; readonly pauseMs: number }
}

/**
 * Counts the attempts at a call and tells its troubles apart:
 *
 * - `rate` (`ThrottlingException`): too many calls a second. Repeated soon, with jitter, for two minutes.
 * - `slots` (`TooManyRequestsException`, CONCURRENT_QUERY_LIMIT_EXCEEDED): all slots of the account are taken. Waits longer, up to 30 minutes.
 * - `connection`: a broken connection or a server error. Repeated for a minute.
 */
export function attemptsOf(call: string, id?: string, clock: Clock = systemClock): Attempts {
  const streaks = new Map<Trouble, { readonly since: number; tries: number }>()
  let attempts = 0
  return {
    failed(error) {
      attempts++
      const trouble = troubleOf(error)
      if (trouble === undefined) throw isAnswer(error) ? refusalOf(error, call, id) : notSent(error, call)
      // Patience is with one trouble at a time: a wait for slots is none with the connection.
      for (const other of ['rate', 'connection'] as const) if (other !== trouble) streaks.delete(other)
      const streak = streaks.get(trouble) ?? { since: clock.now(), tries: 0 }
      streaks.set(trouble, streak)
      const pause = pauseMs(trouble, ++streak.tries)
      if (clock.now() - streak.since + pause > patienceMs[trouble]) throw outOfPatience(call, trouble, attempts, error)
      return { trouble, pauseMs: pause }
    },
  }
}

/** How long to wait before another attempt. `tries`: attempts so far. */
export function pauseMs(trouble: Trouble, tries: number): number {
  const [first, longest] = trouble === 'slots' ? slotsMs : rateLimitMs
  const cap = Math.min(longest, first * 2 ** (tries - 1))
  // Half fixed, half random: callers that were throttled together do not come back together.
  return cap / 2 + (Math.random() * cap) / 2
}

/** `undefined` when waiting cannot help. */
function troubleOf(error: unknown): Trouble | undefined {
  const { name, Reason, $metadata, code } = error as {
    name?: string
    Reason?: string
    code?: string
    $metadata?: { httpStatusCode?: number }
  }
  if (name === 'TooManyRequestsException') {
    return Reason === undefined || Reason === 'CONCURRENT_QUERY_LIMIT_EXCEEDED' ? 'slots' : 'rate'
  }
  const status = $metadata?.httpStatusCode
  if (/^(?:Throttling(?:Exception)?|ThrottledException|RequestLimitExceeded|SlowDown)$/.test(name ?? '') || status === 429)
    return 'rate'
  if (name === 'InternalServerException' || (status !== undefined && status >= 500)) return 'connection'
  // The SDK corrects its clock after the first of these.
  if (/^(?:RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)$/.test(name ?? '')) return 'connection'
  if (/^(?:TimeoutError|RequestTimeout)$/.test(name ?? '')) return 'connection'
  return /^(?:ECONN(?:RESET|REFUSED|ABORTED)|EPIPE|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ENOTFOUND)$/.test(code ?? '') ||
    (error as Error)?.message === 'socket hang up'
    ? 'connection'
    : undefined
}

/** Whether an error is Athena's answer, not one of the client itself (no region, no credentials, a client that was closed). */
function isAnswer(error: unknown): boolean {
  const { $fault, $metadata } = error as { $fault?: string; $metadata?: { httpStatusCode?: number } }
  return $fault !== undefined || $metadata?.httpStatusCode !== undefined
}

function notSent(error: unknown, call: string): PipeError {
  const { name, message } = error as Error
  const hint = /credential/i.test(`${name} ${message}`)
    ? 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give createAthena a client with credentials.'
    : /region/i.test(message)
      ? 'Set AWS_REGION, or give createAthena a client with a region.'
      : undefined
  return new PipeError('PIPE_ATHENA_CLIENT', `${call} could not be sent: ${message}`, { cause: error, hint })
}

function outOfPatience(call: string, trouble: Trouble, tries: number, cause: unknown): PipeError {
  if (trouble === 'slots') {
    return new PipeError('PIPE_ATHENA_BUSY', `${call}: all query slots of the account stayed taken (${tries} attempts).`, {
      cause,
      retryable: true,
      hint: 'Run fewer queries at once or raise the quota of active queries.',
    })
  }
  const why = trouble === 'rate' ? 'Athena kept throttling the calls' : `Athena could not be reached: ${(cause as Error).message}`
  return new PipeError('PIPE_ATHENA_UNAVAILABLE', `${call}: ${why} (${tries} attempts).`, { cause, retryable: true })
}
