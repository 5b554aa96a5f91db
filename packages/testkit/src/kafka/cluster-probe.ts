import { PipeError, sleep } from '@pipe/core'
import { metadata, noTopicId } from '@pipe/kafka-wire'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { connectRaw } from './raw-connection'

/** State of one partition, as the brokers tell it. */
export interface PartitionState {
  readonly partition: number
  /** Node id; -1 while there is none. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

/** Questions to the cluster that tests and the start need. All go to brokers directly, never through the fault proxies. */
export interface ClusterProbe {
  /** Node ids of the brokers that take part (registered and not fenced). */
  brokerIds(): Promise<readonly number[]>
  partitions(topic: string): Promise<readonly PartitionState[]>
  /** What each running broker itself knows of a topic; empty lists from those that have not heard of it yet. */
  partitionsByBroker(topic: string): Promise<readonly (readonly PartitionState[])[]>
  createTopic(
    topic: string,
    partitions: number,
    replicationFactor: number,
    settings?: Readonly<Record<string, string>>,
  ): Promise<void>
  deleteTopic(topic: string): Promise<void>
  /** Asks the coordinator of a group for its offsets; the first question of all makes the brokers create the topic that holds them. */
  askCoordinator(group: string): Promise<void>
  /** Writes one record with acks all. */
  produce(topic: string): Promise<void>
}

/** One kafkajs client per question: its caches must not tell of a broker that has died since. */
export function createClusterProbe(bootstrap: () => readonly string[]): ClusterProbe {
  const client = () => {
    return new Kafka({
      clientId: 'pipe-testkit',
      brokers: [...bootstrap()],
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1000,
      requestTimeout: 3000,
      retry: { initialRetryTime: 100, maxRetryTime: 300, retries: 1 },
    })
  }
  async function ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    const admin = client().admin()
    try {
      await admin.connect()
      return await question(admin)
    } finally {
      await admin.disconnect()
    }
  }
  return {
    brokerIds: () => ask(async (admin) => (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId).sort()),
    partitions: (topic) =>
      ask(async (admin) => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
        return (topics[0]?.partitions ?? [])
          .map(({ partitionId, leader, replicas, isr }) => ({ partition: partitionId, leader, replicas, inSync: isr }))
          .sort((one, other) => one.partition - other.partition)
      }),
    partitionsByBroker: (topic) => Promise.all(bootstrap().map((address) => partitionsAt(address, topic))),
    createTopic: (topic, partitions, replicationFactor, settings = {}) =>
      ask(async (admin) => {
        const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
        const created = await admin.createTopics({
          topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }],
          waitForLeaders: false,
        })
        if (!created) throw new PipeError('PIPE_TESTKIT_TOPIC', `The topic "${topic}" exists already.`)
      }),
    deleteTopic: (topic) => ask((admin) => admin.deleteTopics({ topics: [topic] })),
    askCoordinator: (group) => ask(async (admin) => void (await admin.fetchOffsets({ groupId: group }))),
    async produce(topic) {
      const producer = client().producer({ allowAutoTopicCreation: false })
      try {
        await producer.connect()
        await producer.send({ topic, acks: -1, messages: [{ value: 'ready' }] })
      } finally {
        await producer.disconnect()
      }
    },
  }
}

/** Of one broker. kafkajs asks whichever it likes, also those that it was not given. */
async function partitionsAt(address: string, topic: string): Promise<readonly PartitionState[]> {
  const connection = await connectRaw(address)
  try {
    const { topics } = await connection.ask(metadata, 5, {
      topics: [{ topicId: noTopicId, name: topic }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    return (topics[0]?.partitions ?? []).map(({ partition, leader, replicas, isr }) => ({
      partition,
      leader,
      replicas,
      inSync: isr,
    }))
  } finally {
    connection.close()
  }
}

/**
 * Asks again and again until the answer holds; an error counts as "not yet".
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_TIMEOUT` with the last answer or error. Also what `check` throws, at once.
 */
export async function until(
  what: string,
  timeoutMs: number,
  holds: () => Promise<boolean | string>,
  options: { readonly check?: () => void | Promise<void>; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs
  let last = 'no answer'
  let cause: unknown
  do {
    await options.check?.()
    try {
      const answer = await holds()
      if (answer === true) return
      last = String(answer)
      cause = undefined
    } catch (error) {
      last = String(error)
      cause = error
    }
    await sleep(100, options.signal)
  } while (Date.now() < giveUpAt)
  throw new PipeError('PIPE_TESTKIT_TIMEOUT', `Waited ${timeoutMs} ms for ${what}; last answer: ${last}.`, { cause })
}
