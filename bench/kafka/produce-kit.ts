import { createKafka } from '@pipe/kafka-kit'
import type { OpenProduceClient } from './produce-client'

/** The kit as it comes: idempotent. Single sends do not linger, as those of kafkajs do not. */
export const open: OpenProduceClient = async ({ brokers, topic, batchRecords }) => {
  const kafka = createKafka({ brokers, clientId: 'bench' })
  const producer = kafka.producer({ batchRecords, linger: '0 ms' })
  return {
    async sendBatch(partition, values) {
      const messages = values.map((value) => ({ value, partition }))
      const results = await producer.sendMany(topic, messages)
      return results.map(({ offset }) => Number(offset))
    },
    async sendOne(value) {
      const { partition, offset } = await producer.send(topic, { value })
      return { partition, offset: Number(offset) }
    },
    close: () => kafka.close(),
  }
}
