import {
  alterConfigs,
  alterPartitionReassignments,
  configOperation,
  configResource,
  configSource,
  createPartitions,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeConfigs,
  describeLogDirs,
  electLeaders,
  incrementalAlterConfigs,
  listPartitionReassignments,
  type TopicToCreate,
} from '@pipe/kafka-wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawClient, rawClient } from '../raw-client'
import { batchOf, partitionClient } from './partition-client'
import { freshName, type KafkaTarget } from './target'

/** Topics, settings, sizes, elections: the same assertions on every target. */
export function adminSuite(target: () => KafkaTarget): void {
  let raw: RawClient
  beforeAll(async () => {
    raw = await rawClient(target().address(1))
  })
  afterAll(() => raw?.close())

  const create = async (topic: Partial<TopicToCreate>, validateOnly = false) => {
    const whole: TopicToCreate = { name: '', partitions: 1, replicationFactor: 1, assignments: [], configs: [], ...topic }
    return (await raw.ask(createTopics, 4, { topics: [whole], timeoutMs: 10_000, validateOnly })).topics[0]!.errorCode
  }
  async function freshTopic(options: Parameters<KafkaTarget['createTopic']>[1] = {}): Promise<string> {
    const name = freshName('admin')
    await target().createTopic(name, options)
    return name
  }

  describe('topics', () => {
    test('are made once, by the rules', async () => {
      const name = freshName('made')
      expect(await create({ name }, true)).toBe(0)
      expect(await create({ name, partitions: 2, replicationFactor: 3 })).toBe(0)
      expect(await create({ name })).toBe(36)
      await target().waitFor(name, (partitions) => partitions.length === 2)
      expect(await create({ name: freshName('none'), partitions: 0 })).toBe(37)
      expect(await create({ name: freshName('many'), replicationFactor: 9 })).toBe(38)
      expect(await create({ name: 'no/slash' })).toBe(17)
      expect(await create({ name: '..' })).toBe(17)
      expect(await create({ name: 'x'.repeat(250) })).toBe(17)
      expect(await create({ name: freshName('config'), configs: [{ name: 'retention.ms', value: 'long' }] })).toBe(40)
      expect(await create({ name: freshName('config'), configs: [{ name: 'retention.minutes', value: '5' }] })).toBe(40)
      const assignments = [
        { partition: 0, brokerIds: [2, 3] },
        { partition: 1, brokerIds: [3, 1] },
      ]
      const assigned = freshName('assigned')
      expect(await create({ name: assigned, partitions: -1, replicationFactor: -1, assignments })).toBe(0)
      await target().waitFor(assigned, ([one, two]) => one?.leader === 2 && two?.leader === 3)
    })

    test('grow, and never shrink', async () => {
      const name = await freshTopic({ partitions: 2 })
      const grow = async (count: number, topic = name) => {
        const topics = [{ name: topic, count, assignments: null }]
        return (await raw.ask(createPartitions, 1, { topics, timeoutMs: 10_000, validateOnly: false })).results[0]!.errorCode
      }
      expect(await grow(2)).toBe(37)
      expect(await grow(1)).toBe(37)
      expect(await grow(3, 'not-there')).toBe(3)
      expect(await grow(4)).toBe(0)
      await target().waitFor(
        name,
        (partitions) => partitions.length === 4 && partitions.every(({ inSync }) => inSync.length === 3),
      )
    })

    test('are deleted', async () => {
      const name = await freshTopic()
      const remove = async (topic: string) =>
        (await raw.ask(deleteTopics, 3, { topics: [topic], timeoutMs: 10_000 })).topics[0]!.errorCode
      expect(await remove(name)).toBe(0)
      await expect.poll(() => remove(name), { timeout: 20_000 }).toBe(3)
    })
  })

  describe('settings', () => {
    const describeOne = async (topic: string, name: string) => {
      const resources = [{ resourceType: configResource.topic, resourceName: topic, configNames: [name] }]
      const answer = await raw.ask(describeConfigs, 3, { resources, includeSynonyms: true, includeDocumentation: false })
      return answer.results[0]!
    }
    const value = async (topic: string, name: string) => (await describeOne(topic, name)).configs[0]?.value

    test('say where they come from', async () => {
      const topic = await freshTopic({ settings: { 'retention.ms': '60000' } })
      expect((await describeOne(topic, 'retention.ms')).configs[0]).toMatchObject({
        value: '60000',
        source: configSource.topic,
        configType: 5,
      })
      expect((await describeOne(topic, 'cleanup.policy')).configs[0]).toMatchObject({
        value: 'delete',
        source: configSource.default,
        configType: 7,
      })
      expect((await describeOne(topic, 'min.insync.replicas')).configs[0]).toMatchObject({
        value: '2',
        source: configSource.cluster,
        configType: 3,
      })
      expect((await describeOne(topic, 'no.such.setting')).configs).toEqual([])
      expect((await describeOne('not-there', 'retention.ms')).errorCode).toBe(3)
    })

    test('are changed one by one, or all at once', async () => {
      const topic = await freshTopic({ settings: { 'retention.ms': '60000' } })
      const resource = { resourceType: configResource.topic, resourceName: topic }
      const change = async (name: string, operation: number, to: string | null) => {
        const resources = [{ ...resource, configs: [{ name, operation, value: to }] }]
        return (await raw.ask(incrementalAlterConfigs, 0, { resources, validateOnly: false })).results[0]!.errorCode
      }
      expect(await change('segment.bytes', configOperation.set, '2000000')).toBe(0)
      expect(await change('cleanup.policy', configOperation.append, 'compact')).toBe(0)
      expect(await change('retention.ms', configOperation.set, 'x')).toBe(40)
      expect(await change('no.such.setting', configOperation.set, 'x')).toBe(40)
      await expect.poll(() => value(topic, 'cleanup.policy')).toBe('delete,compact')
      expect(await value(topic, 'retention.ms')).toBe('60000')
      expect(await change('cleanup.policy', configOperation.subtract, 'compact')).toBe(0)
      expect(await change('retention.ms', configOperation.delete, null)).toBe(0)
      await expect.poll(() => value(topic, 'retention.ms')).toBe('604800000')
      const resources = [{ ...resource, configs: [{ name: 'max.message.bytes', value: '5000' }] }]
      expect((await raw.ask(alterConfigs, 1, { resources, validateOnly: false })).results[0]!.errorCode).toBe(0)
      await expect.poll(() => value(topic, 'max.message.bytes')).toBe('5000')
      expect(await value(topic, 'segment.bytes')).toBe('1073741824')
    })
  })

  test('log directories: the size of a copy on each broker', async () => {
    const topic = await freshTopic()
    const client = await partitionClient(target(), topic)
    const batch = batchOf(['x'.repeat(1000)])
    await client.produce(batch)
    client.close()
    for (const broker of [1, 2, 3]) {
      const own = await rawClient(target().address(broker))
      const sizeOf = async () => {
        const answer = await own.ask(describeLogDirs, 1, { topics: [{ name: topic, partitions: [0] }] })
        return answer.logDirs.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions))[0]
      }
      await expect.poll(sizeOf).toEqual({ partition: 0, sizeBytes: BigInt(batch.length), offsetLag: 0n, isFuture: false })
      own.close()
    }
  })

  test('elections of preferred leaders: not needed, not there', async () => {
    const topic = await freshTopic()
    const elect = async (name: string) => {
      const topics = [{ topic: name, partitions: [0] }]
      const answer = await raw.ask(electLeaders, 1, { electionType: 0, topics, timeoutMs: 10_000 })
      return answer.topics[0]!.partitions[0]!.errorCode
    }
    expect(await elect(topic)).toBe(84)
    expect(await elect('not-there')).toBe(3)
  })

  test('a partition moves to other brokers', async () => {
    const topic = await freshTopic({ replicationFactor: 1, settings: { 'min.insync.replicas': '1' } })
    const client = await partitionClient(target(), topic)
    await client.produce(batchOf(['a']))
    client.close()
    const { leader } = (await target().partitions(topic))[0]!
    const [to, ...rest] = [1, 2, 3].filter((id) => id !== leader)
    const move = async (replicas: readonly number[] | null, name = topic, partition = 0) => {
      const topics = [{ name, partitions: [{ partition, replicas }] }]
      return (await raw.ask(alterPartitionReassignments, 0, { timeoutMs: 10_000, topics })).topics[0]!.partitions[0]!.errorCode
    }
    expect(await move(null), 'nothing to take back').toBe(85)
    expect(await move([9])).toBe(39)
    expect(await move([to!, to!])).toBe(39)
    expect(await move([1], 'not-there')).toBe(3)
    expect(await move([to!, ...rest])).toBe(0)
    await target().waitFor(topic, ([one]) => one!.leader === to && one!.inSync.length === 2)
    await expect
      .poll(async () => (await raw.ask(listPartitionReassignments, 0, { timeoutMs: 1000, topics: null })).topics)
      .toEqual([])
    const moved = await partitionClient(target(), topic)
    expect(await moved.values()).toEqual(['a'])
    moved.close()
  })

  test('records are deleted up to an offset', async () => {
    const topic = await freshTopic()
    const client = await partitionClient(target(), topic)
    for (const value of ['a', 'b', 'c']) await client.produce(batchOf([value]))
    const remove = async (offset: bigint) => {
      const topics = [{ name: topic, partitions: [{ partition: 0, offset }] }]
      const { errorCode, lowWatermark } = (await client.raw.ask(deleteRecords, 1, { topics, timeoutMs: 10_000 })).topics[0]!
        .partitions[0]!
      return [errorCode, lowWatermark]
    }
    expect(await remove(2n)).toEqual([0, 2n])
    expect((await client.fetch(1n)).errorCode).toBe(1)
    expect((await client.offsetAt(-2n)).offset).toBe(2n)
    expect(await client.values(2n)).toEqual(['c'])
    expect(await remove(9n)).toEqual([1, -1n])
    expect(await remove(-1n)).toEqual([0, 3n])
    client.close()
  })
}
