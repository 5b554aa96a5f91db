import { scheduleError } from './schedule-error'

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/**
 * Milliseconds between two runs of `rate(value unit)`: unit singular for 1 only, plural for everything else, as EventBridge asks.
 *
 * @throws ConfigError `PIPE_SCHEDULE` with the column of the mistake.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html
 */
export function parseRate(expression: string): number {
  const open = 'rate('.length
  const match = /^rate\((\S*?)(?:(\s+)(\S*?))?\)$/.exec(expression)
  if (!match) {
    throw scheduleError(expression, open, 'a rate is one number and one unit in parentheses.', 'Write it like rate(5 minutes).')
  }
  const [, valueText = '', space = '', unitText = ''] = match
  const value = Number(valueText)
  if (!/^\d+$/.test(valueText) || value < 1 || !Number.isSafeInteger(value)) {
    const problem = `"${valueText}" is not a whole number greater than 0.`
    throw scheduleError(expression, open, problem, 'The shortest rate is rate(1 minute).')
  }
  const unitAt = open + valueText.length + space.length
  const singular = unitText.replace(/s$/, '')
  const ms = unitMs[singular]
  if (ms === undefined) {
    const problem = `"${unitText}" is not a unit of a rate.`
    throw scheduleError(expression, unitAt, problem, 'Units are minute(s), hour(s) and day(s).')
  }
  const expected = value === 1 ? singular : `${singular}s`
  if (unitText !== expected) {
    const problem = `"${unitText}" must be "${expected}" after ${value}; EventBridge refuses the other form.`
    throw scheduleError(expression, unitAt, problem, `Use rate(${value} ${expected}).`)
  }
  if (!Number.isSafeInteger(value * ms)) {
    throw scheduleError(expression, open, `${value} ${expected} is beyond what can be counted.`, 'Use a smaller value.')
  }
  return value * ms
}
