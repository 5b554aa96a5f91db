import type { LocalKafka } from '../../../src/kafka/cluster'
import { startKafka } from '../../../src/kafka/start-kafka'
import type { KafkaTarget } from './target'

/** Three embedded brokers as a target. */
export async function embeddedTarget(): Promise<KafkaTarget & { readonly kafka: LocalKafka; close(): Promise<void> }> {
  const kafka = await startKafka({ brokers: 3 })
  return { ...embeddedTargetOf(kafka), kafka, close: kafka.close }
}

/** A running embedded cluster as a target. */
export function embeddedTargetOf(kafka: LocalKafka): KafkaTarget {
  const { faults } = kafka
  return {
    name: 'embedded',
    bootstrap: kafka.brokers,
    address: (broker) => kafka.brokers[broker - 1]!,
    createTopic: async (name, options) => kafka.createTopic(name, { partitions: 1, ...options }),
    partitions: async (topic) => kafka.partitions(topic),
    waitFor: (topic, holds) => kafka.waitFor(topic, holds),
    kill: (broker) => faults.kill(broker),
    restart: (broker) => faults.restart(broker),
    pause: (broker) => faults.pause(broker),
    resume: (broker) => faults.resume(broker),
  }
}
