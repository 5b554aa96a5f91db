import { column } from '@pipe/core'
import { defineTopic } from '@pipe/kafka-kit'
import { addPartitionsToTxn, offsetFetch } from '@pipe/kafka-wire'
import { afterEach, describe, expect, test } from 'vitest'
import { kafkajsClient, kitClient } from '../clients'
import { groupClient } from './group-client'
import { batchOf, type PartitionClient, partitionClient } from './partition-client'
import { freshName, type KafkaTarget } from './target'
import { type TransactionClient, transactionClient } from './transaction-client'

/** Transactions: the same assertions on every target. */
export function transactionSuite(target: () => KafkaTarget): void {
  const open: { close(): void }[] = []
  afterEach(() => {
    for (const one of open.splice(0)) one.close()
  })
  async function freshTopic(): Promise<{ topic: string; log: PartitionClient }> {
    const topic = freshName('txn')
    await target().createTopic(topic)
    const log = await partitionClient(target(), topic)
    open.push(log)
    return { topic, log }
  }
  async function producer(id = freshName('producer')): Promise<TransactionClient & { id: string }> {
    const client = await transactionClient(target(), id)
    open.push(client)
    return Object.assign(client, { id })
  }
  const write = (
    log: PartitionClient,
    own: TransactionClient & { id: string },
    values: readonly string[],
    baseSequence: number,
  ) =>
    log.produce(
      batchOf(values, { producerId: own.producerId, producerEpoch: own.producerEpoch, baseSequence, isTransactional: true }),
      { transactionalId: own.id },
    )
  const stable = async (log: PartitionClient) => (await log.fetch(0n, { isolationLevel: 1 })).lastStableOffset

  test('committed: readers that wait for commits see it all at once; the mark takes an offset', async () => {
    const { topic, log } = await freshTopic()
    const own = await producer()
    expect(await own.init()).toBe(0)
    expect(own.producerEpoch).toBe(0)
    expect(await own.add(topic)).toBe(0)
    expect((await write(log, own, ['a', 'b'], 0)).errorCode).toBe(0)
    expect(await log.fetch(0n)).toMatchObject({ highWatermark: 2n, lastStableOffset: 0n })
    expect((await log.fetch(0n, { isolationLevel: 1 })).records ?? Buffer.alloc(0)).toHaveLength(0)
    expect((await log.offsetAt(-1n, 1)).offset).toBe(0n)
    expect(await own.end(true)).toBe(0)
    await until(async () => (await stable(log)) === 3n)
    expect(await log.fetch(0n, { isolationLevel: 1 })).toMatchObject({ highWatermark: 3n, abortedTransactions: [] })
    expect(await own.add(topic)).toBe(0)
    expect(await write(log, own, ['c'], 2), 'sequence numbers go on').toMatchObject({ errorCode: 0, baseOffset: 3n })
    expect(await own.ended(true)).toBe(0)
  })

  test('aborted: it stays in the log and is named to readers', async () => {
    const { topic, log } = await freshTopic()
    const own = await producer()
    await own.init()
    await log.produce(batchOf(['before']))
    await own.add(topic)
    await write(log, own, ['gone'], 0)
    await log.produce(batchOf(['between']))
    expect(await stable(log)).toBe(1n)
    expect(await own.end(false)).toBe(0)
    await until(async () => (await stable(log)) === 4n)
    const { abortedTransactions } = await log.fetch(0n, { isolationLevel: 1 })
    expect(abortedTransactions).toEqual([{ producerId: own.producerId, firstOffset: 1n }])
    expect((await log.fetch(0n)).abortedTransactions ?? []).toEqual([])
    expect((await log.fetch(4n, { isolationLevel: 1 })).abortedTransactions ?? []).toEqual([])
    const seen: string[] = []
    const consumer = kafkajsClient(target().bootstrap).consumer({ groupId: freshName('readers'), maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
    await until(async () => seen.length >= 2)
    await consumer.disconnect()
    expect(seen).toEqual(['before', 'between'])
  })

  test('the end, asked for again; and the other end', async () => {
    const { topic, log } = await freshTopic()
    const own = await producer()
    await own.init()
    expect(await own.end(true), 'nothing was begun').toBe(48)
    await own.add(topic)
    await write(log, own, ['a'], 0)
    expect(await own.end(true)).toBe(0)
    await until(async () => (await stable(log)) === 2n)
    expect(await own.ended(true)).toBe(0)
    expect(await own.ended(false)).toBe(48)
  })

  test('a second producer of the same id takes back what the first left open, and fences it', async () => {
    const { topic, log } = await freshTopic()
    const first = await producer()
    await first.init()
    await first.add(topic)
    await write(log, first, ['gone'], 0)
    const second = await producer(first.id)
    expect((await second.initOnce()).errorCode, 'busy taking it back').toBe(51)
    expect(await second.init()).toBe(0)
    expect(second.producerId).toBe(first.producerId)
    expect(second.producerEpoch).toBeGreaterThan(first.producerEpoch)
    await until(async () => (await stable(log)) === 2n)
    expect(await first.add(topic, 0, 1), 'version 1').toBe(47)
    expect(await first.add(topic, 0, 2), 'version 2').toBe(90)
    expect(await first.end(true, 1)).toBe(47)
    expect(await first.end(true, 2)).toBe(90)
    expect((await write(log, first, ['late'], 1)).errorCode).toBe(47)
    await second.add(topic)
    expect((await write(log, second, ['kept'], 0)).errorCode).toBe(0)
    expect(await second.ended(true)).toBe(0)
  })

  test('what is no transaction is refused by its code', async () => {
    const { topic, log } = await freshTopic()
    const own = await producer()
    expect((await own.initOnce({ timeoutMs: 0 })).errorCode).toBe(50)
    expect((await own.initOnce({ timeoutMs: 2_000_000_000 })).errorCode).toBe(50)
    Object.assign(own, { producerId: 123n, producerEpoch: 0 })
    expect(await own.add(topic), 'an id that is not known').toBe(49)
    expect(await own.end(true)).toBe(49)
    await own.init()
    expect((await write(log, own, ['a'], 0)).errorCode, 'a partition that was not added').toBe(48)
    const answer = await own.raw.ask(addPartitionsToTxn, 1, {
      transactionalId: own.id,
      producerId: own.producerId,
      producerEpoch: own.producerEpoch,
      topics: [{ name: topic, partitions: [0, 9] }],
    })
    const codes = new Map(answer.topics[0]!.partitions.map(({ partition, errorCode }) => [partition, errorCode]))
    expect(codes).toEqual(
      new Map([
        [0, 55],
        [9, 3],
      ]),
    )
    expect(await log.values()).toEqual([])
  })

  test('a transaction that is open for too long is taken back', async () => {
    const { topic, log } = await freshTopic()
    const own = await producer()
    await own.init({ timeoutMs: 1000 })
    await own.add(topic)
    await write(log, own, ['gone'], 0)
    await until(async () => (await stable(log)) === 2n)
    expect((await log.fetch(0n, { isolationLevel: 1 })).abortedTransactions).toHaveLength(1)
    expect(await own.ended(true)).toBe(47)
  })

  test('offsets in a transaction count when it does', async () => {
    const { topic } = await freshTopic()
    const group = freshName('group')
    const reader = await groupClient(target(), group)
    open.push(reader)
    const fetchStable = async () => {
      const answer = await reader.raw.ask(offsetFetch, 7, {
        group,
        topics: [{ name: topic, partitions: [0] }],
        requireStable: true,
      })
      return answer.topics[0]!.partitions[0]!
    }
    await until(async () => (await reader.commit(topic, 5n, { generationId: -1, memberId: '' })) === 0)
    const own = await producer()
    await own.init()
    expect(await own.commitOffset(group, topic, 7n, reader.raw), 'not added').toBe(48)
    expect(await own.addOffsets(group)).toBe(0)
    expect(await own.commitOffset(group, topic, 7n, reader.raw)).toBe(0)
    expect(await reader.committed(topic)).toBe(5n)
    expect((await fetchStable()).errorCode).toBe(88)
    expect(await own.end(false)).toBe(0)
    await until(async () => (await fetchStable()).errorCode === 0)
    expect(await reader.committed(topic)).toBe(5n)
    expect(await own.addOffsets(group)).toBe(0)
    expect(await own.commitOffset(group, topic, 9n, reader.raw)).toBe(0)
    expect(await own.end(true)).toBe(0)
    await until(async () => (await reader.committed(topic)) === 9n)
  })

  describe('clients', () => {
    test('kafkajs: a transaction over two topics, with offsets', async () => {
      const one = await freshTopic()
      const other = await freshTopic()
      const client = kafkajsClient(target().bootstrap)
      const own = client.producer({ transactionalId: freshName('kafkajs'), idempotent: true, maxInFlightRequests: 1 })
      await own.connect()
      const aborted = await own.transaction()
      await aborted.send({ topic: one.topic, messages: [{ value: 'no' }] })
      await aborted.abort()
      const committed = await own.transaction()
      await committed.send({ topic: one.topic, messages: [{ value: 'yes' }] })
      await committed.send({ topic: other.topic, messages: [{ value: 'yes' }] })
      await committed.commit()
      await own.disconnect()
      await until(async () => (await stable(other.log)) === 2n)
      expect((await one.log.fetch(0n, { isolationLevel: 1 })).abortedTransactions).toHaveLength(1)
    })

    test('kafka-kit: transform consumes and produces exactly once', async () => {
      const from = await freshTopic()
      const to = await freshTopic()
      const kit = kitClient(target().bootstrap)
      const define = (name: string) =>
        defineTopic(name, {
          key: column.string(),
          value: column.string(),
          partitions: 1,
          replicationFactor: 3,
          minInSyncReplicas: 2,
        })
      const input = define(from.topic)
      const output = define(to.topic)
      const producer = kit.producer()
      for (let i = 0; i < 10; i++) await producer.send(input, { key: `k${i}`, value: `v${i}` })
      const transform = kit.transform({
        group: freshName('transform'),
        from: input,
        to: output,
        handle: async ({ key, value }) => [{ key, value: value.toUpperCase() }],
      })
      await until(async () => (await to.log.offsetAt(-1n, 1)).offset >= 11n)
      await transform.stop()
      await kit.close()
      const values = await to.log.values()
      expect(values.filter((value) => value.startsWith('V'))).toEqual(Array.from({ length: 10 }, (_, i) => `V${i}`))
    })
  })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 45_000
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error('It did not come true within 45 seconds.')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
