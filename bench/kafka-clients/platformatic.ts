// Child process: @platformatic/kafka writes, reads in a group and commits.
import { Consumer, ProduceAcks, Producer } from '@platformatic/kafka'
import { keyOf, reportRead, taskOfProcess } from './client-task'

const { brokers, topic, group, messages } = taskOfProcess()
const connection = { clientId: 'platformatic', bootstrapBrokers: [...brokers] }

const producer = new Producer({ ...connection, acks: ProduceAcks.ALL })
await producer.send({
  messages: Array.from({ length: messages }, (_, i) => ({ topic, key: Buffer.from(keyOf(i)), value: Buffer.from(String(i)) })),
})
await producer.close()

const consumer = new Consumer({ ...connection, groupId: group })
const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, sessionTimeout: 10_000 })
const read: string[] = []
const last = new Map<number, { readonly offset: bigint; readonly leaderEpoch: number }>()
for await (const { value, partition, offset } of stream) {
  read.push(String(value))
  last.set(partition, { offset: offset + 1n, leaderEpoch: -1 })
  if (read.length === messages) break
}
await consumer.commit({ offsets: [...last].map(([partition, place]) => ({ topic, partition, ...place })) })
await consumer.close(true)
reportRead(read)
process.exit(0)
