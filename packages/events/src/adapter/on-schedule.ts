import { type ObjectStore, PipeError } from '@pipe/core'
import { checkOptions, scheduledTimeOf } from '@pipe/core/internal'
import { fireTimes } from '../fire-times'
import type { Schedule } from '../schedule'
import type { Idempotency } from './idempotency'
import { type DeadlineOptions, type HandlerContext, type LambdaContext, withDeadline } from './invocation'

/** What the handler of {@link onSchedule} is given beside the time. */
export interface ScheduleContext extends HandlerContext {
  /** ARN of the rule or of the Scheduler's schedule; `undefined` when the event does not name one. */
  readonly schedule: string | undefined
  /** Ticks between the last one that was handled and this one that nobody handled, oldest first, at most 1 000. Empty without `ticks`. */
  readonly missed: readonly Date[]
}

/** Options of {@link onSchedule}. */
export interface OnScheduleOptions extends DeadlineOptions {
  /** Does the work once for each schedule and tick: rules may fire twice. Default: at least once. */
  readonly idempotency?: Idempotency
  /**
   * Remembers the last tick handled, so that `missed` can be told: the schedule of the rule, and where the time is kept
   * (`s3:GetObject`, `s3:PutObject` on the prefix, `s3:ListBucket` on the bucket, so that an absent object is not a refusal).
   */
  readonly ticks?: { readonly schedule: Schedule | string; readonly store: Pick<ObjectStore, 'get' | 'put'> }
}

/** A Lambda handler for the ticks of a schedule. Answers `{ at, missed, repeated }`. */
export type ScheduleHandler = (event: unknown, context?: LambdaContext) => Promise<ScheduleAnswer>

/** What a {@link ScheduleHandler} answers. */
export interface ScheduleAnswer {
  /** The tick, ISO 8601. */
  readonly at: string
  readonly missed: readonly string[]
  /** True when this tick had been handled before. */
  readonly repeated: boolean
}

const maxMissed = 1000

/**
 * A Lambda handler for a rule with a schedule, or for EventBridge Scheduler with the input
 * `{ "scheduleArn": "<aws.scheduler.schedule-arn>", "scheduledTime": "<aws.scheduler.scheduled-time>" }`. The time is that of the tick, never
 * the clock: a retry does the same work.
 *
 * @throws ConfigError `PIPE_CONFIG` for options. The handler throws PipeError `PIPE_EVENT_TIME` and whatever `handle` throws.
 * @example
 * ```ts
 * export const handler = onSchedule(async (at, { missed }) => report(at, missed), { idempotency })
 * ```
 */
export function onSchedule(
  handle: (at: Date, context: ScheduleContext) => unknown,
  options: OnScheduleOptions = {},
): ScheduleHandler {
  checkOptions('onSchedule', options, { optional: ['reserve', 'idempotency', 'ticks'] })
  const { reserve, idempotency, ticks } = options
  return (event, context) =>
    withDeadline(context, reserve, async (handlerContext) => {
      const at = scheduledTimeOf(event)
      const schedule = scheduleOf(event)
      const name = schedule ?? 'schedule'
      const missed = ticks ? await missedTicks(ticks, name, at) : []
      const work = async () => {
        await handle(at, { ...handlerContext, schedule, missed })
        if (ticks)
          await ticks.store.put(lastKey(name), JSON.stringify({ at: at.toISOString() }), { contentType: 'application/json' })
      }
      const answer = { at: at.toISOString(), missed: missed.map((tick) => tick.toISOString()) }
      if (!idempotency) {
        await work()
        return { ...answer, repeated: false }
      }
      // Not the execution id of the Scheduler: that is new for every attempt.
      const key = `${name} ${at.toISOString()}`
      const { signal, remainingMs } = handlerContext
      const { repeated } = await idempotency.once(key, work, { signal, remainingMs: remainingMs() })
      return { ...answer, repeated }
    })
}

/** The rule's ARN in `resources`, or `scheduleArn` of the Scheduler's input. */
function scheduleOf(event: unknown): string | undefined {
  const { resources, scheduleArn } = event as { readonly resources?: readonly unknown[]; readonly scheduleArn?: unknown }
  const found = scheduleArn ?? (Array.isArray(resources) ? resources[0] : undefined)
  return typeof found === 'string' ? found : undefined
}

async function missedTicks(ticks: NonNullable<OnScheduleOptions['ticks']>, name: string, at: Date): Promise<Date[]> {
  const body = await ticks.store.get(lastKey(name))
  if (!body) return []
  const last = new Date((JSON.parse(await body.text()) as { at: string }).at)
  if (Number.isNaN(last.getTime())) {
    throw new PipeError('PIPE_EVENT_TICKS', `${body.key} does not hold the last tick.`, {
      hint: 'Remove the object to start anew.',
    })
  }
  const missed: Date[] = []
  // A rate fires at whole steps from any of its ticks.
  for (const tick of fireTimes(ticks.schedule, last, { start: last })) {
    if (tick >= at || missed.length === maxMissed) break
    missed.push(tick)
  }
  return missed
}

function lastKey(name: string): string {
  return `last-tick/${encodeURIComponent(name).replaceAll('%', '_')}.json`
}
