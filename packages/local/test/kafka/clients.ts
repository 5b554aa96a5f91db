import { createKafka, type Kafka as KafkaKit } from '@pipe/kafka-kit'
import kafkajs from 'kafkajs'

/** A quiet kafkajs client. */
export function kafkajsClient(brokers: readonly string[], options: Partial<kafkajs.KafkaConfig> = {}): kafkajs.Kafka {
  return new kafkajs.Kafka({
    clientId: 'test',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 8 },
    ...options,
  })
}

/** A kafka-kit client. */
export function kitClient(brokers: readonly string[]): KafkaKit {
  return createKafka({ brokers, clientId: 'test' })
}
