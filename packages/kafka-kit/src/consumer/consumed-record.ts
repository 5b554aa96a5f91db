import type { BatchRecord } from '@pipe/kafka-wire'
import type { RawHeader } from '../header-codec'
import type { OutputRecord, RecordOut, Topic } from '../topic'

/** A topic contract of any kind. */
export type AnyTopic = Topic<never, unknown>

/** A record as a handler gets it: what the topic contract says it is, and where it stands in the log. */
export type ConsumedRecord<Output = unknown> = Output & RecordPlace

/** Where a record stands. */
export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** The producer's time, or the broker's where the topic says `LogAppendTime`. */
  readonly timestamp: Date
}

/** The record of a handler that reads these topics: one of theirs. */
export type RecordOf<Topics extends readonly AnyTopic[]> = Topics[number] extends infer T
  ? T extends AnyTopic
    ? ConsumedRecord<OutputRecord<T>>
    : never
  : never

/** A record as it lies in the log, with its place. */
export interface RawConsumedRecord extends RecordPlace {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RawHeader[]
}

/** A record that cannot be handled, on its way out. */
export interface Poison {
  readonly record: RawConsumedRecord
  readonly error: unknown
  /** Calls of the handler; 0 when it could not be decoded. */
  readonly attempts: number
}

/**
 * Decodes a record by its contract.
 *
 * @throws KafkaError `PIPE_KAFKA_DECODE` as the contract does.
 */
export function decodeRecord(topic: AnyTopic, partition: number, record: BatchRecord): unknown {
  const decoded = topic.decode(record)
  return decoded instanceof Promise
    ? decoded.then((output) => placed(topic.name, partition, record, output))
    : placed(topic.name, partition, record, decoded)
}

/** A literal, not two spread objects: this is done for each record. */
function placed(topic: string, partition: number, { offset, timestampMs }: BatchRecord, output: unknown): RecordPlace {
  const { key, value, headers } = output as RecordOut<unknown, unknown, unknown>
  const record: RecordOut<unknown, unknown, unknown> & RecordPlace = {
    key,
    value,
    headers,
    topic,
    partition,
    offset,
    timestamp: new Date(timestampMs),
  }
  return record
}

/** A record without decoding it. */
export function rawRecord(topic: string, partition: number, record: BatchRecord): RawConsumedRecord {
  const { key, value, headers, offset } = record
  return { topic, partition, offset, timestamp: new Date(record.timestampMs), key, value, headers }
}
