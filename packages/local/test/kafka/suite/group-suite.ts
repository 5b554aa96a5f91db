import { column } from '@pipe/core'
import { defineTopic } from '@pipe/kafka-kit'
import { deleteGroups, describeGroups, listGroups, offsetDelete } from '@pipe/kafka-wire'
import { afterEach, describe, expect, test } from 'vitest'
import { kafkajsClient, kitClient } from '../clients'
import { type GroupClient, groupClient } from './group-client'
import { freshName, type KafkaTarget } from './target'

const simple = { generationId: -1, memberId: '' }

/** Groups of the classic protocol: the same assertions on every target. */
export function groupSuite(target: () => KafkaTarget): void {
  const clients: GroupClient[] = []
  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })
  async function member(group: string): Promise<GroupClient> {
    const client = await groupClient(target(), group)
    clients.push(client)
    return client
  }
  async function freshTopic(partitions = 1): Promise<string> {
    const topic = freshName('read')
    await target().createTopic(topic, { partitions })
    return topic
  }
  const describeOne = async (client: GroupClient, group: string) =>
    (await client.raw.ask(describeGroups, 3, { groups: [group], includeAuthorizedOperations: false })).groups[0]!

  describe('joining', () => {
    test('a new member is given its id first, then leads its generation', async () => {
      const group = freshName('group')
      const client = await member(group)
      const first = await client.join()
      expect(first).toMatchObject({ errorCode: 79, generationId: -1, members: [] })
      expect(first.memberId).not.toBe('')
      const second = await client.join()
      expect(second).toMatchObject({
        errorCode: 0,
        generationId: 1,
        protocolName: 'range',
        leader: first.memberId,
        memberId: first.memberId,
      })
      expect(second.members.map(({ memberId }) => memberId)).toEqual([first.memberId])
      expect(String((await client.sync([client.memberId])).assignment)).toBe(client.memberId)
      expect(await client.heartbeat()).toBe(0)
      const described = await describeOne(client, group)
      expect(described).toMatchObject({ errorCode: 0, state: 'Stable', protocolType: 'consumer', protocolData: 'range' })
      expect(described.members).toHaveLength(1)
      expect((await client.raw.ask(listGroups, 2, {})).groups).toContainEqual({ group, protocolType: 'consumer' })
    })

    test('versions before 4 join at once', async () => {
      const client = await member(freshName('group'))
      expect(await client.join({ version: 2 })).toMatchObject({ errorCode: 0, generationId: 1 })
    })

    test('what cannot join is refused by its code', async () => {
      const group = freshName('group')
      const one = await member(group)
      const other = await member(group)
      expect((await (await member('')).join()).errorCode, 'no group id').toBe(24)
      expect((await one.join({ sessionTimeoutMs: 10 })).errorCode, 'session time-out').toBe(26)
      expect((await one.join({ protocols: [] })).errorCode, 'no protocol').toBe(23)
      await one.joinAndSync()
      expect((await other.join({ protocols: ['sticky'] })).errorCode, 'no protocol in common').toBe(23)
      expect((await other.join({ protocolType: 'connect' })).errorCode, 'another protocol type').toBe(23)
      other.memberId = 'nobody'
      expect((await other.join()).errorCode, 'unknown member').toBe(25)
    })

    test('a second member makes the first one join again; both get what the leader assigned', async () => {
      const group = freshName('group')
      const one = await member(group)
      const other = await member(group)
      await one.joinAndSync()
      await other.join()
      const joining = other.joinAndSync()
      await until(async () => (await one.heartbeat()) === 27)
      expect(await one.commit(await freshTopic(), 1n), 'a commit while others join').toBe(0)
      expect(String((await one.joinAndSync()).assignment)).toBe(one.memberId)
      expect(String((await joining).assignment)).toBe(other.memberId)
      expect(one.generationId).toBe(2)
      expect(other.generationId).toBe(2)
      expect(await other.leave()).toBe(0)
      expect(await one.heartbeat()).toBe(27)
    })

    test('a member that is not heard of is out', async () => {
      const group = freshName('group')
      const one = await member(group)
      await one.joinAndSync({ sessionTimeoutMs: 1000 })
      await until(async () => (await describeOne(one, group)).state === 'Empty')
      expect(await one.heartbeat()).toBe(25)
    })
  })

  describe('static members', () => {
    test('come back under their name without a rebalance; the former self is fenced', async () => {
      const group = freshName('group')
      const first = await member(group)
      const assigned = await first.joinAndSync({ instanceId: 'one' })
      const again = await member(group)
      const back = await again.join({ instanceId: 'one' })
      expect(back).toMatchObject({ errorCode: 0, generationId: 1 })
      expect(back.memberId).not.toBe(first.memberId)
      expect(Buffer.from((await again.sync([], 'one')).assignment)).toEqual(Buffer.from(assigned.assignment))
      expect(await first.heartbeat('one')).toBe(82)
      expect(await again.heartbeat('one')).toBe(0)
    })
  })

  describe('commits', () => {
    test('by members of the present generation, by nobody else', async () => {
      const topic = await freshTopic()
      const client = await member(freshName('group'))
      expect(await client.committed(topic)).toBe(-1n)
      await client.joinAndSync()
      expect(await client.commit(topic, 5n)).toBe(0)
      expect(await client.committed(topic)).toBe(5n)
      expect(await client.commit(topic, 6n, { generationId: 7 }), 'generation').toBe(22)
      expect(await client.commit(topic, 6n, { memberId: 'nobody' }), 'member').toBe(25)
      expect(await client.commit(topic, 6n, simple), 'from outside').toBe(25)
      expect(await client.commit('not-there', 6n), 'topic').toBe(3)
      expect(await client.commit(topic, 6n, { partition: 9 }), 'partition').toBe(3)
      expect(await client.commit(topic, 6n, { metadata: 'x'.repeat(5000) }), 'metadata').toBe(12)
      expect(await client.committed(topic)).toBe(5n)
    })

    test('between join and sync: REBALANCE_IN_PROGRESS', async () => {
      const topic = await freshTopic()
      const client = await member(freshName('group'))
      await client.join()
      await client.join()
      expect(await client.commit(topic, 5n)).toBe(27)
      expect(await client.heartbeat()).toBe(0)
    })

    test('from outside while the group is empty', async () => {
      const topic = await freshTopic()
      const group = freshName('group')
      const client = await member(group)
      expect(await client.commit(topic, 3n, { generationId: 4, memberId: 'a' }), 'a generation of a group that is not').toBe(22)
      expect(await client.commit(topic, 3n, simple)).toBe(0)
      expect(await client.committed(topic)).toBe(3n)
      expect((await describeOne(client, group)).state).toBe('Empty')
    })
  })

  describe('deleting', () => {
    test('groups without members, with their offsets', async () => {
      const topic = await freshTopic()
      const group = freshName('group')
      const client = await member(group)
      const remove = async (name: string) => (await client.raw.ask(deleteGroups, 1, { groups: [name] })).results[0]!.errorCode
      expect(await remove(group)).toBe(69)
      await client.joinAndSync()
      await client.commit(topic, 3n)
      expect(await remove(group)).toBe(68)
      await client.leave()
      expect(await remove(group)).toBe(0)
      expect(await client.committed(topic)).toBe(-1n)
      expect((await describeOne(client, group)).state).toBe('Dead')
    })

    test('offsets of topics that nobody reads', async () => {
      const [read, other] = [await freshTopic(), await freshTopic()]
      const group = freshName('group')
      const client = await member(group)
      await client.joinAndSync({ topics: [read] })
      await client.commit(read, 3n)
      await client.commit(other, 4n)
      const answer = await client.raw.ask(offsetDelete, 0, {
        group,
        topics: [
          { name: read, partitions: [0] },
          { name: other, partitions: [0] },
        ],
      })
      expect(answer.errorCode).toBe(0)
      const codes = new Map(answer.topics.map(({ name, partitions }) => [name, partitions[0]!.errorCode]))
      expect(codes.get(read)).toBe(86)
      expect(codes.get(other)).toBe(0)
      expect(await client.committed(read)).toBe(3n)
      expect(await client.committed(other)).toBe(-1n)
    })
  })

  test('another coordinator takes over: offsets, generation and members are known', async () => {
    const topic = await freshTopic()
    const group = freshName('group')
    const client = await member(group)
    await client.joinAndSync({ sessionTimeoutMs: 30_000 })
    await client.commit(topic, 42n)
    const old = client.coordinator
    await target().kill(old)
    try {
      let next = await member(group)
      await until(async () => {
        if (next.coordinator === old) {
          next = await member(group).catch(() => next)
          return false
        }
        return (await next.committed(topic).catch(() => -2n)) === 42n
      })
      next.memberId = client.memberId
      next.generationId = client.generationId
      expect(await next.heartbeat()).toBe(0)
      expect(await next.commit(topic, 43n)).toBe(0)
    } finally {
      await target().restart(old)
    }
  })

  describe('clients', () => {
    test('kafkajs: two members share the partitions, commit, and a third goes on where they stopped', async () => {
      const topic = await freshTopic(4)
      const group = freshName('group')
      const client = kafkajsClient(target().bootstrap)
      const producer = client.producer()
      await producer.connect()
      const values = Array.from({ length: 40 }, (_, i) => `v${i}`)
      await producer.send({ topic, messages: values.map((value, i) => ({ value, partition: i % 4 })) })
      const seen: string[] = []
      const partitions: Set<number>[] = []
      const start = async () => {
        const own = new Set<number>()
        partitions.push(own)
        const consumer = client.consumer({ groupId: group, maxWaitTimeInMs: 100, sessionTimeout: 10_000 })
        await consumer.connect()
        await consumer.subscribe({ topic, fromBeginning: true })
        await consumer.run({
          autoCommitInterval: 50,
          eachMessage: async ({ partition, message }) => {
            own.add(partition)
            seen.push(String(message.value))
          },
        })
        return consumer
      }
      const consumers = [await start(), await start()]
      await until(async () => new Set(seen).size === 40)
      await Promise.all(consumers.map((consumer) => consumer.disconnect()))
      await producer.send({ topic, messages: [{ value: 'later', partition: 2 }] })
      const before = seen.length
      const third = await start()
      await until(async () => seen.includes('later'))
      expect(seen.slice(before)).toEqual(['later'])
      await third.disconnect()
      await producer.disconnect()
    })

    test('kafka-kit: produces, consumes in a group, commits', async () => {
      const topic = await freshTopic(2)
      const group = freshName('group')
      const kit = kitClient(target().bootstrap)
      const producer = kit.producer()
      for (let i = 0; i < 20; i++) await producer.send(topic, { key: `k${i}`, value: `v${i}` })
      const seen: string[] = []
      const consumer = kit.consumer({
        group,
        topics: [defineTopic(topic, { key: column.string(), value: column.string(), partitions: 2, replicationFactor: 3 })],
        handle: async ({ value }) => {
          seen.push(value)
        },
      })
      await until(async () => seen.length >= 20)
      await consumer.stop()
      expect(seen.toSorted()).toEqual(Array.from({ length: 20 }, (_, i) => `v${i}`).toSorted())
      const outside = await member(group)
      expect((await outside.committed(topic, 0)) + (await outside.committed(topic, 1))).toBe(20n)
      await kit.close()
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
