import { deleteRecords } from '@pipe/kafka-wire'
import { afterEach, describe, expect, test } from 'vitest'
import { type LocalKafka, startKafka, type VirtualClock, virtualClock } from '../../src/index'
import { embeddedTargetOf } from './suite/embedded-target'
import { groupClient } from './suite/group-client'
import { batchOf, type PartitionClient, partitionClient } from './suite/partition-client'

const start = Date.parse('2026-11-24T00:00:00Z')
const minute = 60_000
let kafka: LocalKafka
let clock: VirtualClock
const open: { close(): void }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) one.close()
  await kafka.close()
})

async function begin(settings: Readonly<Record<string, string>>, brokers = 1): Promise<PartitionClient> {
  clock = virtualClock('2026-11-24T00:00:00Z')
  kafka = await startKafka({ brokers, clock })
  kafka.createTopic('log', { settings })
  const client = await partitionClient(embeddedTargetOf(kafka), 'log')
  open.push(client)
  return client
}
const at = (client: PartitionClient, value: string, minutes: number, key = value) =>
  client.produce(batchOf([value], { timestampMs: start + minutes * minute, key }))
const startOffset = () => kafka.partitions('log')[0]!.copies.map((copy) => copy.startOffset)

describe('retention on the virtual clock', () => {
  test('by age: whole segments, oldest first, and at last the one that is written to', async () => {
    const client = await begin({ 'retention.ms': String(30 * minute), 'segment.ms': String(10 * minute) })
    for (const minutes of [0, 5, 20, 40]) await at(client, `v${minutes}`, minutes)
    await clock.advance('25 minutes')
    expect(startOffset()).toEqual([0])
    await clock.advance('15 minutes')
    expect(await client.values(BigInt(startOffset()[0]!))).toEqual(['v20', 'v40'])
    expect((await client.fetch(0n)).errorCode).toBe(1)
    expect((await client.offsetAt(-2n)).offset).toBe(2n)
    await clock.advance('2 hours')
    expect(startOffset()).toEqual([4])
    expect(await at(client, 'next', 180)).toMatchObject({ errorCode: 0, baseOffset: 4n })
  })

  test('followers begin where their leader begins', async () => {
    const client = await begin({ 'retention.ms': String(10 * minute) }, 3)
    await at(client, 'old', 0)
    await clock.advance('1 hour')
    await kafka.waitFor('log', ([one]) => one!.copies.every((copy) => copy.startOffset === 1))
    expect(await client.values(1n)).toEqual([])
  })

  test('by size: not the segment that is written to', async () => {
    const client = await begin({ 'retention.bytes': '1000000', 'retention.ms': '-1', 'segment.bytes': '1048576' })
    for (let i = 0; i < 5; i++) await client.produce(batchOf(['x'.repeat(400_000)], { timestampMs: start, key: 'k' }))
    await clock.advance('10 minutes')
    const [copy] = kafka.partitions('log')[0]!.copies
    expect(copy!.startOffset).toBe(2)
    expect(copy!.sizeBytes).toBeLessThan(1_300_000)
  })

  test('a lower retention is taken up; an idle cluster costs no ticks', async () => {
    const client = await begin({})
    await at(client, 'old', 0)
    let ticks = 0
    await clock.advance('5 days', { onProgress: () => ticks++ })
    expect(ticks).toBeLessThan(3)
    expect(startOffset()).toEqual([0])
    await clock.advance('3 days')
    expect(startOffset()).toEqual([1])
  })

  test('committed offsets of an empty group go after their time', async () => {
    await begin({})
    const group = await groupClient(embeddedTargetOf(kafka), 'readers')
    open.push(group)
    expect(await group.commit('log', 5n, { generationId: -1, memberId: '' })).toBe(0)
    await clock.advance('6 days')
    expect(await group.committed('log')).toBe(5n)
    await clock.advance('2 days')
    await expect.poll(() => group.committed('log')).toBe(-1n)
  })
})

