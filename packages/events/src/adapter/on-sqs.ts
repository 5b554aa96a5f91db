import { ConfigError, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type BusEvent, checkDetail, defineEvent, type EventContract } from '../contract/contract'
import type { Idempotency } from './idempotency'
import {
  type DeadlineOptions,
  type HandlerContext,
  type LambdaContext,
  logFailure,
  untilAborted,
  withDeadline,
} from './invocation'
import { readEvent } from './on-event'

/** A message of a queue. */
export interface SqsMessage<Body> {
  readonly id: string
  /** As its schema or contract reads it; the text without one. */
  readonly body: Body
  /** ARN of the queue. */
  readonly queue: string
  /** How often it was received, this time included. */
  readonly receives: number
  readonly sentAt: Date
  /** Of a FIFO queue. */
  readonly group?: string
  /** Text and number attributes, by name. */
  readonly attributes: Readonly<Record<string, string>>
}

/** Options of {@link onSqs} beside how the body is read. */
export interface OnSqsOptions extends DeadlineOptions {
  /** How many messages of a standard queue are handled at the same time. Default 10. A FIFO queue's are handled one after the other. */
  readonly concurrency?: number
  /** Does the work once for each message id: queues deliver at least once. Default: at least once. */
  readonly idempotency?: Idempotency
  /**
   * Told of a message that cannot be read, which then counts as handled. Default: it is returned as failed, and its queue's redrive policy
   * moves it to the dead-letter queue.
   */
  readonly onInvalid?: (record: unknown, error: PipeError) => void | Promise<void>
}

/** What a batch handler answers: the messages to be delivered again (`ReportBatchItemFailures`). */
export interface SqsBatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/** A Lambda handler for batches of a queue. */
export type SqsHandler = (event: unknown, context?: LambdaContext) => Promise<SqsBatchResponse>

/** How the body of a message is read: as JSON of a schema, as an event of a bus, or as its text. */
interface BodyOptions {
  readonly body?: StandardSchemaV1
  readonly event?: EventContract
}

interface SqsRecord {
  readonly messageId: string
  readonly body: string
  readonly eventSourceARN: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly messageAttributes?: Readonly<Record<string, { readonly stringValue?: string }>>
}

/**
 * A Lambda handler for a queue with `ReportBatchItemFailures`: only what failed is delivered again. The body of a message is its text, or JSON read by
 * a schema (`body`), or an event that a rule put into the queue (`event`). Messages of a standard queue are handled
 * side by side; those of a FIFO queue in order, and the first failure stops the batch: it and the rest are returned, as AWS asks. What the
 * deadline left undone is returned, too.
 *
 * @throws ConfigError `PIPE_CONFIG` for options. The handler throws PipeError `PIPE_SQS_EVENT` for what is no batch of a queue: then the
 * whole batch is delivered again.
 * @example
 * ```ts
 * export const handler = onSqs({ body: userSchema }, async ({ body, receives }, { signal }) => sendMail(body, signal))
 * ```
 */
export function onSqs<Detail>(
  given: OnSqsOptions & { readonly event: EventContract<Detail> },
  handle: (message: SqsMessage<BusEvent<Detail>>, context: HandlerContext) => unknown,
): SqsHandler
export function onSqs<Schema extends StandardSchemaV1>(
  given: OnSqsOptions & { readonly body: Schema },
  handle: (message: SqsMessage<StandardSchemaV1.InferOutput<Schema>>, context: HandlerContext) => unknown,
): SqsHandler
export function onSqs(given: OnSqsOptions, handle: (message: SqsMessage<string>, context: HandlerContext) => unknown): SqsHandler
export function onSqs(
  given: OnSqsOptions & BodyOptions,
  handle: (message: SqsMessage<never>, context: HandlerContext) => unknown,
): SqsHandler {
  checkOptions('onSqs', given, { optional: ['body', 'event', 'reserve', 'concurrency', 'idempotency', 'onInvalid'] })
  const { reserve, concurrency = 10, idempotency, onInvalid } = given
  if (given.body !== undefined && given.event !== undefined) throw new ConfigError('onSqs: give "body" or "event", not both.')
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) throw new ConfigError(`onSqs: concurrency is ${concurrency}.`)
  const read = bodyReader(given)

  const one = async (record: SqsRecord, context: HandlerContext): Promise<void> => {
    context.signal.throwIfAborted()
    let message: SqsMessage<never>
    try {
      message = { ...envelopeOf(record), body: (await read(record)) as never }
    } catch (error) {
      if (!onInvalid || !PipeError.isInstance(error)) throw error
      return onInvalid(record, error)
    }
    const work = async () => {
      await handle(message, context)
    }
    const { signal, remainingMs } = context
    const done = idempotency ? idempotency.once(`sqs ${message.id}`, work, { signal, remainingMs: remainingMs() }) : work()
    await untilAborted<unknown>(done, signal)
  }

  return (event, lambdaContext) =>
    withDeadline(lambdaContext, reserve, async (context) => {
      const records = recordsOf(event)
      const failed = records[0]?.eventSourceARN.endsWith('.fifo')
        ? await inOrder(records, (record) => one(record, context))
        : await sideBySide(records, concurrency, (record) => one(record, context))
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
    })
}

