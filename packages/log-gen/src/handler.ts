import { checkOptions, deadlineOf, type HandlerResponse, type LambdaContext, scheduledTimeOf } from '@pipe/core/internal'
import { generateWindow } from './generate-window'
import type { LogSource } from './lines'
import type { LogSink } from './sink'

/** A Lambda handler. */
export type LogGeneratorHandler = (event: unknown, context?: LambdaContext) => Promise<HandlerResponse>

/**
 * A Lambda handler that writes the file that has just closed at the event's scheduled time. The same event gives the same key and the
 * same bytes, so retries and doubled events are harmless. The body is `{ outcome, minute, key, uri, rows, rawBytes, bytes }` as JSON;
 * without lines `{ outcome: 'empty', minute, rows: 0 }`.
 *
 * @throws {@link PipeError} from the handler: `PIPE_EVENT_TIME` when the event has no scheduled time, `PIPE_IAM_DENIED` when the function
 * may not put the object, and whatever else {@link generateWindow} throws; nothing is swallowed, so Lambda retries.
 * @example
 * ```ts
 * export const handler = logGeneratorHandler({ log, sink: toS3('s3://lake/raw/') })
 * ```
 */
export function logGeneratorHandler(options: { readonly log: LogSource; readonly sink: LogSink }): LogGeneratorHandler {
  checkOptions('logGeneratorHandler', options, { required: ['log', 'sink'] })
  const { log, sink } = options
  return async (event, context) => {
    const at = scheduledTimeOf(event)
    const { window, ...result } = await generateWindow({ log, sink, at, deadline: deadlineOf(context) })
    return { statusCode: 200, body: JSON.stringify({ ...result, minute: window.start.toISOString() }) }
  }
}
