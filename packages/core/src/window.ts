import { type Duration, durationMs } from './duration'
import { ConfigError } from './error'

/** A half-open span of time, `start ≤ t < end`, UTC. */
export interface Window {
  readonly start: Date
  readonly end: Date
  /** `20261124T1530Z`, from the start. */
  readonly id: string
}

const dayMs = 86_400_000

/**
 * The window of the given length that holds the instant. Windows are aligned to midnight UTC, so the length must divide a day
 * and be whole minutes.
 *
 * @throws {@link ConfigError} `PIPE_WINDOW`
 * @example
 * ```ts
 * windowOf('5 minutes', '2026-11-24T15:33:10Z') // { start: 15:30, end: 15:35, id: '20261124T1530Z' }
 * ```
 */
export function windowOf(every: Duration, at: Date | number | string): Window {
  const length = windowLengthMs(every)
  const instant = new Date(at).getTime()
  if (Number.isNaN(instant))
    throw new ConfigError(`${JSON.stringify(at)} is not an instant.`, {
      code: 'PIPE_WINDOW',
      hint: 'Give a Date or ISO 8601 text.',
    })
  const start = Math.floor(instant / length) * length
  return makeWindow(start, length)
}

/** The windows whose start lies in `from ≤ start < to`, in order. Lazy: a year of minutes is fine. */
export function* windowsBetween(every: Duration, from: Date, to: Date): Generator<Window> {
  const length = windowLengthMs(every)
  for (let start = Math.ceil(from.getTime() / length) * length; start < to.getTime(); start += length)
    yield makeWindow(start, length)
}

/**
 * Length of a window in milliseconds, checked: whole minutes that divide a day.
 *
 * @throws {@link ConfigError} `PIPE_WINDOW`
 */
export function windowLengthMs(every: Duration): number {
  const length = durationMs(every)
  if (length < 60_000 || length % 60_000 !== 0 || dayMs % length !== 0) {
    throw new ConfigError(`A window of "${every}" is not possible: it must be whole minutes that divide a day.`, {
      code: 'PIPE_WINDOW',
      hint: "Use for example '1 minute', '5 minutes', '1 hour' or '1 day'.",
    })
  }
  return length
}

/** `20261124T1530Z`: the id of the window that starts at the instant. */
export function windowId(start: Date): string {
  return `${start.toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}Z`
}

function makeWindow(start: number, length: number): Window {
  const startDate = new Date(start)
  return { start: startDate, end: new Date(start + length), id: windowId(startDate) }
}
