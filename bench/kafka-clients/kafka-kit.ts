// Child process: kafka-kit writes, reads in a group and commits.
import { column } from '@pipe/core'
import { createKafka, defineTopic } from '@pipe/kafka-kit'
import { keyOf, reportRead, taskOfProcess } from './client-task'

const { brokers, topic: name, group, messages } = taskOfProcess()
const topic = defineTopic(name, { key: column.string(), value: column.string(), partitions: 3, replicationFactor: 3 })
const kafka = createKafka({ brokers, clientId: 'kafka-kit' })
const numbers = Array.from({ length: messages }, (_, i) => i)
await kafka.producer().sendMany(
  topic,
  numbers.map((i) => ({ key: keyOf(i), value: String(i) })),
)
const read: string[] = []
const consumer = kafka.consumer({
  group,
  topics: [topic],
  handle({ value }) {
    read.push(value)
    if (read.length === messages) void consumer.stop()
  },
})
await consumer.done
await kafka.close()
reportRead(read)
