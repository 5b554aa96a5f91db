import { addOffsetsToTxn, addPartitionsToTxn, endTxn, initProducerId, offsetFetch, txnOffsetCommit } from '@pipe/kafka-wire'
import { versionFor } from '../cluster'
import { KafkaError } from '../errors'
import type { Cluster } from '../internals'
import { existingTopics } from '../leader-request'
import { readTopicStates } from '../topic-state'

/** First version of each request that exactly once needs. OffsetFetch 7 waits for the end of open transactions, TxnOffsetCommit 3 says who commits (both Kafka 2.5). */
const needed = [
  { api: initProducerId, version: 0 },
  { api: addPartitionsToTxn, version: 0 },
  { api: addOffsetsToTxn, version: 0 },
  { api: endTxn, version: 0 },
  { api: txnOffsetCommit, version: 3 },
  { api: offsetFetch, version: 7 },
] as const

/**
 * Refuses a cluster on which exactly once cannot be kept.
 *
 * @throws KafkaError `PIPE_KAFKA_VERSION` for brokers before Kafka 2.5, `PIPE_KAFKA_TOPIC` for a target that is not there,
 * `PIPE_KAFKA_DURABILITY` for one whose confirmed records may be lost with one broker.
 */
export async function checkTransform(cluster: Cluster, targets: readonly string[], signal: AbortSignal): Promise<void> {
  const broker = await cluster.anyBroker()
  for (const { api, version } of needed) {
    if (versionFor(broker, api as never) >= version) continue
    throw new KafkaError('PIPE_KAFKA_VERSION', `The brokers do not serve ${api.name} ${version}: exactly once cannot be kept.`, {
      hint: 'It needs Kafka 2.5 or later. kafka.consumer with kafka.producer works at least once.',
    })
  }
  await existingTopics(cluster, targets, signal)
  const names = targets.map((name) => ({ name, configNames: ['min.insync.replicas'] }))
  const { states } = await readTopicStates(cluster, names, signal)
  for (const { topic, replicationFactor, config } of states) {
    const minInSync = Number(config['min.insync.replicas'] ?? 1)
    // A single replica is what a developer's broker has: nobody takes it for safe.
    if (replicationFactor < 2 || minInSync >= 2) continue
    throw new KafkaError(
      'PIPE_KAFKA_DURABILITY',
      `${topic} has ${replicationFactor} replicas and min.insync.replicas ${minInSync}: its leader alone may confirm an output and lose it, so exactly once cannot be kept.`,
      { hint: 'Set minInSyncReplicas 2 in its contract and apply it with applyTopics.', details: { topic } },
    )
  }
}
