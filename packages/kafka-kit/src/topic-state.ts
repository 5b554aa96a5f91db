import { configResource, describeConfigs } from '@pipe/kafka-wire'
import { protocolFailure } from './errors'
import type { Cluster } from './internals'

/** A topic as the cluster has it. Data. */
export interface TopicState {
  readonly topic: string
  readonly exists: boolean
  /** Changes when a topic is deleted and created again. Zeros where the broker has no topic ids (before Kafka 2.8). */
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: number
  /** Replicas of the partition that has fewest. */
  readonly replicationFactor: number
  /** The values in force of the configs that were asked for, and of `cleanup.policy`. */
  readonly config: Readonly<Record<string, string | null>>
}

/** How many topics one DescribeConfigs asks for. */
const topicsAtOnce = 200

/** Reads topics: what they are, and the configs named (always `cleanup.policy`). Topics that do not exist are in the answer, as such. */
export async function readTopicStates(
  cluster: Cluster,
  topics: readonly { readonly name: string; readonly configNames: readonly string[] }[],
  signal?: AbortSignal,
): Promise<{ readonly clusterId: string | null; readonly brokers: number; readonly states: readonly TopicState[] }> {
  const answer = await cluster.metadata(
    topics.map(({ name }) => name),
    { signal },
  )
  const byName = new Map(answer.topics.map((topic) => [topic.name, topic]))
  const existing = topics.filter(({ name }) => {
    const errorCode = byName.get(name)?.errorCode ?? 3
    // LEADER_NOT_AVAILABLE: it exists, and a partition has no leader just now.
    if (![0, 3, 5].includes(errorCode)) throw protocolFailure(`Topic ${name}`, errorCode, { topic: name })
    return errorCode !== 3
  })
  const configs = await readConfigs(cluster, existing, signal)
  const states = topics.map(({ name }): TopicState => {
    const config = configs.get(name)
    const found = byName.get(name)
    if (!config || !found) {
      return { topic: name, exists: false, topicId: '', isInternal: false, partitions: 0, replicationFactor: 0, config: {} }
    }
    const { topicId, isInternal, partitions } = found
    const replicationFactor = partitions.length === 0 ? 0 : Math.min(...partitions.map(({ replicas }) => replicas.length))
    return { topic: name, exists: true, topicId, isInternal, partitions: partitions.length, replicationFactor, config }
  })
  return { clusterId: answer.clusterId, brokers: answer.brokers.length, states }
}

/** Values in force of topic configs, by topic and name. */
export async function readConfigs(
  cluster: Cluster,
  topics: readonly { readonly name: string; readonly configNames: readonly string[] }[],
  signal?: AbortSignal,
): Promise<Map<string, Record<string, string | null>>> {
  const configs = new Map<string, Record<string, string | null>>()
  for (let at = 0; at < topics.length; at += topicsAtOnce) {
    const request = {
      resources: topics.slice(at, at + topicsAtOnce).map(({ name, configNames }) => ({
        resourceType: configResource.topic,
        resourceName: name,
        configNames: [...new Set([...configNames, 'cleanup.policy'])],
      })),
      includeSynonyms: false,
      includeDocumentation: false,
    }
    const { results } = await cluster.call(await cluster.anyBroker(), describeConfigs, request, { signal })
    for (const { errorCode, errorMessage, resourceName, configs: entries } of results) {
      // UNKNOWN_TOPIC_OR_PARTITION: deleted since the metadata.
      if (errorCode === 3) continue
      if (errorCode !== 0)
        throw protocolFailure(`The configs of topic ${resourceName}`, errorCode, { topic: resourceName }, errorMessage)
      configs.set(resourceName, Object.fromEntries(entries.map(({ name, value }) => [name, value])))
    }
  }
  return configs
}
