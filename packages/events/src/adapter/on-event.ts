import type { Duration } from '@pipe/core'
import { PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type BusEvent, checkDetail, type EventContract, nameOf } from '../contract/contract'
import type { Idempotency } from './idempotency'
import { type DeadlineOptions, type HandlerContext, type LambdaContext, withDeadline } from './invocation'

/** What the handler of {@link onEvent} is given beside the detail. */
export interface EventContext<Detail> extends HandlerContext {
  /** The whole event; `detail` as the contract reads it. */
  readonly event: BusEvent<Detail>
}

/** Options of {@link onEvent}. */
export interface OnEventOptions extends DeadlineOptions {
  /** Does the work once for each event id: EventBridge delivers at least once. A replayed event keeps its id. Default: at least once. */
  readonly idempotency?: Idempotency
  /**
   * Told of an event that breaks its contract, instead of failing the invocation: a retry would not help. Put it somewhere: what this does
   * not throw counts as handled.
   */
  readonly onInvalid?: (event: unknown, error: PipeError) => void | Promise<void>
}

/** A Lambda handler for events of a bus. */
export type EventHandler = (event: unknown, context?: LambdaContext) => Promise<void>

/**
 * A Lambda handler for the events of a contract: the detail is checked, then handled, typed. Takes one event, or a list of them (custom event
 * buses of 2026 deliver lists), which is handled in order.
 *
 * @throws ConfigError `PIPE_CONFIG` for options. The handler throws PipeError `PIPE_EVENT_CONTRACT`, `PIPE_EVENT_VERSION`, `PIPE_EVENT_OTHER`
 * (source or detail type of another contract) and whatever `handle` throws, so that Lambda retries and dead-letters.
 * @example
 * ```ts
 * export const handler = onEvent(orderPlaced, async (order, { event, signal }) => invoice(order, event.id, signal))
 * ```
 */
export function onEvent<Detail>(
  contract: EventContract<Detail>,
  handle: (detail: Detail, context: EventContext<Detail>) => unknown,
  options: OnEventOptions = {},
): EventHandler {
  checkOptions('onEvent', options, { optional: ['reserve', 'idempotency', 'onInvalid'] })
  const { idempotency, onInvalid } = options
  const one = async (given: unknown, context: HandlerContext): Promise<void> => {
    context.signal.throwIfAborted()
    let event: BusEvent<Detail>
    try {
      event = await readEvent(contract, given)
    } catch (error) {
      if (!onInvalid || !PipeError.isInstance(error)) throw error
      return onInvalid(given, error)
    }
    const work = async () => {
      await handle(event.detail, { ...context, event })
    }
    if (!idempotency) return work()
    const { signal } = context
    await idempotency.once(`${nameOf(contract)} ${event.id}`, work, { remainingMs: context.remainingMs(), signal })
  }
  return (event, context) =>
    withDeadline(context, options.reserve as Duration | undefined, async (handlerContext) => {
      if (!Array.isArray(event)) return one(event, handlerContext)
      for (const entry of event) await one(entry, handlerContext)
    })
}

/**
 * The event with its detail as the contract reads it.
 *
 * @throws PipeError `PIPE_EVENT_OTHER`, `PIPE_EVENT_CONTRACT`, `PIPE_EVENT_VERSION`.
 */
export async function readEvent<Detail>(contract: EventContract<Detail>, given: unknown): Promise<BusEvent<Detail>> {
  const event = (typeof given === 'object' && given !== null ? given : {}) as Partial<BusEvent>
  if (event.source !== contract.source || event['detail-type'] !== contract.detailType || typeof event.id !== 'string') {
    const found = `source ${JSON.stringify(event.source)}, detail-type ${JSON.stringify(event['detail-type'])}, id ${JSON.stringify(event.id)}`
    throw new PipeError('PIPE_EVENT_OTHER', `This is no event of ${nameOf(contract)}: ${found}.`, {
      hint: 'Narrow the pattern of the rule that calls this function.',
      details: { source: event.source, detailType: event['detail-type'] },
    })
  }
  return { ...(event as BusEvent), detail: await checkDetail(contract, event.detail) }
}
