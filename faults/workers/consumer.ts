// A member of a group in a process of its own, to be stopped. It tells of each record that it has handled.
import { setTimeout as sleep } from 'node:timers/promises'
import { column } from '@pipe/core'
import { createKafka, defineTopic } from '@pipe/kafka-kit'

const { brokers, topic, group, sessionMs } = JSON.parse(process.argv[2]!) as {
  brokers: string[]
  topic: string
  group: string
  sessionMs: number
}
const kafka = createKafka({ brokers, clientId: `consumer-${process.pid}` })
const consumer = kafka.consumer({
  group,
  topics: [defineTopic(topic, { key: column.string(), value: column.string(), partitions: 3, replicationFactor: 3 })],
  concurrency: 4,
  timing: { session: `${sessionMs} ms`, commitEvery: '100 ms' },
  async handle({ partition, offset, value }) {
    await sleep(3)
    process.send?.({ kind: 'handled', partition, offset: String(offset), value })
  },
})
process.on('message', (message) => {
  if (message === 'stop') void consumer.stop()
})
try {
  await consumer.done
} finally {
  await kafka.close()
  process.disconnect?.()
}
