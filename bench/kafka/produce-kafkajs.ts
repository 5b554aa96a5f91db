import { Kafka, logLevel } from 'kafkajs'
import { type OpenProduceClient, offsetsFrom, type ProduceSettings } from './produce-client'

/** Bare kafkajs as it comes: not idempotent, which is its faster way. */
export const open: OpenProduceClient = (settings) => openKafkajs(settings, false)

/** Bare kafkajs with what the kit does by default. */
export const openIdempotent: OpenProduceClient = (settings) => openKafkajs(settings, true)

async function openKafkajs({ brokers, topic }: ProduceSettings, idempotent: boolean): ReturnType<OpenProduceClient> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'bench', logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ allowAutoTopicCreation: false, idempotent })
  await producer.connect()
  return {
    async sendBatch(partition, values) {
      const messages = values.map((value) => ({ value, partition }))
      const [result] = await producer.send({ topic, acks: -1, messages })
      return offsetsFrom(Number(result!.baseOffset), values.length)
    },
    async sendOne(value) {
      const [result] = await producer.send({ topic, acks: -1, messages: [{ value }] })
      return { partition: result!.partition, offset: Number(result!.baseOffset) }
    },
    close: () => producer.disconnect(),
  }
}
