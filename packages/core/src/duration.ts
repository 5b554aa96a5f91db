import { ConfigError } from './error'

type Unit = 'ms' | 'second' | 'seconds' | 'minute' | 'minutes' | 'hour' | 'hours' | 'day' | 'days'

/** A length of time as text: `'250 ms'`, `'1 second'`, `'5 minutes'`, `'24 hours'`, `'7 days'`. A day is 24 hours (UTC has no DST). */
export type Duration = `${number} ${Unit}`

const unitMs: Record<Unit, number> = {
  ms: 1,
  second: 1000,
  seconds: 1000,
  minute: 60_000,
  minutes: 60_000,
  hour: 3_600_000,
  hours: 3_600_000,
  day: 86_400_000,
  days: 86_400_000,
}

/**
 * Milliseconds of a duration.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when the text is not `<number> <unit>` or the number is negative.
 * @example
 * ```ts
 * durationMs('5 minutes') // 300000
 * ```
 */
export function durationMs(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?) (ms|seconds?|minutes?|hours?|days?)$/.exec(duration)
  if (!match) {
    throw new ConfigError(`"${duration}" is not a duration.`, { hint: "Write it like '250 ms', '5 minutes' or '1 day'." })
  }
  return Number(match[1]) * unitMs[match[2] as Unit]
}

/** The shortest duration text for whole milliseconds: 300000 → `'5 minutes'`. */
export function formatDuration(ms: number): Duration {
  for (const unit of ['day', 'hour', 'minute', 'second'] as const) {
    if (ms !== 0 && ms % unitMs[unit] === 0) {
      const count = ms / unitMs[unit]
      return (count === 1 ? `1 ${unit}` : `${count} ${unit}s`) as Duration
    }
  }
  return `${ms} ms`
}
