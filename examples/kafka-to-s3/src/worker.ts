// A process that stores the topic in S3. `KILL_AFTER_UPLOADS` makes it kill itself when S3 has so many files of it and it has not heard so yet.
import { S3Client } from '@aws-sdk/client-s3'
import { createKafka, createKafkaToS3 } from '@pipe/kafka-kit'
import { orders, orderTable } from './order'

const { BROKERS = '', TARGET = '', KILL_AFTER_UPLOADS = '0' } = process.env
const client = new S3Client({ forcePathStyle: true })
let uploads = 0
client.middlewareStack.add(
  (next, { commandName }) =>
    async (args) => {
      const result = await next(args)
      const key = String((args.input as { readonly Key?: string }).Key)
      if (commandName === 'PutObjectCommand' && key.includes('/dt=') && ++uploads === Number(KILL_AFTER_UPLOADS)) {
        process.kill(process.pid, 'SIGKILL')
      }
      return result
    },
  { step: 'initialize', name: 'killedAfterUpload' },
)

const kafka = createKafka({ brokers: BROKERS.split(','), clientId: `worker-${process.pid}` })
const sink = createKafkaToS3({
  kafka,
  topic: orders,
  group: 'orders-to-s3',
  target: TARGET as `s3://${string}/`,
  table: orderTable,
  client,
  row: ({ value }) => value,
  roll: { records: 150, eventTime: '5 minutes' },
  sessionTimeout: '6 seconds',
})
const told = setInterval(() => {
  const read = sink.progress().partitions.reduce((sum, { stored, open }) => sum + Number(stored ?? 0n) + open, 0)
  process.send?.({ read })
}, 50)
process.on('message', () => void sink.stop({ flush: true }))
try {
  await sink.run()
} finally {
  clearInterval(told)
  await kafka.close()
  client.destroy()
  process.disconnect?.()
}
