import { PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import {
  type DeadlineOptions,
  type HandlerContext,
  type LambdaContext,
  logFailure,
  untilAborted,
  withDeadline,
} from './invocation'

/** A topic contract: `defineTopic` of `@pipe/kafka-kit` fits. */
export interface DecodedTopic<Output> {
  readonly name: string
  decode(record: RawKafkaRecord): Output | Promise<Output>
}

/** A record as it lies in the log. */
export interface RawKafkaRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

/** Where a record stands. */
export interface KafkaRecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: Date
}

/** What the handler of {@link onKafka} is given beside the record: what a consumer of `@pipe/kafka-kit` gives, too. */
export interface KafkaContext extends HandlerContext {
  /** Lambda does not say how often it delivered a record: always 1. */
  readonly attempt: number
}

/** Options of {@link onKafka}. */
export interface OnKafkaOptions extends DeadlineOptions {
  /**
   * Told of a record that its contract cannot read, which then counts as handled. Default: it is returned as failed, and holds up its
   * partition until the event source mapping gives up on it.
   */
  readonly onInvalid?: (record: RawKafkaRecord & KafkaRecordPlace, error: unknown) => void | Promise<void>
}

/** The failed record of a partition: AWS wants an object here, no text. */
export interface KafkaItemFailure {
  readonly itemIdentifier: { readonly partition: string; readonly offset: number }
}

/** What a {@link KafkaHandler} answers: for each partition that stopped, the record it stopped at. */
export interface KafkaBatchResponse {
  readonly batchItemFailures: readonly KafkaItemFailure[]
}

/** A Lambda handler for batches of MSK or of one's own Kafka. */
export type KafkaHandler = (event: unknown, context?: LambdaContext) => Promise<KafkaBatchResponse>

interface KafkaEventRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key?: string | null
  readonly value?: string | null
  readonly headers?: readonly Readonly<Record<string, readonly number[]>>[]
}

/**
 * A Lambda handler for an event source mapping of Kafka (MSK or self-managed) with `ReportBatchItemFailures`. Partitions go side by side, the
 * records of one in order; the first failure, or the deadline, stops a partition, and the record it stopped at is returned. The same `handle`
 * serves `kafka.consumer` of `@pipe/kafka-kit`.
 *
 * @throws ConfigError `PIPE_CONFIG` for options. The handler throws PipeError `PIPE_KAFKA_EVENT` for what is no batch of Kafka or of another
 * topic: then the whole batch is delivered again.
 * @example
 * ```ts
 * export const handler = onKafka(orders, async ({ value, offset }, { signal }) => bill(value, signal))
 * ```
 */
export function onKafka<Output>(
  topic: DecodedTopic<Output>,
  handle: (record: Output & KafkaRecordPlace, context: KafkaContext) => unknown,
  options: OnKafkaOptions = {},
): KafkaHandler {
  checkOptions('onKafka', options, { optional: ['reserve', 'onInvalid'] })
  const { reserve, onInvalid } = options
  const one = async (record: KafkaEventRecord, context: HandlerContext): Promise<void> => {
    context.signal.throwIfAborted()
    const raw = rawOf(record)
    const place = placeOf(record)
    let output: Output
    try {
      output = await topic.decode(raw)
    } catch (error) {
      if (!onInvalid) throw error
      return onInvalid({ ...raw, ...place }, error)
    }
    const work = async () => {
      await handle({ ...output, ...place }, { ...context, attempt: 1 })
    }
    await untilAborted(work(), context.signal)
  }
  const partition = async (
    name: string,
    records: readonly KafkaEventRecord[],
    context: HandlerContext,
  ): Promise<KafkaItemFailure[]> => {
    for (const record of records) {
      try {
        await one(record, context)
      } catch (error) {
        logFailure(`${name} offset ${record.offset}`, error)
        return [{ itemIdentifier: { partition: name, offset: record.offset } }]
      }
    }
    return []
  }
  return (event, lambdaContext) =>
    withDeadline(lambdaContext, reserve, async (context) => {
      const partitions = partitionsOf(event, topic.name)
      const failures = await Promise.all(partitions.map(([name, records]) => partition(name, records, context)))
      return { batchItemFailures: failures.flat() }
    })
}

function partitionsOf(event: unknown, topic: string): [string, readonly KafkaEventRecord[]][] {
  const records = (event as { readonly records?: unknown } | null)?.records
  if (typeof records !== 'object' || records === null) return refuse('it has no records')
  const entries = Object.entries(records) as [string, unknown][]
  for (const [name, list] of entries) {
    if (!Array.isArray(list)) return refuse(`records["${name}"] is no list`)
    for (const { topic: found, partition, offset } of list as KafkaEventRecord[]) {
      if (found !== topic) return refuse(`"${name}" holds records of "${found}", the handler is for "${topic}"`)
      if (!Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) return refuse(`a record of "${name}" has no place`)
    }
  }
  // Within a batch a partition's records come in order; sorting costs nothing and needs no trust.
  return entries.map(([name, list]) => [name, [...(list as KafkaEventRecord[])].sort((a, b) => a.offset - b.offset)])
}

function refuse(problem: string): never {
  throw new PipeError('PIPE_KAFKA_EVENT', `This is no batch of Kafka for this handler: ${problem}.`, {
    hint: 'Check the event source mapping of the function.',
  })
}

function rawOf({ key, value, headers = [] }: KafkaEventRecord): RawKafkaRecord {
  const bytes = (text: string | null | undefined) => (text === null || text === undefined ? null : Buffer.from(text, 'base64'))
  return {
    key: bytes(key),
    value: bytes(value),
    headers: headers.flatMap((header) =>
      Object.entries(header).map(([name, octets]) => ({ key: name, value: octets === null ? null : Uint8Array.from(octets) })),
    ),
  }
}

function placeOf({ topic, partition, offset, timestamp }: KafkaEventRecord): KafkaRecordPlace {
  return { topic, partition, offset: BigInt(offset), timestamp: new Date(timestamp) }
}
