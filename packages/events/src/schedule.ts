import { ConfigError } from '@pipe/core'
import { type Cron, parseCron } from './cron'
import { parseRate } from './rate'
import { scheduleError } from './schedule-error'

/** A schedule of an EventBridge rule: `rate(…)` counts from the creation of the rule, `cron(…)` names instants in UTC. */
export type Schedule =
  | { readonly kind: 'rate'; readonly expression: string; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly expression: string; readonly cron: Cron }

/** A schedule with the name of its rule. */
export type NamedSchedule<Name extends string = string> = Schedule & { readonly name: Name }

/**
 * The type of a correct schedule text: `rate(1 minute)`, `rate(5 minutes)`, `cron(…)`. A wrong singular or plural does not compile;
 * the inside of a cron and texts only known at run time are checked when the program runs.
 */
export type ScheduleExpression<Text extends string = string> = string extends Text
  ? string
  : Text extends `rate(${infer Value} ${infer Unit})`
    ? Unit extends (Value extends '1' ? 'minute' | 'hour' | 'day' : 'minutes' | 'hours' | 'days')
      ? Text
      : `rate(${Value} ${Value extends '1' ? 'minute' : 'minutes'})`
    : Text extends `cron(${string})`
      ? Text
      : 'rate(5 minutes)' | 'cron(0 12 * * ? *)'

/**
 * Reads the schedule expression of a rule.
 *
 * @throws ConfigError `PIPE_SCHEDULE` whose text and `details.column` say where it is wrong; whatever EventBridge refuses at deploy time,
 * and what its documentation does not define (`/` in the day of week, backward ranges, lower-case names), is refused here.
 * @example
 * ```ts
 * parseSchedule('cron(0 12 ? * MON-FRI *)').kind // 'cron'
 * ```
 */
export function parseSchedule(expression: string): Schedule {
  if (/^rate\(.*\)$/s.test(expression)) return { kind: 'rate', expression, everyMs: parseRate(expression) }
  if (/^cron\(.*\)$/s.test(expression)) return { kind: 'cron', expression, cron: parseCron(expression) }
  throw scheduleError(expression, 0, 'a rule is scheduled by rate(…) or cron(…).', 'Write rate(5 minutes) or cron(0 12 * * ? *).')
}

/**
 * A named schedule, checked at once.
 *
 * @throws ConfigError `PIPE_SCHEDULE` for the expression, `PIPE_CONFIG` for the name (1–64 of letters, digits, `.`, `-`, `_`).
 * @example
 * ```ts
 * const compact = defineSchedule('compact', 'rate(5 minutes)')
 * ```
 */
export function defineSchedule<const Name extends string, const Text extends string>(
  name: Name,
  expression: Text & ScheduleExpression<Text>,
): NamedSchedule<Name> {
  if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) {
    const hint = 'A name has 1 to 64 letters, digits, dots, hyphens or underscores.'
    throw new ConfigError(`"${name}" is not the name of an EventBridge rule.`, { hint })
  }
  return Object.freeze({ ...parseSchedule(expression), name })
}
