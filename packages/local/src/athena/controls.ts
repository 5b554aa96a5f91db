import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { AwsError } from '../service'

/**
 * What a rule does to a call:
 *
 * - `throttle`: ThrottlingException "Rate exceeded": too many calls a second;
 * - `slots-taken`: TooManyRequestsException CONCURRENT_QUERY_LIMIT_EXCEEDED, as StartQueryExecution answers when the account's queries are at their limit;
 * - `unavailable`: InternalServerException, status 500;
 * - `expired-token`: ExpiredTokenException: the session's credentials have run out;
 * - `lost-reply`: the call is done, and its connection breaks before the answer.
 */
export type AthenaFault = 'throttle' | 'slots-taken' | 'unavailable' | 'expired-token' | 'lost-reply'

/** A rule of {@link LocalAthena.fault}. */
export interface AthenaFaultRule {
  readonly fault: AthenaFault
  /** Name of the operation, such as `StartQueryExecution`. Default: every one. */
  readonly operation?: string
  /** Calls that it meets. Default 1; `Infinity` until `clear()`. */
  readonly times?: number
  /** Calls that pass before. Default 0. */
  readonly after?: number
}

/** Quotas of the account. Default: none but the five queries that run at once. */
export interface AthenaQuotas {
  /** Active (queued and running) DML statements: queries, CTAS, INSERT, UNLOAD. One more is refused by TooManyRequestsException. */
  readonly activeDml?: number
  /** Active DDL statements. */
  readonly activeDdl?: number
  /** Calls a second by operation, with a burst of four times as many; more are refused by ThrottlingException. Seconds of the runtime's clock. */
  readonly callsPerSecond?: Readonly<Record<string, number>>
}

/** What can be done to the local Athena. */
export interface LocalAthena {
  /**
   * Adds a rule for calls. Rules are tried in the order they were added.
   *
   * @throws ConfigError `PIPE_CONFIG` for a rule that can never work.
   */
  fault(rule: AthenaFaultRule): void
  /** Sets the quotas of the account; what is left out has none. */
  setQuotas(quotas: AthenaQuotas): void
  /** Removes all rules and quotas. */
  clear(): void
}

/** The side of the service. */
export interface AthenaControls extends LocalAthena {
  /** Before a call. @throws {@link AwsError} when the call is refused. @returns whether its reply is to be lost. */
  beforeCall(operation: string): { readonly losesReply: boolean }
  /** Before a new execution. @throws {@link AwsError} when as many are active as may be. */
  beforeStart(type: string, active: number): void
}

const faults: readonly AthenaFault[] = ['throttle', 'slots-taken', 'unavailable', 'expired-token', 'lost-reply']
const isCount = (value: number) => value === Infinity || (Number.isInteger(value) && value >= 0)

/** @see {@link LocalAthena} */
export function createAthenaControls(now: () => number): AthenaControls {
  let rules: { operation: string | undefined; fault: AthenaFault; after: number; left: number }[] = []
  let quotas: AthenaQuotas = {}
  const buckets = new Map<string, { tokens: number; at: number }>()

  function takeToken(operation: string): void {
    const rate = quotas.callsPerSecond?.[operation]
    if (rate === undefined) return
    const most = rate * 4
    const bucket = buckets.get(operation) ?? { tokens: most, at: now() }
    const tokens = Math.min(most, bucket.tokens + ((now() - bucket.at) / 1000) * rate)
    buckets.set(operation, { tokens: tokens < 1 ? tokens : tokens - 1, at: now() })
    if (tokens < 1) throw errorOf('throttle')
  }

  return {
    fault(rule) {
      checkOptions('local.athena.fault', rule, { required: ['fault'], optional: ['operation', 'times', 'after'] })
      const { fault, operation, times = 1, after = 0 } = rule
      if (!faults.includes(fault))
        throw new ConfigError(`local.athena.fault: "${fault}" is no fault.`, { hint: `Use ${faults.join(', ')}.` })
      if (!isCount(times) || !isCount(after)) throw new ConfigError('local.athena.fault: times and after are counts of calls.')
      rules.push({ fault, operation, after, left: times })
    },
    setQuotas(given) {
      checkOptions('local.athena.setQuotas', given, { optional: ['activeDml', 'activeDdl', 'callsPerSecond'] })
      for (const [name, value] of Object.entries({ ...given, callsPerSecond: undefined, ...given.callsPerSecond })) {
        if (value !== undefined && !(typeof value === 'number' && value > 0))
          throw new ConfigError(`local.athena.setQuotas: ${name} must be a number above 0.`)
      }
      quotas = given
      buckets.clear()
    },
    clear() {
      rules = []
      quotas = {}
      buckets.clear()
    },
    beforeCall(operation) {
      takeToken(operation)
      const rule = rules.find((one) => one.operation === undefined || one.operation === operation)
      if (!rule) return { losesReply: false }
      if (rule.after > 0) {
        rule.after--
        return { losesReply: false }
      }
      rule.left--
      if (rule.left <= 0) rules = rules.filter((one) => one !== rule)
      if (rule.fault === 'lost-reply') return { losesReply: true }
      throw errorOf(rule.fault)
    },
    beforeStart(type, active) {
      const quota = type === 'DDL' ? quotas.activeDdl : quotas.activeDml
      if (quota !== undefined && active >= quota) throw errorOf('slots-taken')
    },
  }
}

/** The errors as AWS words them (seen in issues of its clients: aws-sdk-pandas #465, PyAthenaJDBC #5). */
function errorOf(fault: Exclude<AthenaFault, 'lost-reply'>): AwsError {
  switch (fault) {
    case 'throttle':
      return new AwsError('ThrottlingException', 'Rate exceeded')
    case 'slots-taken':
      return new AwsError(
        'TooManyRequestsException',
        'You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of concurrent queries submitted by this account. Contact customer support to request a concurrent query limit increase.',
        400,
        { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' },
      )
    case 'unavailable':
      return new AwsError('InternalServerException', 'Internal server error', 500)
    case 'expired-token':
      return new AwsError('ExpiredTokenException', 'The security token included in the request is expired')
  }
}
