import { ConfigError } from '@pipe/core'
import { checkOptions, deadlineOf, type HandlerResponse, type LambdaContext, scheduledTimeOf } from '@pipe/core/internal'
import { catchUp } from './generate-windows'
import type { LogSource } from './lines'
import { checkShard } from './raw-file'
import { type Shard, whole } from './shard'
import type { LogSink } from './sink'

/** A Lambda handler. */
export type LogGeneratorHandler = (event: unknown, context?: LambdaContext) => Promise<HandlerResponse>

/** What {@link logGeneratorHandler} takes. */
export interface LogGeneratorOptions {
  /** What the devices write: {@link defineLog} or {@link replayCsv}. */
  readonly log: LogSource
  /** Where the files go. */
  readonly sink: LogSink
  /** Which part of the devices this function writes. Default all. */
  readonly shard?: Shard | undefined
  /** Files that each call writes: the one that has just closed and those before it, so that a missed tick is made up for. Default 1. */
  readonly catchUp?: number | undefined
}

/**
 * A Lambda handler that writes the file that has just closed at the event's scheduled time. The same event gives the same key and the
 * same bytes, so retries and doubled events are harmless. The body is `{ outcome, minute, key, uri, rows, rawBytes, bytes, sha256 }` as
 * JSON; without lines `{ outcome: 'empty', minute, rows: 0 }`. With `catchUp`, also `caughtUp` and `left`: how many older files were written,
 * and for how many there was no time.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for options.
 * @throws {@link PipeError} from the handler: `PIPE_EVENT_TIME` when the event has no scheduled time, `PIPE_IAM_DENIED` when the function
 * may not put the object, and whatever else {@link generateWindow} throws; nothing is swallowed, so Lambda retries.
 * @example
 * ```ts
 * export const handler = logGeneratorHandler({ log, sink: toS3('s3://lake/raw/'), catchUp: 3 })
 * ```
 */
export function logGeneratorHandler(options: LogGeneratorOptions): LogGeneratorHandler {
  checkOptions('logGeneratorHandler', options, { required: ['log', 'sink'], optional: ['shard', 'catchUp'] })
  const { log, sink, shard = whole, catchUp: files = 1 } = options
  checkShard(shard)
  if (!Number.isInteger(files) || files < 1 || files > 10_000) {
    throw new ConfigError(`logGeneratorHandler: "catchUp" must be a whole number from 1 to 10000, not ${files}.`)
  }
  return async (event, context) => {
    const at = scheduledTimeOf(event)
    const { windows, left } = await catchUp({ log, sink, at, files, shard, deadline: deadlineOf(context) })
    const [first, ...older] = windows as [(typeof windows)[number], ...(typeof windows)[number][]]
    const { window, ...result } = first
    const more = files > 1 ? { caughtUp: older.length, left } : {}
    return { statusCode: 200, body: JSON.stringify({ ...result, minute: window.start.toISOString(), ...more }) }
  }
}
