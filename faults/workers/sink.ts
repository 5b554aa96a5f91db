// A worker of the sink in a process of its own, to be killed. Its S3 comes from the environment.
import { column, defineTable } from '@pipe/core'
import { createKafka, createKafkaToS3, defineTopic } from '@pipe/kafka-kit'

const { brokers, topic, format, records } = JSON.parse(process.argv[2]!) as {
  brokers: string[]
  topic: string
  format: 'ndjson.gz' | 'parquet'
  records: number
}
const columns = { id: column.string(), n: column.integer() }
const kafka = createKafka({ brokers, clientId: `sink-${process.pid}` })
const sink = createKafkaToS3({
  kafka,
  topic: defineTopic(topic, { key: column.string(), value: columns, partitions: 3, replicationFactor: 3 }),
  group: `${topic}-to-s3`,
  target: `s3://lake/${topic}/`,
  table: defineTable('orders', { columns }),
  format,
  roll: { records, eventTime: '1 minute' },
  sessionTimeout: '3 seconds',
})
process.on('message', (message) => {
  if (message === 'stop') void sink.stop({ flush: true })
  if (message === 'progress') {
    const { partitions } = sink.progress()
    const read = partitions.reduce((sum, { stored = 0n, open }) => sum + Number(stored) + open, 0)
    process.send?.({ kind: 'progress', partitions: partitions.length, read })
  }
})
try {
  await sink.run()
} finally {
  await kafka.close()
  process.disconnect?.()
}
