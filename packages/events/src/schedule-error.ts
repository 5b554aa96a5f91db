import { ConfigError } from '@pipe/core'

/** Where a schedule expression is wrong: `column` counts from 1 in `expression`. In `details` of an error `PIPE_SCHEDULE`. */
export interface ScheduleErrorDetails {
  readonly expression: string
  readonly column: number
}

/** The error `PIPE_SCHEDULE` of a wrong expression: the column (from `offset`, which counts from 0) stands in text and details. */
export function scheduleError(expression: string, offset: number, problem: string, hint: string): ConfigError {
  const details: ScheduleErrorDetails = { expression, column: offset + 1 }
  return new ConfigError(`Schedule "${expression}", column ${details.column}: ${problem}`, {
    code: 'PIPE_SCHEDULE',
    hint,
    details,
  })
}
