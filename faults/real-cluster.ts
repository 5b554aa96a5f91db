import { startKafkaCluster } from '@pipe/testkit'
import { administer } from './administer'
import type { FaultTarget } from './target'

const offsetsTopic = '__consumer_offsets'

/** Three brokers of Apache Kafka, each a JVM behind a fault proxy. */
export async function startRealCluster(signal: AbortSignal): Promise<FaultTarget> {
  const cluster = await startKafkaCluster({ signal })
  return {
    name: `Apache Kafka ${cluster.version}`,
    brokers: cluster.brokers.map(({ id }) => id),
    bootstrap: cluster.bootstrap,
    disturbedBootstrap: cluster.proxiedBootstrap,
    createTopic: (topic, partitions) => cluster.createTopic(topic, { partitions }),
    async growTopic(topic, partitions) {
      await administer(cluster.bootstrap, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] }))
      await cluster.waitFor(topic, (all) => all.length === partitions && all.every(({ leader }) => leader > 0))
    },
    async deleteTopics(topics) {
      if (topics.length > 0) await administer(cluster.bootstrap, (admin) => admin.deleteTopics({ topics: [...topics] }))
    },
    leaderOf: async (topic, partition) => (await cluster.leaderOf(topic, partition)).id,
    async coordinatorOf(group) {
      const { length } = await cluster.partitions(offsetsTopic)
      return (await cluster.leaderOf(offsetsTopic, javaHash(group) % length)).id
    },
    ledByOthers: (topic, broker) => cluster.waitFor(topic, (all) => all.every(({ leader }) => leader > 0 && leader !== broker)),
    inSync: (topic) => cluster.waitFor(topic, (all) => all.every(({ replicas, inSync }) => inSync.length === replicas.length)),
    kill: (broker) => cluster.broker(broker).kill(),
    async restart(brokers) {
      await Promise.all(brokers.map((broker) => cluster.broker(broker).restart()))
    },
    pause: (broker) => cluster.broker(broker).stop(),
    resume: (broker) => cluster.broker(broker).continue(),
    inject: (broker, fault) => cluster.broker(broker).proxy.inject(fault.fault === 'cut' ? { ...fault, on: 'response' } : fault),
    resetConnections: (broker) => cluster.broker(broker).proxy.resetConnections(),
    async heal() {
      await Promise.all(cluster.brokers.map(({ proxy }) => proxy.clear()))
      for (const broker of cluster.brokers) if (broker.state() === 'stopped') broker.continue()
      await Promise.all(cluster.brokers.filter((broker) => broker.state() === 'ended').map((broker) => broker.restart()))
    },
    close: cluster.close,
    [Symbol.asyncDispose]: cluster.close,
  }
}

/** `Utils.abs(group.hashCode())`: by it the partition of a group's offsets is chosen (GroupCoordinator.partitionFor). */
function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash === -(2 ** 31) ? 0 : Math.abs(hash)
}
