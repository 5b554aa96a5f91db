import { metadata, noTopicId } from '@pipe/kafka-wire'
import { type KafkaCluster, startKafkaCluster } from '@pipe/testkit'
import { rawClient } from '../raw-client'
import type { KafkaTarget, TargetPartition } from './target'

/** Three real brokers as a target. */
export async function realTarget(): Promise<KafkaTarget & { readonly cluster: KafkaCluster; close(): Promise<void> }> {
  const cluster = await startKafkaCluster()
  // Asked on the wire: clients take a partition without a leader for an error of the whole topic.
  async function partitions(topic: string): Promise<readonly TargetPartition[]> {
    const running = cluster.brokers.find((broker) => broker.state() === 'running')!
    const raw = await rawClient(running.address)
    try {
      const answer = await raw.ask(metadata, 5, {
        topics: [{ topicId: noTopicId, name: topic }],
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      })
      const found = answer.topics[0]?.partitions ?? []
      return found
        .map(({ partition, leader, isr }) => ({ partition, leader, inSync: isr }))
        .sort((one, other) => one.partition - other.partition)
    } finally {
      raw.close()
    }
  }
  return {
    name: 'real',
    cluster,
    bootstrap: cluster.bootstrap,
    address: (broker) => cluster.broker(broker).address,
    createTopic: (name, options) => cluster.createTopic(name, options),
    partitions,
    async waitFor(topic, holds) {
      const giveUpAt = Date.now() + 45_000
      for (;;) {
        const found = await partitions(topic).catch(() => [])
        if (found.length > 0 && holds(found)) return
        if (Date.now() > giveUpAt) throw new Error(`The partitions of ${topic} are ${JSON.stringify(found)}.`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    kill: (broker) => cluster.broker(broker).kill(),
    restart: (broker) => cluster.broker(broker).restart(),
    pause: (broker) => cluster.broker(broker).stop(),
    resume: (broker) => cluster.broker(broker).continue(),
    close: cluster.close,
  }
}
