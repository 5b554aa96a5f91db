import type { RuntimeClock } from '../clock'
import { localRegion } from '../service'
import { type Message, md5 } from '../sqs/message'
import { systemAttributes } from '../sqs/operations'
import type { Queue } from '../sqs/queue'
import type { InvokeResult } from './invocation-log'
import type { SqsMapping } from './sqs-mapping'

/** Reads a queue for a function. */
export interface SqsPoller {
  close(): void
}

/** What a poller works with. */
export interface SqsPollerOptions {
  readonly clock: RuntimeClock
  readonly queue: Queue
  /** Whether the function's role may read the queue. */
  mayRead(): boolean
  /** Calls the function; the clock tracks the call. */
  invoke(functionName: string, event: unknown): Promise<InvokeResult>
  onFailure(message: string): void
}

/**
 * Invokes the function for what lies in the queue, in batches. Messages of a batch that succeeded are deleted, the others become visible again
 * when their time is up, and the queue's redrive policy takes those that failed too often.
 */
export function startSqsPoller(mapping: SqsMapping, { clock, queue, mayRead, invoke, onFailure }: SqsPollerOptions): SqsPoller {
  let running = 0
  let closed = false
  let cancelWindow: (() => void) | undefined

  const handle = async (messages: readonly Message[]) => {
    try {
      const { functionError, payload, payloadText } = await invoke(mapping.functionName, eventOf(messages, queue.arn))
      if (functionError !== undefined) return onFailure(payloadText)
      const failed = mapping.reportsItems ? failedItems(payload, messages) : new Set<string>()
      if (typeof failed === 'string') return onFailure(`The whole batch is delivered again: ${failed}.`)
      for (const { id, receipt } of messages) if (!failed.has(id) && receipt !== undefined) queue.remove(receipt)
    } catch (error) {
      onFailure(error instanceof Error ? error.message : String(error))
    } finally {
      running--
      poll()
    }
  }
  /** The messages that the filter takes; Lambda deletes the others. */
  const wanted = (messages: readonly Message[]) =>
    messages.filter((message) => {
      const isWanted = mapping.filter?.matches(recordOf(message, queue.arn)) ?? true
      if (!isWanted) queue.remove(message.receipt!)
      return isWanted
    })
  const poll = () => {
    while (!closed && running < mapping.concurrency && mayRead()) {
      if (mapping.windowMs > 0 && queue.counts().visible < mapping.batchSize) return openWindow()
      const received = queue.receive(mapping.batchSize)
      if (received.length === 0) return
      const messages = wanted(received)
      if (messages.length === 0) continue
      running++
      void clock.track(handle(messages))
    }
  }
  /** Waits for a fuller batch; what is there when the window ends is taken. */
  const openWindow = () => {
    if (cancelWindow || queue.counts().visible === 0) return
    cancelWindow = clock.schedule(clock.now() + mapping.windowMs, () => {
      cancelWindow = undefined
      const messages = closed || running >= mapping.concurrency ? [] : wanted(queue.receive(mapping.batchSize))
      if (messages.length === 0) return
      running++
      return clock.track(handle(messages))
    })
  }
  // Whoever sends must not be held up by the function: its work begins after this turn.
  const onVisible = () => void clock.track(Promise.resolve().then(poll))
  const stop = queue.onVisible(onVisible)
  onVisible()
  return {
    close() {
      closed = true
      cancelWindow?.()
      stop()
    },
  }
}

function eventOf(messages: readonly Message[], arn: string): object {
  return { Records: messages.map((message) => recordOf(message, arn)) }
}

function recordOf(message: Message, arn: string): Readonly<Record<string, unknown>> {
  return {
    messageId: message.id,
    receiptHandle: message.receipt,
    body: message.body,
    attributes: systemAttributes(message),
    messageAttributes: Object.fromEntries(
      Object.entries(message.attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
        name,
        {
          dataType: DataType,
          stringListValues: [],
          binaryListValues: [],
          ...(StringValue === undefined ? { binaryValue: BinaryValue } : { stringValue: StringValue }),
        },
      ]),
    ),
    md5OfBody: md5(message.body),
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: localRegion,
  }
}

/**
 * The failed messages of a partial batch response, or why the whole batch failed. As on AWS: nothing, or an empty or null list, is success; a list
 * with an empty, null or unknown id, or anything that is no such list, fails all.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export function failedItems(payload: unknown, messages: readonly Pick<Message, 'id'>[]): ReadonlySet<string> | string {
  if (payload === null || payload === undefined) return new Set()
  if (typeof payload !== 'object' || Array.isArray(payload)) return 'the function answered no object'
  const items = (payload as { readonly batchItemFailures?: unknown }).batchItemFailures
  if (items === null || items === undefined) return new Set()
  if (!Array.isArray(items)) return 'batchItemFailures is no list'
  const known = new Set(messages.map(({ id }) => id))
  const failed = new Set<string>()
  for (const item of items as unknown[]) {
    const id = (item as { readonly itemIdentifier?: unknown } | null)?.itemIdentifier
    if (typeof id !== 'string' || id === '') return 'an itemIdentifier is empty or missing'
    if (!known.has(id)) return `the itemIdentifier ${JSON.stringify(id)} is of no message of the batch`
    failed.add(id)
  }
  return failed
}
