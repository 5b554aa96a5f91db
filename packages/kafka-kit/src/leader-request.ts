import { sleep } from '@pipe/core'
import type { MetadataTopic } from '@pipe/kafka-wire'
import { KafkaError, protocolFailure } from './errors'
import type { Cluster, DriverBroker } from './internals'

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `orders[3]`: how partitions are named in texts and as keys of maps. A topic name has no brackets. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}[${partition}]`
}

/** Partitions by topic, as requests list them. */
export function byTopic<Item extends TopicPartition, Entry>(
  items: readonly Item[],
  entry: (item: Item) => Entry,
): { readonly name: string; readonly partitions: Entry[] }[] {
  const topics = new Map<string, Entry[]>()
  for (const item of items) {
    const entries = topics.get(item.topic)
    if (entries) entries.push(entry(item))
    else topics.set(item.topic, [entry(item)])
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}

/** What a leader said of one partition: an error code, or a value. */
export interface PartitionAnswer<Value> extends TopicPartition {
  readonly errorCode: number
  readonly value: Value
}

/** How long to wait for leaders. */
export interface LeaderWait {
  /** Milliseconds for which a partition without a reachable leader is asked for again. */
  readonly waitMs: number
  readonly signal?: AbortSignal | undefined
}

/** Codes after which the leader is looked up again. */
const staleLeaderCodes: ReadonlySet<number> = new Set([3, 5, 6, 9, 13, 56, 74, 75, 78])

/**
 * Asks the leaders of partitions, each one once for all that it leads, and again where the leadership was just changing.
 *
 * @returns for each item, by {@link partitionKey}: its value, or why there is none once `waitMs` has passed.
 */
export async function askLeaders<Item extends TopicPartition, Value>(
  cluster: Cluster,
  items: readonly Item[],
  wait: LeaderWait,
  ask: (broker: DriverBroker, items: readonly Item[]) => Promise<readonly PartitionAnswer<Value>[]>,
): Promise<Map<string, Value | KafkaError>> {
  const giveUpAt = Date.now() + wait.waitMs
  const found = new Map<string, Value | KafkaError>()
  let pending = items
  for (let delay = 50; pending.length > 0; delay = Math.min(delay * 2, 1000)) {
    const failures = new Map<string, KafkaError>()
    const leaders = await leadersOf(cluster, pending, failures, wait.signal)
    await Promise.all(
      [...leaders].map(async ([nodeId, led]) => {
        try {
          for (const answer of await ask(await cluster.broker(nodeId), led)) {
            const { topic, partition, errorCode, value } = answer
            const key = partitionKey(answer)
            if (errorCode === 0) found.set(key, value)
            else {
              const failure = protocolFailure(key, errorCode, { topic, partition })
              if (staleLeaderCodes.has(errorCode)) failures.set(key, failure)
              else found.set(key, failure)
            }
          }
        } catch (error) {
          if (!(error instanceof KafkaError) || !error.retryable) throw error
          for (const item of led) failures.set(partitionKey(item), error)
        }
      }),
    )
    pending = pending.filter((item) => !found.has(partitionKey(item)))
    if (pending.length === 0) break
    if (Date.now() + delay > giveUpAt) {
      for (const item of pending) {
        const key = partitionKey(item)
        found.set(key, failures.get(key) ?? new KafkaError('PIPE_KAFKA_PROTOCOL', `${key}: the leader did not answer for it.`))
      }
      break
    }
    await sleep(delay, wait.signal)
  }
  return found
}

async function leadersOf<Item extends TopicPartition>(
  cluster: Cluster,
  items: readonly Item[],
  failures: Map<string, KafkaError>,
  signal: AbortSignal | undefined,
): Promise<Map<number, Item[]>> {
  const { topics } = await cluster.metadata([...new Set(items.map(({ topic }) => topic))], { signal })
  const byName = new Map(topics.map((topic) => [topic.name, topic]))
  const leaders = new Map<number, Item[]>()
  for (const item of items) {
    const topic = byName.get(item.topic)
    const partition = topic?.partitions.find((one) => one.partition === item.partition)
    if (!partition || partition.leader < 0) {
      const code = topic && topic.errorCode !== 0 ? topic.errorCode : partition ? 5 : 3
      failures.set(
        partitionKey(item),
        protocolFailure(partitionKey(item), code, { topic: item.topic, partition: item.partition }),
      )
      continue
    }
    const led = leaders.get(partition.leader)
    if (led) led.push(item)
    else leaders.set(partition.leader, [item])
  }
  return leaders
}

/**
 * The metadata of topics that must exist.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_TOPIC` naming those that do not.
 */
export async function existingTopics(
  cluster: Cluster,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, MetadataTopic>> {
  const { topics } = await cluster.metadata(names, { signal })
  const missing = topics.filter(({ errorCode }) => errorCode === 3)
  if (missing.length > 0) {
    throw new KafkaError('PIPE_KAFKA_TOPIC', `The cluster has no topic ${missing.map(({ name }) => name).join(', ')}.`, {
      hint: 'Check the name and the cluster, or create it with planTopics and applyTopics.',
      details: { topic: missing[0]?.name ?? undefined, errorCode: 3 },
    })
  }
  const found = new Map<string, MetadataTopic>()
  for (const topic of topics) {
    // LEADER_NOT_AVAILABLE: it exists, and a partition has no leader just now.
    if (topic.errorCode !== 0 && topic.errorCode !== 5) {
      throw protocolFailure(`Topic ${topic.name}`, topic.errorCode, { topic: topic.name ?? undefined })
    }
    found.set(topic.name!, topic)
  }
  return found
}
