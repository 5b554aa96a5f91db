import rdkafka from 'node-rdkafka'
import type { OpenProduceClient } from './produce-client'

/** node-rdkafka: acks all, not idempotent, batches of the same number of messages. */
export const open: OpenProduceClient = async ({ brokers, topic, batchRecords }) => {
  const producer = new rdkafka.Producer({
    'metadata.broker.list': brokers.join(','),
    dr_cb: true,
    'request.required.acks': -1,
    'batch.num.messages': batchRecords,
    'linger.ms': 1,
  })
  producer.on('delivery-report', (error, { opaque, offset }) => opaque(error, offset))
  await new Promise<void>((resolve, reject) => {
    producer.connect({}, (error) => (error ? reject(error) : resolve()))
  })
  producer.setPollInterval(1)
  return {
    sendBatch: (partition, values) =>
      new Promise((resolve, reject) => {
        const offsets = new Array<number>(values.length)
        let left = values.length
        values.forEach((value, i) => {
          producer.produce(topic, partition, value, null, undefined, (error: Error | null, offset: number) => {
            if (error) reject(error)
            offsets[i] = offset
            if (--left === 0) resolve(offsets)
          })
        })
      }),
    sendOne: () => Promise.reject(new Error('not measured')),
    close: () => new Promise((resolve) => producer.disconnect(() => resolve())),
  }
}
