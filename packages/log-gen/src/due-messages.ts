import { ConfigError, windowLengthMs, windowOf } from '@pipe/core'
import type { LogSource } from './lines'
import { type LogMessage, messagesOf } from './messages'
import { whole } from './shard'

/** A message and when it is due: milliseconds of real time since the start of the run. */
export interface DueMessage {
  readonly message: LogMessage
  readonly dueMs: number
}

/** How the records of a log are laid out in real time. */
export interface Pace {
  readonly from: Date | string | number
  readonly to?: Date | string | number | undefined
  readonly rate?: number | undefined
  readonly speed?: number | undefined
  readonly limit?: number | undefined
}

/**
 * The records that are sent from an instant on, with the time at which each is due. Cumulative: the n-th is due at n / rate, so nothing
 * drifts, however long the run. One file at a time is held.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`, with the first message
 */
export function* dueMessages(log: LogSource, { from, to, rate, speed = 1, limit }: Pace): Generator<DueMessage> {
  const fromMs = instantOf('from', from)
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : instantOf('to', to)
  if (rate !== undefined && speed !== 1) throw new ConfigError('A run takes either "rate" or "speed".')
  positive('rate', rate)
  positive('speed', speed)
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    throw new ConfigError(`"limit" must be a whole number of records, not ${limit}.`)
  }
  const fileMs = windowLengthMs(log.file)
  let count = 0
  for (let start = windowOf(log.file, fromMs).start.getTime(); start < toMs; start += fileMs) {
    for (const message of messagesOf(log, { start, shard: whole })) {
      const { emitTime } = message
      if (emitTime < fromMs || emitTime >= toMs) continue
      if (count === limit) return
      yield { message, dueMs: rate === undefined ? (emitTime - fromMs) / speed : (count * 1000) / rate }
      count++
    }
  }
}

function instantOf(name: string, value: Date | string | number): number {
  const ms = new Date(value).getTime()
  if (Number.isNaN(ms)) throw new ConfigError(`"${name}" is not an instant. Give a Date or ISO 8601 text.`)
  return ms
}

function positive(name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0)) throw new ConfigError(`"${name}" must be a number above 0, not ${value}.`)
}
