import { type KafkaCluster, startKafkaCluster } from '@pipe/testkit'
import type { KafkaTarget } from './target'

/** Three real brokers as a target. */
export async function realTarget(): Promise<KafkaTarget & { readonly cluster: KafkaCluster; close(): Promise<void> }> {
  const cluster = await startKafkaCluster()
  return {
    name: 'real',
    cluster,
    bootstrap: cluster.bootstrap,
    address: (broker) => cluster.broker(broker).address,
    createTopic: (name, options) => cluster.createTopic(name, options),
    partitions: (topic) => cluster.partitions(topic),
    waitFor: (topic, holds) => cluster.waitFor(topic, holds),
    kill: (broker) => cluster.broker(broker).kill(),
    restart: (broker) => cluster.broker(broker).restart(),
    pause: (broker) => cluster.broker(broker).stop(),
    resume: (broker) => cluster.broker(broker).continue(),
    close: cluster.close,
  }
}
