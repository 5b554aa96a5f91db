import { ConfigError } from '@pipe/core'
import type { RecordToWrite } from '@pipe/kafka-wire'
import { KafkaError } from '../errors'
import { encodeHeaders, type HeadersIn } from '../header-codec'
import type { EncodedRecord } from '../record-codec'
import { checkTopicName, type Topic } from '../topic'

/** Where and when, beside the record of the contract. */
export interface Placement {
  /** Instead of the one that the key chooses. */
  readonly partition?: number | undefined
  /** Default: now. Kafka 4 refuses what is more than an hour ahead of its clock. */
  readonly timestamp?: Date | undefined
}

/** A message without a contract. `undefined` and `null` as key: none. An empty text is a key. */
export interface Message {
  readonly key?: string | Uint8Array | null | undefined
  readonly value: string | Uint8Array | null
  readonly headers?: HeadersIn | undefined
}

/** Any topic contract, as the engine sees it. */
export type AnyTopic = Topic<never, unknown>

/** Any message, as the engine sees it. */
export type LooseMessage = Message & Placement

/** The name of a topic. */
export function nameOf(topic: string | AnyTopic): string {
  return typeof topic === 'string' ? topic : topic.name
}

/**
 * The name of a topic, when it is one.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`, `PIPE_KAFKA_TOPIC`
 */
export function checkTopic(topic: string | AnyTopic): string {
  if (typeof topic === 'string') checkTopicName(topic)
  else if (topic?.kind !== 'topic') throw new ConfigError('send takes the name of a topic, or a topic made by defineTopic.')
  return nameOf(topic)
}

/** Checks and encodes a message; a promise where a schema validates asynchronously. `nowMs` is its time when it names none. */
export function toRecord(
  topic: string | AnyTopic,
  message: LooseMessage,
  nowMs: number = Date.now(),
): RecordToWrite | Promise<RecordToWrite> {
  const timestampMs = message.timestamp === undefined ? nowMs : timestampOf(topic, message.timestamp)
  if (typeof topic === 'string') return rawRecord(topic, message, timestampMs)
  const encoded = topic.encode(message as never)
  return encoded instanceof Promise
    ? encoded.then((record) => withTimestamp(record, timestampMs))
    : withTimestamp(encoded, timestampMs)
}

function timestampOf(topic: string | AnyTopic, timestamp: Date): number {
  const timestampMs = timestamp instanceof Date ? timestamp.getTime() : Number.NaN
  if (Number.isNaN(timestampMs)) {
    throw new KafkaError('PIPE_KAFKA_VALUE', `The timestamp of a record of ${nameOf(topic)} is no valid Date. It was not sent.`)
  }
  return timestampMs
}

function withTimestamp({ key, value, headers }: EncodedRecord, timestampMs: number): RecordToWrite {
  return { key, value, headers, timestampMs }
}

function rawRecord(topic: string, message: LooseMessage, timestampMs: number): RecordToWrite {
  if (typeof message !== 'object' || message === null) {
    throw new KafkaError('PIPE_KAFKA_VALUE', `A message of ${topic} must be an object with a value. It was not sent.`)
  }
  return {
    key: rawPart(topic, 'key', message.key ?? null),
    value: rawPart(topic, 'value', message.value),
    headers: encodeHeaders(`a message of ${topic}`, message.headers),
    timestampMs,
  }
}

function rawPart(topic: string, part: string, value: unknown): string | Uint8Array | null {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value
  throw new KafkaError(
    'PIPE_KAFKA_VALUE',
    `The ${part} of a message of ${topic} is ${value === undefined ? 'missing' : `a ${typeof value}`}. It was not sent.`,
    {
      hint: 'Give a text, a Uint8Array or null, or define the topic (defineTopic) to have values encoded.',
    },
  )
}
