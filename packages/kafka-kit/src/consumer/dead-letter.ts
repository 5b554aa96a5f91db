import { deadlineIn, PipeError } from '@pipe/core'
import { KafkaError } from '../errors'
import type { RawHeader } from '../header-codec'
import type { KafkaResources } from '../kafka-resources'
import type { Producer } from '../producer/producer'
import type { Poison } from './consumed-record'
import { partitionCount, partitionFor, rawProducer, rawTopic } from './raw-write'

/** Where poison records go. */
export interface DeadLetterOptions {
  /** Name of the topic. It must exist; keep its records as long as it takes someone to look at them. */
  readonly topic: string
}

/**
 * Headers of a dead letter, beside those that the record had. Key, value and its own headers are the bytes that were in the log.
 *
 * `origin*`: where it stood. `group`: whose consumer gave it up. `attempts`: calls of the handler, 0 when it could not be decoded.
 */
export const deadLetterHeaders: {
  readonly originTopic: string
  readonly originPartition: string
  readonly originOffset: string
  readonly originTimestamp: string
  readonly group: string
  readonly attempts: string
  readonly errorCode: string
  readonly errorMessage: string
  readonly failedAt: string
  readonly redriven: string
} = {
  originTopic: 'pipe-origin-topic',
  originPartition: 'pipe-origin-partition',
  originOffset: 'pipe-origin-offset',
  originTimestamp: 'pipe-origin-timestamp',
  group: 'pipe-origin-group',
  attempts: 'pipe-attempts',
  errorCode: 'pipe-error-code',
  errorMessage: 'pipe-error-message',
  failedAt: 'pipe-failed-at',
  redriven: 'pipe-redriven',
}

const ownHeaders: ReadonlySet<string> = new Set(
  Object.values(deadLetterHeaders).filter((name) => name !== deadLetterHeaders.redriven),
)

/** The headers that tell of an error. The message is for reading, not for parsing: the record itself must still fit. */
export function errorHeaders(error: unknown): Readonly<Record<string, string>> {
  const code = PipeError.isInstance(error) ? error.code : error instanceof Error ? error.name : typeof error
  const message = error instanceof Error ? error.message : String(error)
  return { [deadLetterHeaders.errorCode]: code, [deadLetterHeaders.errorMessage]: message.slice(0, 1000) }
}

/** The headers of a record as it becomes a dead letter. Those of an earlier death are replaced; `pipe-redriven` stays. */
export function withOrigin(poison: Poison, group: string, nowMs: number): readonly RawHeader[] {
  const { record, error, attempts } = poison
  const added: Record<string, string> = {
    [deadLetterHeaders.originTopic]: record.topic,
    [deadLetterHeaders.originPartition]: String(record.partition),
    [deadLetterHeaders.originOffset]: String(record.offset),
    [deadLetterHeaders.originTimestamp]: String(record.timestamp.getTime()),
    [deadLetterHeaders.group]: group,
    [deadLetterHeaders.attempts]: String(attempts),
    ...errorHeaders(error),
    [deadLetterHeaders.failedAt]: new Date(nowMs).toISOString(),
  }
  return [
    ...record.headers.filter(({ key }) => !ownHeaders.has(key)),
    ...Object.entries(added).map(([key, value]) => ({ key, value: Buffer.from(value) })),
  ]
}

/** Where a dead letter came from. */
export interface Origin {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly group: string
  readonly errorCode: string
  readonly errorMessage: string
  readonly attempts: number
}

/** Reads the origin headers of a record; `undefined` when it is no dead letter of ours. */
export function originOf(headers: readonly RawHeader[]): Origin | undefined {
  const text = (name: string) => {
    const header = headers.find(({ key }) => key === name)
    return header?.value ? Buffer.from(header.value).toString() : undefined
  }
  const topic = text(deadLetterHeaders.originTopic)
  const partition = text(deadLetterHeaders.originPartition)
  const offset = text(deadLetterHeaders.originOffset)
  if (topic === undefined || !/^\d{1,10}$/.test(partition ?? '') || !/^\d{1,19}$/.test(offset ?? '')) return undefined
  return {
    topic,
    partition: Number(partition),
    offset: BigInt(offset!),
    timestampMs: Number(text(deadLetterHeaders.originTimestamp) ?? Number.NaN),
    group: text(deadLetterHeaders.group) ?? '',
    errorCode: text(deadLetterHeaders.errorCode) ?? '',
    errorMessage: text(deadLetterHeaders.errorMessage) ?? '',
    attempts: Number(text(deadLetterHeaders.attempts) ?? 0),
  }
}

/** The headers that a record had before it died. */
export function withoutOrigin(headers: readonly RawHeader[]): readonly RawHeader[] {
  return headers.filter(({ key }) => !ownHeaders.has(key))
}

/** Writes dead letters of one consumer. */
export interface Burial {
  /** @returns the topic. Rejects when it could not be written, with the record still in its place. */
  bury(poison: Poison, signal: AbortSignal): Promise<string>
  /** Fails early when the topic is not there. */
  check(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/**
 * Makes the burial of one consumer. Letters are written by an idempotent producer: one whose answer is lost is stored once. A member that dies
 * between the letter and the commit leaves the record to the next one, which may write a second letter; both have the same origin headers.
 */
export function createBurial(settings: {
  readonly resources: KafkaResources
  readonly group: string
  readonly options: DeadLetterOptions
}): Burial {
  const { resources, group } = settings
  const { topic } = settings.options
  const letters = rawTopic(topic)
  let producer: Producer | undefined
  let partitions: Promise<number> | undefined

  function count(signal?: AbortSignal): Promise<number> {
    partitions ??= partitionCount(resources.cluster(), topic, signal).catch((error) => {
      partitions = undefined
      throw error
    })
    return partitions
  }

  return {
    check: async (signal) => {
      await count(signal)
    },
    async bury(poison, signal) {
      const { key, value, partition } = poison.record
      const now = new Date()
      try {
        const placed = { partition: partitionFor(key, partition, await count(signal)), timestamp: now }
        producer ??= rawProducer(resources)
        await producer.send(letters, { key, value, headers: withOrigin(poison, group, now.getTime()), ...placed }, { signal })
      } catch (error) {
        if (signal.aborted) throw signal.reason
        const why = error instanceof Error ? error.message : String(error)
        throw new KafkaError('PIPE_KAFKA_DEAD_LETTER', `A dead letter could not be written to ${topic}: ${why}`, {
          cause: error,
          details: { topic, group },
        })
      }
      return topic
    },
    async close() {
      // Whoever waited for a letter was interrupted by now.
      await producer?.close({ deadline: deadlineIn(1000) })
    },
  }
}
