import { ProduceAcks, Producer } from '@platformatic/kafka'
import { type OpenProduceClient, offsetsFrom } from './produce-client'

/** @platformatic/kafka: acks all, not idempotent (idempotent, it has one request under way at a time). */
export const open: OpenProduceClient = async ({ brokers, topic }) => {
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [...brokers], acks: ProduceAcks.ALL })
  return {
    async sendBatch(partition, values) {
      const { offsets } = await producer.send({ messages: values.map((value) => ({ topic, partition, value })) })
      return offsetsFrom(Number(offsets![0]!.offset), values.length)
    },
    sendOne: () => Promise.reject(new Error('not measured')),
    close: () => producer.close(),
  }
}
