import type { Deadline } from './abort'
import { PipeError } from './error'

/** The part of the context of a Lambda function that handlers use. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number
}

/** The answer of the handlers of this family: `body` is JSON text. */
export interface HandlerResponse {
  readonly statusCode: number
  readonly body: string
}

/**
 * The scheduled time of an event: `time` of an EventBridge rule, or `scheduledTime` of an EventBridge Scheduler payload whose input
 * holds `<aws.scheduler.scheduled-time>`. Never the wall clock: a retry must do the same work as the first try.
 *
 * @throws {@link PipeError} `PIPE_EVENT_TIME` when the event carries none.
 */
export function scheduledTimeOf(event: unknown): Date {
  const { time, scheduledTime } = (typeof event === 'object' && event !== null ? event : {}) as Record<string, unknown>
  const text = time ?? scheduledTime
  const at = typeof text === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(text) ? new Date(text) : undefined
  if (!at || Number.isNaN(at.getTime())) {
    throw new PipeError('PIPE_EVENT_TIME', 'The event has no scheduled time.', {
      hint: 'Invoke the function from an EventBridge rule, or with { "time": "2026-11-24T15:35:00Z" }.',
    })
  }
  return at
}

/** The deadline of an invocation, less a reserve for ending cleanly. */
export function deadlineOf(context: LambdaContext | undefined, reserveMs = 1000): Deadline | undefined {
  if (!context) return undefined
  return { remainingMs: () => Math.max(0, context.getRemainingTimeInMillis() - reserveMs) }
}