describe('compaction', () => {
  const settings = { 'cleanup.policy': 'compact', 'segment.ms': '1', 'delete.retention.ms': String(60 * minute) }

  test('the last record of each key stays, at its offset; the open segment is left alone', async () => {
    const client = await begin(settings, 3)
    for (const [index, [key, value]] of [
      ['a', 'a1'],
      ['b', 'b1'],
      ['a', 'a2'],
      ['c', 'c1'],
      ['a', 'a3'],
    ].entries())
      await at(client, value as string, index, key)
    await clock.advance('10 minutes')
    expect(await client.values()).toEqual(['b1', 'c1', 'a3'])
    expect(await client.values(2n), 'an offset that is gone reads on').toEqual(['c1', 'a3'])
    expect(kafka.partitions('log')[0]!.copies.map(({ startOffset, endOffset }) => [startOffset, endOffset])).toEqual([
      [0, 5],
      [0, 5],
      [0, 5],
    ])
    await kafka.faults.kill(kafka.partitions('log')[0]!.leader)
    await kafka.waitFor('log', ([one]) => one!.leader > 0 && one!.inSync.length === 2)
    const other = await partitionClient(embeddedTargetOf(kafka), 'log')
    open.push(other)
    expect(await other.values()).toEqual(['b1', 'c1', 'a3'])
  })

  test('batches of several records keep the rest, in runs without moved offsets', async () => {
    const client = await begin(settings)
    const keyed = (keys: string, minutes: number) =>
      client.produce(
        batchOf(
          [...keys].map((key, i) => `${key}${minutes}.${i}`),
          { timestampMs: start + minutes * minute, keys: [...keys] },
        ),
      )
    await keyed('abcad', 0)
    await keyed('b', 1)
    await keyed('z', 2)
    await clock.advance('10 minutes')
    expect(await client.values()).toEqual(['c0.2', 'a0.3', 'd0.4', 'b1.0', 'z2.0'])
    expect((await client.fetch(3n)).errorCode).toBe(0)
    expect(await client.values(3n)).toEqual(['a0.3', 'd0.4', 'b1.0', 'z2.0'])
  })

  test('a mark of deletion goes after delete.retention.ms', async () => {
    const client = await begin(settings)
    await at(client, 'a1', 0, 'a')
    await client.produce(batchOf([null], { timestampMs: start + minute, key: 'a' }))
    await at(client, 'z', 2, 'z')
    await clock.advance('10 minutes')
    expect(await client.values()).toEqual(['null', 'z'])
    await at(client, 'y', 100, 'y')
    await clock.advance('2 hours')
    expect(await client.values()).toEqual(['z', 'y'])
  })
})

test('DeleteRecords moves the start; not beyond what is committed, and not of compacted topics', async () => {
  const client = await begin({})
  for (const value of ['a', 'b', 'c']) await at(client, value, 0)
  const remove = async (topic: string, offset: bigint) => {
    const answer = await client.raw.ask(deleteRecords, 1, {
      topics: [{ name: topic, partitions: [{ partition: 0, offset }] }],
      timeoutMs: 1000,
    })
    const { errorCode, lowWatermark } = answer.topics[0]!.partitions[0]!
    return [errorCode, lowWatermark]
  }
  expect(await remove('log', 2n)).toEqual([0, 2n])
  expect(await remove('log', 1n)).toEqual([0, 2n])
  expect(await client.values(2n)).toEqual(['c'])
  expect(await remove('log', 4n)).toEqual([1, -1n])
  expect(await remove('log', -1n)).toEqual([0, 3n])
  kafka.createTopic('compacted', { settings: { 'cleanup.policy': 'compact' } })
  expect(await remove('compacted', 0n)).toEqual([44, -1n])
  expect(await remove('nowhere', 0n)).toEqual([3, -1n])
})
