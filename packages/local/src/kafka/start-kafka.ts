import type { LocalKafka, StartKafkaOptions } from './cluster'

/**
 * Starts Kafka brokers in this process, on 127.0.0.1. They speak Kafka's protocol over TCP, replicate, elect leaders and coordinate groups.
 *
 * @throws ConfigError `PIPE_CONFIG` for unknown options and settings, PipeError `PIPE_LOCAL_PORT_IN_USE`.
 * @see https://kafka.apache.org/protocol
 * @example
 * ```ts
 * await using kafka = await startKafka({ brokers: 3 })
 * kafka.createTopic('orders', { partitions: 6 })
 * const client = new Kafka({ brokers: [...kafka.brokers] })           // kafkajs; every other client, too
 * await kafka.faults.kill(kafka.partitions('orders')[0]!.leader)
 * ```
 */
export async function startKafka(options: StartKafkaOptions = {}): Promise<LocalKafka> {
  // Loaded only where it is asked for: a runtime without Kafka does not pay for it.
  const { startBrokers } = await import('./cluster')
  return startBrokers(options)
}
