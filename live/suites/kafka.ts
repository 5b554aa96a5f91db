import { column, sleep } from '@pipe/core'
import { applyTopics, createKafka, defineTopic, lagOf, planTopics } from '@pipe/kafka-kit'
import kafkajs from 'kafkajs'
import type { LiveContext, LiveSuite } from '../check'

const records = 1000

/** Writes with quorum, reads in a group to the end, asks for the lag, removes the topic. */
async function roundTrip({ brokers, runId, signal }: LiveContext): Promise<string | undefined> {
  const topic = defineTopic(`pipe-live-${runId}`, {
    key: column.string(),
    value: column.string(),
    partitions: 3,
    replicationFactor: 3,
    minInSyncReplicas: 2,
  })
  await using kafka = createKafka({ brokers: [...brokers], clientId: 'pipe-live' })
  await applyTopics(kafka, await planTopics(kafka, [topic]))
  try {
    await using producer = kafka.producer({ durability: 'quorum' })
    await producer.sendMany(
      topic,
      Array.from({ length: records }, (_, i) => ({ key: `k${i % 17}`, value: `v${i}` })),
      { signal },
    )
    const seen = new Map<string, string[]>()
    let count = 0
    await using consumer = kafka.consumer({
      group: `pipe-live-${runId}`,
      topics: [topic],
      offsets: { missing: 'earliest' },
      handle: ({ key, value }) => {
        seen.set(key!, [...(seen.get(key!) ?? []), value!])
        count++
      },
    })
    while (count < records) await Promise.race([sleep(50, signal), consumer.done])
    await consumer.stop()
    const isOrdered = [...seen.values()].every((values) =>
      values.every((value, i) => i === 0 || Number(values[i - 1]!.slice(1)) < Number(value.slice(1))),
    )
    const { messages: lag } = await lagOf(kafka, `pipe-live-${runId}`)
    return count === records && isOrdered && lag === 0
      ? undefined
      : `${count} of ${records} read, ${isOrdered ? '' : 'not '}in order, lag ${lag}`
  } finally {
    await remove(brokers, topic.name)
  }
}

async function remove(brokers: readonly string[], topic: string): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  await admin.disconnect()
}

export const kafkaSuite: LiveSuite = {
  name: 'kafka',
  cost: { puts: 0, gets: 0, queries: 0 },
  skipped: ({ brokers }) => (brokers.length === 0 ? 'no --brokers were given' : undefined),
  checks: () => [
    {
      claim: `${records} records written with quorum are read once, in the order of their keys, and leave no lag`,
      run: roundTrip,
    },
  ],
}
