import kafkajs from 'kafkajs'
import { administer, patience } from './administer'

/** A record as it was found in the log. */
export interface StoredRecord {
  readonly partition: number
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer>>
}

/** Marks the end of each partition: the log also has offsets that hold no record (ends of transactions). */
const endHeader = 'faults-end'

/**
 * Reads the committed records of a topic from beginning to end, with bare kafkajs: what is judged does not judge itself.
 *
 * @throws Error when the end cannot be reached within a minute.
 */
export async function readTopic(bootstrap: readonly string[], topic: string): Promise<readonly StoredRecord[]> {
  const client = new kafkajs.Kafka({
    clientId: 'faults',
    brokers: [...bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: patience,
  })
  // Not fetchTopicOffsets: kafkajs gives it up at a leader that has just moved.
  const { topics } = await administer(bootstrap, (admin) => admin.fetchTopicMetadata({ topics: [topic] }))
  const left = new Set(topics.flatMap(({ partitions }) => partitions.map(({ partitionId }) => partitionId)))
  await markEnds(client, topic, left)
  const found = new Map<string, StoredRecord>()
  const consumer = client.consumer({ groupId: `read-${topic}-${process.pid}-${Date.now()}`, maxWaitTimeInMs: 100 })
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const late = () =>
        reject(new Error(`${topic} could not be read to the end of partitions ${[...left].join(', ')} in a minute.`))
      const timer = setTimeout(late, 60_000)
      const settle = (error?: unknown) => {
        clearTimeout(timer)
        if (error === undefined) resolve()
        else reject(error as Error)
      }
      consumer.on('consumer.crash', ({ payload }) => {
        if (!payload.restart) settle(payload.error)
      })
      consumer
        .run({
          autoCommit: false,
          // By place: after a rebalance it begins again.
          eachMessage: async ({ partition, message: { offset, key, value, headers = {} } }) => {
            if (endHeader in headers) left.delete(partition)
            else
              found.set(`${partition}/${offset}`, {
                partition,
                offset: BigInt(offset),
                key,
                value,
                headers: headers as Record<string, Buffer>,
              })
            if (left.size === 0) settle()
          },
        })
        .catch(settle)
    })
  } finally {
    await consumer.disconnect()
  }
  return [...found.values()]
}

async function markEnds(client: kafkajs.Kafka, topic: string, partitions: ReadonlySet<number>): Promise<void> {
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  try {
    const messages = [...partitions].map((partition) => ({ partition, value: null, headers: { [endHeader]: '' } }))
    await producer.send({ topic, acks: -1, messages })
  } finally {
    await producer.disconnect()
  }
}
