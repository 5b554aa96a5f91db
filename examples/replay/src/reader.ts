import { sleep } from '@pipe/core'
import { type Consumer, type Kafka, lagOf } from '@pipe/kafka-kit'
import { orders } from './order'

/** How often each order was handled. */
export type Seen = Map<number, number>

/** Reads as a group until nothing is left, and leaves the group. @returns how often each order was handled. */
export async function readToTheEnd(kafka: Kafka, group: string, onLag: (messages: number) => void = () => {}): Promise<Seen> {
  const seen: Seen = new Map()
  let failure: unknown
  const consumer = kafka.consumer({
    group,
    topics: [orders],
    concurrency: 8,
    timing: { commitEvery: '100 ms' },
    handle: async ({ value }) => {
      await sleep(2)
      seen.set(value.id, (seen.get(value.id) ?? 0) + 1)
    },
  })
  consumer.done.catch((error: unknown) => {
    failure = error
  })
  await joined(consumer)
  for (let left = Number.POSITIVE_INFINITY; left > 0; await sleep(100)) {
    if (failure) throw failure
    left = (await lagOf(kafka, group, { topics: [orders] })).messages
    onLag(left)
  }
  await consumer.stop()
  return seen
}

async function joined(consumer: Consumer): Promise<void> {
  while (consumer.status().partitions.length < orders.partitions) await Promise.race([sleep(20), consumer.done])
}
