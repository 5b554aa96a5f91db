import { type Clock, systemClock } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { dueMessages, type Pace } from './due-messages'
import type { LogSource } from './lines'
import type { LogMessage } from './messages'

/**
 * The records of a log as an async iterable, each when its time has come (`rate`, `speed` and `limit` as in {@link runLog}). Whoever iterates
 * sets the pace at last: nothing is made ahead of what is asked for. `break` ends it.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for options; the signal's reason.
 * @example
 * ```ts
 * for await (const { key, value } of streamLog(log, { from: new Date(), rate: 100, limit: 1000 })) console.log(key, value.toString())
 * ```
 */
export async function* streamLog(
  log: LogSource,
  options: Pace & { readonly clock?: Clock | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<LogMessage> {
  checkOptions('streamLog', options, {
    required: ['from'],
    optional: ['to', 'rate', 'speed', 'limit', 'clock', 'signal'],
  })
  const { clock = systemClock, signal } = options
  const startMs = clock.now()
  for (const { message, dueMs } of dueMessages(log, options)) {
    signal?.throwIfAborted()
    const wait = dueMs - (clock.now() - startMs)
    if (wait > 0) await clock.sleep(Math.ceil(wait), signal)
    yield message
  }
}
