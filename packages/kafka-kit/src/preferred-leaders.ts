import { type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { electionType, electLeaders } from '@pipe/kafka-wire'
import { type Kafka, resourcesOf } from './connect'
import { protocolFailure } from './errors'
import { existingTopics, partitionKey, type TopicPartition } from './leader-request'

/** Options of {@link electPreferredLeaders}. */
export interface ElectOptions {
  /** Only these topics. Default all. */
  readonly topics?: readonly (string | { readonly name: string })[] | undefined
  /** How long the controller may take. Default `'30 seconds'`. */
  readonly timeout?: Duration | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** What {@link electPreferredLeaders} did. */
export interface ElectedLeaders {
  /** Led by their preferred broker again. */
  readonly elected: readonly TopicPartition[]
  /** Left as they are, and why: mostly that the preferred broker is not in sync. */
  readonly refused: readonly (TopicPartition & { readonly reason: string })[]
}

/** Said of a partition that is led by its preferred broker already. */
const electionNotNeeded = 84

/**
 * Gives leadership back to the preferred brokers, as after a rolling restart: `preferredLeaderSkew` of `clusterView` goes to 0. Only replicas in
 * sync are elected, so nothing is lost; producers and consumers look the leaders up again.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_TOPIC` for an unknown topic, `PIPE_KAFKA_PROTOCOL` when the cluster refuses (a missing permission).
 */
export async function electPreferredLeaders(kafka: Kafka, options: ElectOptions = {}): Promise<ElectedLeaders> {
  checkOptions('electPreferredLeaders', options, { optional: ['topics', 'timeout', 'signal'] })
  const { signal } = options
  const timeoutMs = durationMs(options.timeout ?? '30 seconds')
  const cluster = resourcesOf(kafka).cluster()
  const names = options.topics?.map((topic) => (typeof topic === 'string' ? topic : topic.name))
  const topics =
    names === undefined
      ? null
      : [...(await existingTopics(cluster, names, signal))].map(([topic, { partitions }]) => ({
          topic,
          partitions: partitions.map(({ partition }) => partition),
        }))
  const request = { electionType: electionType.preferred, topics, timeoutMs }
  const answer = await cluster.call(await cluster.controller(), electLeaders, request, { signal, timeoutMs: timeoutMs + 5000 })
  if (answer.errorCode !== 0) throw protocolFailure('Electing the preferred leaders', answer.errorCode)
  const elected: TopicPartition[] = []
  const refused: (TopicPartition & { reason: string })[] = []
  for (const { topic, partitions } of answer.topics) {
    for (const { partition, errorCode, errorMessage } of partitions) {
      const at = { topic, partition }
      if (errorCode === 0) elected.push(at)
      else if (errorCode !== electionNotNeeded) {
        refused.push({ ...at, reason: protocolFailure(partitionKey(at), errorCode, at, errorMessage).message })
      }
    }
  }
  return { elected, refused }
}
