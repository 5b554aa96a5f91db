import { column } from '@pipe/core'
import { murmur2 } from '@pipe/kafka-wire'
import type { RawHeader } from '../header-codec'
import type { Cluster } from '../internals'
import type { KafkaResources } from '../kafka-resources'
import { existingTopics } from '../leader-request'
import type { Placement } from '../producer/message'
import { createProducer, type Producer } from '../producer/producer'
import { defineTopic, type Topic } from '../topic'

/** A record to write as it is. */
export interface RawWrite {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RawHeader[]
}

/** A record to write as it is, and where and when. */
export type PlacedWrite = RawWrite & Required<Placement>

/** How many partitions a topic has. @throws KafkaError `PIPE_KAFKA_TOPIC` when there is no such topic. */
export async function partitionCount(cluster: Cluster, topic: string, signal?: AbortSignal): Promise<number> {
  const topics = await existingTopics(cluster, [topic], signal)
  return topics.get(topic)!.partitions.length
}

/** The partition of a record by its key, as every producer with murmur2 has it; without a key, the one that it had. */
export function partitionFor(key: Uint8Array | null, from: number, partitions: number): number {
  return key === null ? from % partitions : (murmur2(key) & 0x7fffffff) % partitions
}

/** A topic whose records are written as the bytes that they are, headers that stand twice included. */
export function rawTopic(name: string): Topic<RawWrite, unknown> {
  const any = defineTopic(name, { value: column.binary(), partitions: 1, replicationFactor: 1 })
  return { ...any, encode: ({ key, value, headers }: RawWrite) => ({ key, value, headers }) }
}

/** A producer for records that were in a log before: idempotent, without lingering. What the topic takes is the broker's to say. */
export function rawProducer(resources: KafkaResources): Producer {
  return createProducer(resources, { linger: '0 ms', deliveryTimeout: '1 minute', maxMessageBytes: 2 ** 31 - 1 })
}
