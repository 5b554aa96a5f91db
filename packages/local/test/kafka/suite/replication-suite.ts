import { metadata, noTopicId, offsetForLeaderEpoch } from '@pipe/kafka-wire'
import { afterEach, expect, test } from 'vitest'
import { rawClient } from '../raw-client'
import { batchOf, type PartitionClient, partitionClient } from './partition-client'
import { freshName, type KafkaTarget } from './target'

/** Leaders that die, followers that lag, and what is left of the log: the same assertions on every target. */
export function replicationSuite(target: () => KafkaTarget): void {
  const clients: PartitionClient[] = []
  const down = new Set<number>()
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    for (const broker of down) await target().restart(broker)
    down.clear()
  })
  async function leaderClient(topic: string): Promise<PartitionClient> {
    const client = await partitionClient(target(), topic)
    clients.push(client)
    return client
  }
  async function kill(broker: number): Promise<void> {
    down.add(broker)
    await target().kill(broker)
  }
  const stateOf = async (topic: string) => (await target().partitions(topic))[0]!
  const isLedByAnother = (topic: string, broker: number) =>
    target().waitFor(topic, ([one]) => one!.leader > 0 && one!.leader !== broker)

  test('too few in sync: 19 before anything is written; what acks=1 wrote is seen once enough are back', async () => {
    const topic = freshName('few')
    await target().createTopic(topic, { settings: { 'min.insync.replicas': '3' } })
    const client = await leaderClient(topic)
    expect((await client.produce(batchOf(['a']))).errorCode).toBe(0)
    const { leader } = await stateOf(topic)
    const follower = [1, 2, 3].find((id) => id !== leader)!
    await kill(follower)
    await target().waitFor(topic, ([one]) => !one!.inSync.includes(follower))
    // A leader may hear of the smaller set later than others: until then it writes, and waits in vain.
    let early = 0
    await until(async () => {
      const { errorCode } = await client.produce(batchOf(['early']), { timeoutMs: 500 })
      if (errorCode === 7) early += 1
      else expect(errorCode).toBe(19)
      return errorCode === 19
    })
    const hidden = await client.produce(batchOf(['hidden']), { acks: 1 })
    expect(hidden).toMatchObject({ errorCode: 0, baseOffset: BigInt(1 + early) })
    expect(await client.values()).toEqual(['a'])
    await target().restart(follower)
    down.delete(follower)
    await target().waitFor(topic, ([one]) => one!.inSync.length === 3)
    const all = ['a', ...Array.from({ length: early }, () => 'early'), 'hidden']
    await until(async () => String(await client.values()) === String(all))
  })

  test('what was confirmed to acks=all survives its leader; clients of the old epoch are told', async () => {
    const topic = freshName('survives')
    await target().createTopic(topic)
    const first = await leaderClient(topic)
    expect((await first.produce(batchOf(['a', 'b']))).errorCode).toBe(0)
    const { leader } = await stateOf(topic)
    await kill(leader)
    await isLedByAnother(topic, leader)
    const second = await leaderClient(topic)
    await until(async () => (await second.produce(batchOf(['c']))).errorCode === 0)
    expect((await second.values()).slice(0, 2)).toEqual(['a', 'b'])
    expect((await second.fetch(0n, { leaderEpoch: 0 })).errorCode, 'a fenced epoch').toBe(74)
    const partitions = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }]
    const answer = await second.raw.ask(offsetForLeaderEpoch, 3, { replicaId: -1, topics: [{ topic, partitions }] })
    expect(answer.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2n })
  })

  test('a batch of an idempotent producer that was stored before its leader died is known to the next one', async () => {
    const topic = freshName('known')
    await target().createTopic(topic)
    const batch = (value: string, baseSequence: number) =>
      batchOf([value], { producerId: 88_000n, producerEpoch: 0, baseSequence })
    const first = await leaderClient(topic)
    expect(await first.produce(batch('a', 0))).toMatchObject({ errorCode: 0, baseOffset: 0n })
    expect(await first.produce(batch('b', 1))).toMatchObject({ errorCode: 0, baseOffset: 1n })
    const { leader } = await stateOf(topic)
    await kill(leader)
    await isLedByAnother(topic, leader)
    const second = await leaderClient(topic)
    await until(async () => (await second.produce(batch('b', 1))).errorCode === 0)
    expect(await second.produce(batch('b', 1))).toMatchObject({ errorCode: 0, baseOffset: 1n })
    expect(await second.produce(batch('c', 2))).toMatchObject({ errorCode: 0, baseOffset: 2n })
    expect((await second.produce(batch('e', 4))).errorCode).toBe(45)
    expect(await second.values()).toEqual(['a', 'b', 'c'])
  })

  test('a paused leader is replaced, and says so when it goes on', async () => {
    const topic = freshName('paused')
    await target().createTopic(topic)
    const { leader } = await stateOf(topic)
    const old = await leaderClient(topic)
    target().pause(leader)
    try {
      await isLedByAnother(topic, leader)
      const now = await leaderClient(topic)
      await until(async () => (await now.produce(batchOf(['a']))).errorCode === 0)
    } finally {
      target().resume(leader)
    }
    await until(async () => (await old.produce(batchOf(['late']))).errorCode === 6)
    await target().waitFor(topic, ([one]) => one!.inSync.length === 3)
  })

  test('the only replica is down: there is no leader; it comes back with its log', async () => {
    const topic = freshName('alone')
    await target().createTopic(topic, { replicationFactor: 1, settings: { 'min.insync.replicas': '1' } })
    const client = await leaderClient(topic)
    expect((await client.produce(batchOf(['a']))).errorCode).toBe(0)
    const { leader } = await stateOf(topic)
    await kill(leader)
    await target().waitFor(topic, ([one]) => one!.leader === -1)
    const other = await rawClient(target().address([1, 2, 3].find((id) => id !== leader)!))
    const answer = await other.ask(metadata, 5, {
      topics: [{ topicId: noTopicId, name: topic }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    other.close()
    expect(answer.topics[0]!.partitions[0]).toMatchObject({ errorCode: 5, leader: -1, replicas: [leader] })
    expect(answer.brokers.map(({ nodeId }) => nodeId)).not.toContain(leader)
    await target().restart(leader)
    down.delete(leader)
    await target().waitFor(topic, ([one]) => one!.leader === leader)
    await until(async () => String(await (await leaderClient(topic)).values()) === 'a')
  })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 45_000
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error('It did not come true within 45 seconds.')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
