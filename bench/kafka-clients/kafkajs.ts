// Child process: bare kafkajs writes, reads in a group and commits.
import { Kafka, logLevel } from 'kafkajs'
import { keyOf, reportRead, taskOfProcess } from './client-task'

const { brokers, topic, group, messages } = taskOfProcess()
const kafka = new Kafka({ brokers: [...brokers], clientId: 'kafkajs', logLevel: logLevel.ERROR })
const producer = kafka.producer()
await producer.connect()
await producer.send({
  topic,
  acks: -1,
  messages: Array.from({ length: messages }, (_, i) => ({ key: keyOf(i), value: String(i) })),
})
await producer.disconnect()
const consumer = kafka.consumer({ groupId: group })
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
const read: string[] = []
await new Promise<void>((resolve) => {
  void consumer.run({
    eachMessage: async ({ message }) => {
      read.push(String(message.value))
      if (read.length === messages) resolve()
    },
  })
})
// Commits what was read.
await consumer.disconnect()
reportRead(read)
