import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { cronAfter, cronUntil } from './cron'
import { parseSchedule, type Schedule } from './schedule'

/** Options of {@link fireTimes} and {@link previousFireTime}. */
export interface FireTimesOptions {
  /** When the rule was created: a rate fires at `start + n × rate`, n ≥ 1. Default: `from` (ignored by cron). */
  readonly start?: Date
}

/** Options of {@link nextFireTimes}. */
export interface NextFireTimesOptions extends FireTimesOptions {
  /** How many instants. Default 1. */
  readonly count?: number
}

/**
 * The instants at which a schedule fires strictly after `from`, ascending and endless (a cron ends with its last year). UTC, whole
 * milliseconds for a rate (those of `start`), whole minutes for a cron.
 *
 * @throws ConfigError `PIPE_SCHEDULE` for a wrong expression, `PIPE_CONFIG` for an invalid date or option.
 * @example
 * ```ts
 * for (const at of fireTimes('rate(5 minutes)', new Date('2026-11-24T00:00:00Z'))) break // 00:05:00Z
 * ```
 */
export function fireTimes(schedule: Schedule | string, from: Date, options: FireTimesOptions = {}): Iterable<Date> {
  checkOptions('fireTimes', options, { optional: ['start'] })
  const parsed = typeof schedule === 'string' ? parseSchedule(schedule) : schedule
  const after = instant(from, 'from')
  const start = instant(options.start ?? from, 'start')
  return {
    *[Symbol.iterator]() {
      for (const at of parsed.kind === 'rate' ? rateAfter(parsed.everyMs, start, after) : cronAfter(parsed.cron, after))
        yield new Date(at)
    },
  }
}

/**
 * The next `count` (default 1) instants at which a schedule fires, strictly after `from`. Shorter, or empty, when a cron has no more.
 *
 * @throws ConfigError as {@link fireTimes}.
 * @example
 * ```ts
 * nextFireTimes('cron(0 18 ? * FRI *)', new Date('2026-11-24T00:00:00Z'), { count: 2 }) // 27 November and 4 December, 18:00Z
 * ```
 */
export function nextFireTimes(schedule: Schedule | string, from: Date, options: NextFireTimesOptions = {}): readonly Date[] {
  checkOptions('nextFireTimes', options, { optional: ['start', 'count'] })
  const { count = 1, ...rest } = options
  if (!Number.isSafeInteger(count) || count < 1)
    throw new ConfigError(`nextFireTimes: count is ${count}, not a whole number above 0.`)
  const found: Date[] = []
  for (const at of fireTimes(schedule, from, rest)) {
    found.push(at)
    if (found.length === count) break
  }
  return found
}

/**
 * The last instant at which a schedule fired, not later than `at`; `undefined` when there was none (a rate before its first run needs
 * `start` to know).
 *
 * @throws ConfigError as {@link fireTimes}.
 */
export function previousFireTime(schedule: Schedule | string, at: Date, options: FireTimesOptions = {}): Date | undefined {
  checkOptions('previousFireTime', options, { optional: ['start'] })
  const parsed = typeof schedule === 'string' ? parseSchedule(schedule) : schedule
  const until = instant(at, 'at')
  if (parsed.kind === 'cron') {
    for (const found of cronUntil(parsed.cron, until)) return new Date(found)
    return undefined
  }
  const start = instant(options.start ?? at, 'start')
  const runs = Math.floor((until - start) / parsed.everyMs)
  return runs < 1 ? undefined : new Date(start + runs * parsed.everyMs)
}

function* rateAfter(everyMs: number, start: number, after: number): Generator<number> {
  const first = Math.max(1, Math.floor((after - start) / everyMs) + 1)
  for (let at = start + first * everyMs; at <= 8.64e15; at += everyMs) yield at
}

function instant(date: Date, name: string): number {
  const ms = date instanceof Date ? date.getTime() : Number.NaN
  if (Number.isNaN(ms))
    throw new ConfigError(`"${name}" is not a valid Date.`, { hint: "Pass new Date('2026-11-24T00:00:00Z')." })
  return ms
}
