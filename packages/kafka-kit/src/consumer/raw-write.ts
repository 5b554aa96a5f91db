import { sleep } from '@pipe/core'
import { encodeRecordBatch, murmur2, produce } from '@pipe/kafka-wire'
import { KafkaError } from '../errors'
import type { RawHeader } from '../header-codec'
import type { Cluster } from '../internals'
import { askLeaders, existingTopics, partitionKey } from '../leader-request'

/** A record to write as it is. */
export interface RawWrite {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RawHeader[]
  readonly timestampMs: number
}

/** How many partitions a topic has. @throws KafkaError `PIPE_KAFKA_TOPIC` when there is no such topic. */
export async function partitionCount(cluster: Cluster, topic: string, signal?: AbortSignal): Promise<number> {
  const topics = await existingTopics(cluster, [topic], signal)
  return topics.get(topic)!.partitions.length
}

/** The partition of a record by its key, as every producer with murmur2 has it; without a key, the one that it had. */
export function partitionFor(key: Uint8Array | null, from: number, partitions: number): number {
  return key === null ? from % partitions : (murmur2(key) & 0x7fffffff) % partitions
}

/**
 * Writes records to one partition with acks all, in their order, and again until the leader has confirmed them. A record may be written
 * twice when an answer is lost: what is written here tolerates that.
 *
 * @returns the offset of the first one.
 * @throws KafkaError when the broker refuses it, or after `waitMs`.
 */
export async function writeRaw(
  cluster: Cluster,
  target: { readonly topic: string; readonly partition: number },
  records: readonly RawWrite[],
  options: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
): Promise<bigint> {
  const batch = encodeRecordBatch(records)
  const giveUpAt = Date.now() + options.waitMs
  for (;;) {
    const wait = { waitMs: Math.max(0, giveUpAt - Date.now()), signal: options.signal }
    const answers = await askLeaders(cluster, [target], wait, async (broker) => {
      const { topics } = await cluster.call(
        broker,
        produce,
        {
          transactionalId: null,
          acks: -1,
          timeoutMs: 10_000,
          topics: [{ name: target.topic, partitions: [{ partition: target.partition, records: batch }] }],
        },
        { signal: options.signal },
      )
      return topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partition, errorCode, baseOffset }) => ({ topic: name, partition, errorCode, value: baseOffset })),
      )
    })
    const answer = answers.get(partitionKey(target))
    if (typeof answer === 'bigint') return answer
    const error = answer ?? new KafkaError('PIPE_KAFKA_PROTOCOL', `${partitionKey(target)}: the broker gave no answer for it.`)
    if (!error.retryable || Date.now() >= giveUpAt) throw error
    await sleep(200, options.signal)
  }
}
