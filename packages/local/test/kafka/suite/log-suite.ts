import {
  encodeRecordBatch,
  offsetForLeaderEpoch,
  produce,
  readBatchHeader,
  setProducer,
  splitRecordBatches,
} from '@pipe/kafka-wire'
import { afterEach, describe, expect, test } from 'vitest'
import { batchOf, type PartitionClient, partitionClient } from './partition-client'
import { freshName, type KafkaTarget } from './target'

/** Produce, Fetch, ListOffsets and leader epochs of one partition: the same assertions on every target. */
export function logSuite(target: () => KafkaTarget): void {
  const clients: PartitionClient[] = []
  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })
  async function onTopic(settings: Readonly<Record<string, string>> = {}): Promise<PartitionClient> {
    const topic = freshName('log')
    await target().createTopic(topic, { settings })
    const client = await partitionClient(target(), topic)
    clients.push(client)
    return client
  }
  const code = async (client: PartitionClient, records: Uint8Array | null, options?: Parameters<PartitionClient['produce']>[1]) =>
    (await client.produce(records, options)).errorCode

  describe('produce', () => {
    test('offsets follow each other, whatever acks', async () => {
      const client = await onTopic()
      expect(await client.produce(batchOf(['a', 'b']))).toMatchObject({
        errorCode: 0,
        baseOffset: 0n,
        logStartOffset: 0n,
        logAppendTimeMs: -1n,
      })
      expect(await client.produce(batchOf(['c']), { acks: 1 })).toMatchObject({ errorCode: 0, baseOffset: 2n })
      const partitions = [{ partition: 0, records: batchOf(['d']) }]
      client.raw.send(produce, 7, {
        transactionalId: null,
        acks: 0,
        timeoutMs: 1000,
        topics: [{ name: client.topic, partitions }],
      })
      expect(await client.produce(batchOf(['e']))).toMatchObject({ errorCode: 0, baseOffset: 4n })
      expect(await client.values()).toEqual(['a', 'b', 'c', 'd', 'e'])
    })

    test('what cannot be stored is refused by its code', async () => {
      const client = await onTopic({ 'max.message.bytes': '1000' })
      const damaged = batchOf(['a'])
      damaged[damaged.length - 1]! ^= 1
      expect(await code(client, damaged), 'checksum').toBe(2)
      expect(await code(client, batchOf(['x'.repeat(2000)])), 'size').toBe(10)
      expect(await code(client, batchOf(['a']), { acks: 7 }), 'acks').toBe(21)
      expect(await code(client, batchOf(['a'], { timestampMs: Date.now() + 2 * 3_600_000 })), 'time').toBe(32)
      expect(await code(client, batchOf(['a'], { isControl: true })), 'control batch').toBe(87)
      expect(await code(client, Buffer.concat([batchOf(['a']), batchOf(['b'])])), 'two batches').toBe(87)
      const miscounted = batchOf(['a', 'b'])
      miscounted.writeInt32BE(5, 57)
      setProducer(miscounted, -1n, -1, -1)
      expect(await code(client, miscounted), 'count').toBe(87)
      expect(await client.values()).toEqual([])
    })

    test('unknown partitions, and brokers that do not lead', async () => {
      const topic = freshName('led')
      await target().createTopic(topic, { replicationFactor: 1 })
      const { leader } = (await target().partitions(topic))[0]!
      const other = await partitionClient(target(), topic, 0, [1, 2, 3].find((id) => id !== leader)!)
      const unknown = await partitionClient(target(), topic, 7, leader)
      clients.push(other, unknown)
      expect(await code(other, batchOf(['a']))).toBe(6)
      expect((await other.fetch(0n)).errorCode).toBe(6)
      expect(await code(unknown, batchOf(['a']))).toBe(3)
      expect((await unknown.fetch(0n)).errorCode).toBe(3)
    })

    test('compacted topics take no record without a key', async () => {
      const client = await onTopic({ 'cleanup.policy': 'compact' })
      const keyless = encodeRecordBatch([{ key: null, value: 'a', headers: [], timestampMs: Date.now() }])
      expect(await code(client, keyless)).toBe(87)
      expect(await code(client, batchOf(['a']))).toBe(0)
    })

    test('LogAppendTime replaces the time, and the checksum still fits', async () => {
      const client = await onTopic({ 'message.timestamp.type': 'LogAppendTime' })
      const before = Date.now() - 60_000
      const answer = await client.produce(batchOf(['a'], { timestampMs: 1000 }))
      expect(answer.errorCode).toBe(0)
      expect(Number(answer.logAppendTimeMs)).toBeGreaterThan(before)
      const { records } = await client.fetch(0n)
      expect(readBatchHeader(records!)).toMatchObject({ isLogAppendTime: true, maxTimestampMs: Number(answer.logAppendTimeMs) })
      expect(await client.values()).toEqual(['a'])
    })
  })

  describe('idempotent producers', () => {
    const of = (values: readonly string[], baseSequence: number, producerEpoch = 0, producerId = 77_000n) =>
      batchOf(values, { producerId, producerEpoch, baseSequence })

    test('the last five batches are known again, and answered with their offsets', async () => {
      const client = await onTopic()
      for (let i = 0; i < 6; i++)
        expect(await client.produce(of([`v${i}`], i))).toMatchObject({ errorCode: 0, baseOffset: BigInt(i) })
      for (let i = 1; i < 6; i++)
        expect(await client.produce(of([`v${i}`], i))).toMatchObject({ errorCode: 0, baseOffset: BigInt(i) })
      expect(await code(client, of(['v0'], 0)), 'the sixth from the end').toBe(45)
      expect(await client.values()).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'])
    })

    test('gaps, old epochs and new epochs', async () => {
      const client = await onTopic()
      expect(await code(client, of(['a', 'b'], 0, 1))).toBe(0)
      expect(await code(client, of(['x'], 5, 1)), 'a gap').toBe(45)
      expect(await code(client, of(['x'], 1, 1)), 'half a batch again').toBe(45)
      expect(await code(client, of(['x'], 2, 0)), 'an old epoch').toBe(47)
      expect(await code(client, of(['x'], 3, 2)), 'a new epoch that does not begin with 0').toBe(45)
      expect(await code(client, of(['c'], 0, 2)), 'a new epoch').toBe(0)
      expect(await code(client, of(['d'], 9, 0, 77_001n)), 'a producer that is not known').toBe(0)
      expect(await client.values()).toEqual(['a', 'b', 'c', 'd'])
    })

    test('sequence numbers go from 2^31 - 1 to 0', async () => {
      const client = await onTopic()
      expect(await code(client, of(['a'], 2 ** 31 - 1))).toBe(0)
      expect(await code(client, of(['b'], 0))).toBe(0)
      expect(await code(client, of(['c'], 1))).toBe(0)
      expect(await client.values()).toEqual(['a', 'b', 'c'])
    })
  })

  describe('fetch', () => {
    test('whole batches from the one that holds the offset', async () => {
      const client = await onTopic()
      await client.produce(batchOf(['a', 'b', 'c']))
      await client.produce(batchOf(['d']))
      expect(await client.values(1n)).toEqual(['b', 'c', 'd'])
      const small = splitRecordBatches((await client.fetch(1n, { maxBytes: 1 })).records!)
      expect(small.map((batch) => readBatchHeader(batch).recordCount)).toEqual([3])
    })

    test('an offset behind the end or before the start is out of range; the end itself is not', async () => {
      const client = await onTopic()
      await client.produce(batchOf(['a']))
      expect((await client.fetch(2n)).errorCode).toBe(1)
      expect((await client.fetch(-5n)).errorCode).toBe(1)
      const end = await client.fetch(1n)
      expect(end).toMatchObject({ errorCode: 0, highWatermark: 1n, lastStableOffset: 1n, logStartOffset: 0n })
      expect(end.records ?? Buffer.alloc(0)).toHaveLength(0)
    })

    test('waits for bytes, and no longer than it must', async () => {
      const client = await onTopic()
      expect((await client.fetch(0n, { maxWaitMs: 50 })).records ?? Buffer.alloc(0)).toHaveLength(0)
      const waiting = client.fetch(0n, { maxWaitMs: 30_000 })
      const other = await partitionClient(target(), client.topic)
      clients.push(other)
      await other.produce(batchOf(['a']))
      expect(splitRecordBatches((await waiting).records!)).toHaveLength(1)
    })
  })

  test('offsets by time', async () => {
    const client = await onTopic()
    const start = Date.now() - 10_000
    await client.produce(batchOf(['a'], { timestampMs: start }))
    await client.produce(batchOf(['b'], { timestampMs: start + 1000 }))
    await client.produce(batchOf(['c'], { timestampMs: start + 500 }))
    const at = async (time: number) => (await client.offsetAt(BigInt(time))).offset
    expect(await at(-2)).toBe(0n)
    expect(await at(-1)).toBe(3n)
    expect(await at(start)).toBe(0n)
    expect(await at(start + 1)).toBe(1n)
    expect(await at(start + 1000)).toBe(1n)
    expect(await at(start + 1001)).toBe(-1n)
  })

  test('leader epochs: clients that believe an old or a future leader are told', async () => {
    const client = await onTopic()
    await client.produce(batchOf(['a', 'b']))
    const endOf = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
      const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch }]
      const answer = await client.raw.ask(offsetForLeaderEpoch, 3, {
        replicaId: -1,
        topics: [{ topic: client.topic, partitions }],
      })
      return answer.topics[0]!.partitions[0]!
    }
    expect(await endOf(0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2n })
    expect(await endOf(0, 99)).toMatchObject({ errorCode: 75 })
    expect((await client.fetch(0n, { leaderEpoch: 99 })).errorCode).toBe(75)
    expect((await client.fetch(0n, { leaderEpoch: 0 })).errorCode).toBe(0)
  })
}
