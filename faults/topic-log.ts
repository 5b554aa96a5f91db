import kafkajs from 'kafkajs'

/** A record as it was found in the log. */
export interface StoredRecord {
  readonly partition: number
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer>>
}

/** Reads a topic from beginning to end with bare kafkajs: what is judged does not judge itself. */
export async function readTopic(bootstrap: readonly string[], topic: string): Promise<readonly StoredRecord[]> {
  const client = new kafkajs.Kafka({ clientId: 'faults', brokers: [...bootstrap], logLevel: kafkajs.logLevel.NOTHING })
  const left = new Map<number, bigint>()
  const admin = client.admin()
  await admin.connect()
  for (const { partition, high } of await admin.fetchTopicOffsets(topic)) if (high !== '0') left.set(partition, BigInt(high))
  await admin.disconnect()
  const found: StoredRecord[] = []
  if (left.size === 0) return found
  const consumer = client.consumer({ groupId: `read-${topic}-${process.pid}-${Date.now()}`, maxWaitTimeInMs: 100 })
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${topic} could not be read to its end within a minute.`)), 60_000)
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      void consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            const { partition } = batch
            for (const { offset, key, value, headers } of batch.messages) {
              found.push({ partition, offset: BigInt(offset), key, value, headers: headers as Record<string, Buffer> })
            }
            if (BigInt(batch.lastOffset()) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition)
            if (left.size > 0) return
            clearTimeout(timer)
            resolve()
          },
        })
        .catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
  // A partition that is fetched again is read again from where it was: the log has each offset once.
  return [...new Map(found.map((record) => [`${record.partition}/${record.offset}`, record])).values()]
}
