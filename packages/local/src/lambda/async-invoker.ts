import type { RuntimeClock } from '../clock'
import type { EventFailure } from '../eventbridge/failures'
import { functionArn } from './function-config'
import type { InvokeResult } from './invocation-log'

/** What happens to asynchronous invocations of a function. */
export interface AsyncInvokeConfig {
  /** Further runs after one that failed: after one minute, then after two more. 0 to 2, default 2. */
  readonly retries?: number
  /** How old an event may get, milliseconds. Default six hours. */
  readonly maxAgeMs?: number
  /** ARN of a queue for events that failed. Default: they are dropped, and listed as failures. */
  readonly onFailure?: string
  /** ARN of a queue for results. Default none. */
  readonly onSuccess?: string
}

/** Runs functions for those who do not wait: rules, and Invoke calls of type Event. */
export interface AsyncInvoker {
  invoke(functionName: string, event: unknown, origin?: { readonly rule?: string }): void
  configure(functionName: string, config: AsyncInvokeConfig): void
  configOf(functionName: string): AsyncInvokeConfig | undefined
}

/** What the invoker works with. */
export interface AsyncInvokerOptions {
  readonly clock: RuntimeClock
  /** Calls a function; the clock tracks the call. */
  invoke(functionName: string, event: unknown): Promise<InvokeResult>
  /** Puts a text into the queue of an ARN, as the function. @throws when it may not or there is none. */
  sendToQueue(arn: string, text: string, functionName: string): void
  onFailure(failure: EventFailure): void
  /** Told of every run after the first, and of what was put into an `onFailure` queue. */
  count(what: 'retried' | 'deadLettered'): void
}

/** Waits before the second and the third run. */
const delaysMs = [60_000, 120_000]
const sixHoursMs = 6 * 3_600_000

/** @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
export function createAsyncInvoker({ clock, invoke, sendToQueue, onFailure, count }: AsyncInvokerOptions): AsyncInvoker {
  const configs = new Map<string, AsyncInvokeConfig>()

  const run = async (
    functionName: string,
    event: unknown,
    rule: string | undefined,
    attempt: number,
    since: number,
  ): Promise<void> => {
    const { retries = delaysMs.length, maxAgeMs = sixHoursMs, ...destinations } = configs.get(functionName) ?? {}
    const report = (message: string, more: object) =>
      onFailure({
        at: new Date(clock.now()),
        functionName,
        message,
        attempt,
        ...(rule === undefined ? {} : { rule }),
        ...more,
      } as EventFailure)
    const send = (arn: string | undefined, result: InvokeResult, condition: string) => {
      if (arn === undefined) return false
      try {
        sendToQueue(arn, destinationText({ functionName, event, result, condition, attempt, at: clock.now() }), functionName)
        return true
      } catch (error) {
        report(`The destination ${arn} did not take the result: ${(error as Error).message}`, { isFinal: true })
        return false
      }
    }
    let result: InvokeResult
    try {
      result = await invoke(functionName, event)
    } catch (error) {
      report(error instanceof Error ? error.message : String(error), { isFinal: true })
      return
    }
    if (result.functionError === undefined) {
      send(destinations.onSuccess, result, 'Success')
      return
    }
    const delayMs = delaysMs[attempt - 1] ?? 0
    const isLast = attempt > retries || clock.now() + delayMs > since + maxAgeMs
    report(result.payloadText, { requestId: result.requestId, isFinal: isLast })
    if (isLast) {
      const condition = attempt > retries ? 'RetriesExhausted' : 'EventAgeExceeded'
      if (send(destinations.onFailure, result, condition)) count('deadLettered')
      return
    }
    clock.schedule(clock.now() + delayMs, () => {
      count('retried')
      void clock.track(run(functionName, event, rule, attempt + 1, since))
    })
  }

  return {
    invoke(functionName, event, { rule } = {}) {
      void clock.track(run(functionName, event, rule, 1, clock.now()))
    },
    configure(functionName, config) {
      configs.set(functionName, config)
    },
    configOf: (functionName) => configs.get(functionName),
  }
}

interface DestinationParts {
  readonly functionName: string
  readonly event: unknown
  readonly result: InvokeResult
  readonly condition: string
  readonly attempt: number
  readonly at: number
}

/** The record of a destination. */
function destinationText({ functionName, event, result, condition, attempt, at }: DestinationParts): string {
  return JSON.stringify({
    version: '1.0',
    timestamp: new Date(at).toISOString(),
    requestContext: {
      requestId: result.requestId,
      functionArn: `${functionArn(functionName)}:$LATEST`,
      condition,
      approximateInvokeCount: attempt,
    },
    requestPayload: event,
    responseContext: {
      statusCode: 200,
      executedVersion: '$LATEST',
      ...(result.functionError === undefined ? {} : { functionError: result.functionError }),
    },
    responsePayload: result.payload,
  })
}
