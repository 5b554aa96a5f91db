// Child process: node-rdkafka (librdkafka) writes, reads in a group and commits.
import rdkafka from 'node-rdkafka'
import { keyOf, reportRead, taskOfProcess } from './client-task'

const { brokers, topic, group, messages } = taskOfProcess()
const connection = { 'metadata.broker.list': brokers.join(','), 'client.id': 'node-rdkafka' }

const producer = new rdkafka.Producer({ ...connection, dr_cb: true, 'request.required.acks': -1 })
await new Promise<void>((resolve, reject) => {
  producer.connect({}, (error) => (error ? reject(error) : resolve()))
})
producer.setPollInterval(10)
await new Promise<void>((resolve, reject) => {
  let left = messages
  producer.on('delivery-report', (error) => {
    if (error) reject(error)
    else if (--left === 0) resolve()
  })
  for (let i = 0; i < messages; i++) producer.produce(topic, null, Buffer.from(String(i)), keyOf(i))
})
await new Promise<void>((resolve) => producer.disconnect(() => resolve()))

const consumer = new rdkafka.KafkaConsumer(
  { ...connection, 'group.id': group, 'enable.auto.commit': false },
  { 'auto.offset.reset': 'earliest' },
)
await new Promise<void>((resolve, reject) => {
  consumer.connect({}, (error) => (error ? reject(error) : resolve()))
})
const read: string[] = []
await new Promise<void>((resolve) => {
  consumer.on('data', ({ value }) => {
    read.push(String(value))
    if (read.length === messages) resolve()
  })
  consumer.subscribe([topic])
  consumer.consume()
})
consumer.commitSync(null)
await new Promise<void>((resolve) => consumer.disconnect(() => resolve()))
reportRead(read)
process.exit(0)
