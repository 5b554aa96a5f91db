// A worker of its own process, to be killed. Its S3 comes from the environment.
import { column, defineTable } from '@pipe/core'
import { createKafka, createKafkaToS3, defineTopic } from '../../src/index'

const { brokers, topic, partitions, format } = JSON.parse(process.argv[2]!) as {
  brokers: string[]
  topic: string
  partitions: number
  format: 'ndjson.gz' | 'parquet'
}
const columns = { id: column.string(), n: column.integer() }
const kafka = createKafka({ brokers, clientId: `worker-${process.pid}` })
const sink = createKafkaToS3({
  kafka,
  topic: defineTopic(topic, { key: column.string(), value: columns, partitions, replicationFactor: 3 }),
  group: `${topic}-to-s3`,
  target: `s3://lake/${topic}/`,
  table: defineTable('orders', { columns }),
  format,
  roll: { records: 40, eventTime: '1 minute' },
  sessionTimeout: '3 seconds',
  onEvent: (event) => process.send?.(JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? Number(value) : value))),
})
process.on('message', async (message) => {
  if (message === 'progress') {
    const { partitions: places } = sink.progress()
    process.send?.(
      JSON.stringify({ kind: 'progress', places: places.map(({ stored, end, open }) => [Number(stored), Number(end), open]) }),
    )
  } else if (message === 'stop') await sink.stop({ flush: true })
})
try {
  await sink.run()
} finally {
  await kafka.close()
  process.disconnect?.()
}
