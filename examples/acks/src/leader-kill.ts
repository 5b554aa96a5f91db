import { column } from '@pipe/core'
import { type Consumer, createKafka, type Durability, defineTopic, type Kafka } from '@pipe/kafka-kit'
import { type LocalKafka, startKafka } from '@pipe/local'

/** What became of the messages of one run. */
export interface Outcome {
  readonly durability: Durability
  /** Messages whose `send` resolved: what the application takes for done. */
  readonly believed: number
  /** Of them, how many a reader finds. */
  readonly stored: number
  readonly lost: number
  /** Messages that a reader finds more than once. */
  readonly doubled: number
  /** Records that the old leader had to throw away when it came back. */
  readonly truncated: number
}

/** Messages that all three brokers have, and messages that only the leader has when it dies. */
export const early = 20
export const late = 10

const orders = defineTopic('orders', { value: column.string(), partitions: 1, replicationFactor: 3, minInSyncReplicas: 2 })

/**
 * Kills the leader at the worst moment: it has taken messages that its followers have not copied yet. The same for each durability.
 *
 * @param show gets the timeline of the brokers.
 */
export async function killLeader(durability: Durability, show: (timeline: string) => void = () => {}): Promise<Outcome> {
  // A follower may lag for longer than the run takes, so that the in-sync replicas stay what they are.
  await using cluster = await startKafka({ brokers: 3, settings: { 'replica.lag.time.max.ms': '60000' } })
  cluster.createTopic(orders.name, { partitions: 1, settings: { 'min.insync.replicas': '2' } })
  await using kafka = createKafka({ brokers: cluster.brokers, clientId: 'acks' })
  const producer = kafka.producer({ durability, linger: '0 ms' })
  const believed: string[] = []
  const send = async (value: string) => {
    await producer.send(orders, { value })
    believed.push(value)
  }

  for (const value of numbered('early', early)) await send(value)
  await cluster.waitFor(orders.name, ([partition]) => partition!.copies.every(({ endOffset }) => endOffset === early))
  const { leader } = cluster.partitions(orders.name)[0]!
  for (const follower of [1, 2, 3].filter((id) => id !== leader)) cluster.faults.cut(leader, follower)
  // With acks all this waits for the copies, so nobody waits for it yet.
  const sending = Promise.all(numbered('late', late).map(send))
  await cluster.waitFor(orders.name, (partitions) => hasTaken(partitions[0]!.copies, leader, durability))
  if (durability !== 'quorum') await sending
  await cluster.faults.kill(leader)
  await sending

  cluster.faults.reconnect(leader)
  await cluster.faults.restart(leader)
  await cluster.waitFor(orders.name, ([partition]) => partition!.inSync.length === 3)
  show(
    cluster.timeline.text({
      topic: orders.name,
      kinds: ['broker', 'link', 'leader', 'in-sync', 'append', 'replicate', 'truncate'],
    }),
  )
  const found = await readAll(kafka, cluster)
  const distinct = new Set(found)
  const stored = believed.filter((value) => distinct.has(value)).length
  const truncated = cluster.timeline
    .events({ topic: orders.name, kinds: ['truncate'] })
    .reduce((sum, event) => sum + (event.kind === 'truncate' ? event.from - event.to : 0), 0)
  return {
    durability,
    believed: believed.length,
    stored,
    lost: believed.length - stored,
    doubled: found.length - distinct.size,
    truncated,
  }
}

/** With acks all one batch is on its way at a time, and waits for its copies: the leader has taken a first part then. */
function hasTaken(
  copies: readonly { readonly broker: number; readonly endOffset: number }[],
  leader: number,
  durability: Durability,
): boolean {
  const { endOffset } = copies.find(({ broker }) => broker === leader)!
  return durability === 'quorum' ? endOffset > early : endOffset === early + late
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}-${i}`)
}

async function readAll(kafka: Kafka, cluster: LocalKafka): Promise<string[]> {
  const { leader, copies } = cluster.partitions(orders.name)[0]!
  const end = copies.find(({ broker }) => broker === leader)!.endOffset
  const found: string[] = []
  const consumer = await new Promise<Consumer>((resolve, reject) => {
    const reader = kafka.consumer({
      group: 'reader',
      topics: [orders],
      handle({ value, offset }) {
        found.push(value)
        if (Number(offset) === end - 1) resolve(reader)
      },
    })
    reader.done.catch(reject)
  })
  await consumer.stop()
  return found
}