/** Stops at the first failure; returns it and the rest. */
async function inOrder(records: readonly SqsRecord[], one: (record: SqsRecord) => Promise<void>): Promise<readonly SqsRecord[]> {
  for (const [i, record] of records.entries()) {
    try {
      await one(record)
    } catch (error) {
      logFailure(`message ${record.messageId}`, error)
      return records.slice(i)
    }
  }
  return []
}

async function sideBySide(
  records: readonly SqsRecord[],
  concurrency: number,
  one: (record: SqsRecord) => Promise<void>,
): Promise<readonly SqsRecord[]> {
  const failed = new Set<SqsRecord>()
  const left = [...records].reverse()
  const worker = async () => {
    for (let record = left.pop(); record; record = left.pop()) {
      try {
        await one(record)
      } catch (error) {
        logFailure(`message ${record.messageId}`, error)
        failed.add(record)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, records.length) }, worker))
  return records.filter((record) => failed.has(record))
}

function recordsOf(event: unknown): readonly SqsRecord[] {
  const records = (event as { readonly Records?: unknown } | null)?.Records
  const isBatch =
    Array.isArray(records) &&
    records.every(
      (record: Partial<SqsRecord> | null) =>
        typeof record?.messageId === 'string' && typeof record.body === 'string' && typeof record.eventSourceARN === 'string',
    )
  if (isBatch) return records as readonly SqsRecord[]
  throw new PipeError('PIPE_SQS_EVENT', 'This is no batch of a queue: its Records have no messageId, body and eventSourceARN.', {
    hint: 'Check what the function is connected to.',
  })
}

function envelopeOf({
  messageId,
  eventSourceARN,
  attributes = {},
  messageAttributes = {},
}: SqsRecord): Omit<SqsMessage<never>, 'body'> {
  const group = attributes['MessageGroupId']
  const texts = Object.entries(messageAttributes).flatMap(([name, { stringValue }]) =>
    stringValue === undefined ? [] : [[name, stringValue]],
  )
  return {
    id: messageId,
    queue: eventSourceARN,
    receives: Number(attributes['ApproximateReceiveCount'] ?? 1),
    sentAt: new Date(Number(attributes['SentTimestamp'] ?? 0)),
    ...(group === undefined ? {} : { group }),
    attributes: Object.fromEntries(texts),
  }
}

function bodyReader({ body: schema, event: contract }: BodyOptions): (record: SqsRecord) => Promise<unknown> {
  if (contract) return ({ body, messageId }) => readEvent(contract, jsonOf(body, messageId))
  if (!schema) return async ({ body }) => body
  // A contract gives the texts of its issues.
  const bodies = defineEvent('sqs', 'message', schema)
  return ({ body, messageId }) => checkDetail(bodies, jsonOf(body, messageId))
}

function jsonOf(text: string, messageId: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new PipeError('PIPE_SQS_BODY', `The body of message ${messageId} is no JSON: ${(cause as Error).message}.`, {
      cause,
      details: { messageId },
    })
  }
}
