import { setTimeout as pause } from 'node:timers/promises'
import { column } from '@pipe/core'
import type { KafkaCluster } from '@pipe/testkit'
import { expect, test } from 'vitest'
import type { Kafka } from '../../src/connect'
import { type ConsumerEvent, defineTopic, type Isolation, offsetsOf } from '../../src/index'
import type { Cluster } from '../../src/internals'
import { committedOf, openRaw } from './raw-transaction'

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const giveUpAt = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`Not within ${ms} ms: ${what}`)
    await pause(20)
  }
}

/**
 * What brokers answer to writers that were fenced, and to readers: what the choice of fencing stands on (docs/decisions/transform-fencing.md
 * quotes it). `target` is asked when a test runs.
 */
export function fencingSuite(
  target: () => { readonly brokers: KafkaCluster; readonly kafka: Kafka; readonly cluster: Cluster },
): void {
  async function create(...topics: string[]): Promise<void> {
    for (const topic of topics) await target().brokers.createTopic(topic)
  }

  test('the next epoch of an id ends what the one before left open, and shuts it out', async () => {
    const { kafka, cluster } = target()
    await create('epoch-in', 'epoch-out')
    const zombie = await openRaw(cluster, 'epoch', 'epoch/epoch-in/0')
    expect([
      await zombie.add('epoch-out'),
      await zombie.write('epoch-out', 'of the zombie'),
      await zombie.addOffsets(),
      await zombie.commitOffset('epoch-in', 7n),
    ]).toEqual([0, 0, 0, 0])
    // Its offset is pending: who asks for stable offsets has to wait, who does not is told the old one.
    expect(await committedOf(cluster, 'epoch', 'epoch-in', true)).toBe('error 88')
    expect(await committedOf(cluster, 'epoch', 'epoch-in', false)).toBe(-1n)

    const heir = await openRaw(cluster, 'epoch', 'epoch/epoch-in/0')
    // It was told to wait for the end of the other's transaction.
    expect(heir.waits).toBeGreaterThan(0)
    expect(heir.producerId).toBe(zombie.producerId)
    expect(heir.epoch).toBeGreaterThan(zombie.epoch)
    // The moment it is open, nothing is pending any more, and nothing holds readers back.
    expect(await committedOf(cluster, 'epoch', 'epoch-in', true)).toBe(-1n)
    const [out] = await offsetsOf(kafka, 'epoch-out')
    expect(out!.stable).toBe(out!.end)
    const codes = {
      add: await zombie.add('epoch-out'),
      write: await zombie.write('epoch-out', 'late'),
      addOffsets: await zombie.addOffsets(),
      commitOffset: await zombie.commitOffset('epoch-in', 8n),
      end: await zombie.end(true),
    }
    for (const code of Object.values(codes)) expect([47, 90]).toContain(code)

    // The end of a transaction may be asked for again: the answer is the same.
    expect([await heir.add('epoch-out'), await heir.write('epoch-out', 'of the heir'), await heir.addOffsets()]).toEqual([
      0, 0, 0,
    ])
    expect([await heir.commitOffset('epoch-in', 3n), await heir.end(true), await heir.end(true)]).toEqual([0, 0, 0])
    expect(await committedOf(cluster, 'epoch', 'epoch-in', true)).toBe(3n)
    // What comes behind the end, in the same epoch, and belongs to no transaction.
    expect([await heir.write('epoch-out', 'late'), await heir.commitOffset('epoch-in', 99n)]).toEqual([48, 48])
    expect(await committedOf(cluster, 'epoch', 'epoch-in', true)).toBe(3n)
  }, 60_000)

  test('with another id, only the offset is fenced: outputs of the one before hold readers back until it times out', async () => {
    const { kafka, cluster } = target()
    await create('other-in', 'other-out')
    const events: ConsumerEvent[] = []
    const consumer = kafka.consumer({
      group: 'other',
      topics: [defineTopic('other-in', { value: column.string(), partitions: 1, replicationFactor: 3 })],
      timing: { session: '3 seconds' },
      handle: () => undefined,
      onEvent: (event) => events.push(event),
    })
    await until('a member', () => events.some(({ kind }) => kind === 'joined'))
    const joined = events.find((event) => event.kind === 'joined')!
    const member = { memberId: joined.memberId, generation: joined.generation }
    const zombie = await openRaw(cluster, 'other', 'other-a', 5000)
    expect([await zombie.add('other-out'), await zombie.write('other-out', 'of the zombie'), await zombie.addOffsets()]).toEqual([
      0, 0, 0,
    ])
    const codes = {
      oldGeneration: await zombie.commitOffset('other-in', 7n, { ...member, generation: member.generation - 1 }),
      unknownMember: await zombie.commitOffset('other-in', 7n, { ...member, memberId: 'nobody' }),
      noMember: await zombie.commitOffset('other-in', 7n),
      member: await zombie.commitOffset('other-in', 7n, member),
    }
    expect(codes).toEqual({ oldGeneration: 22, unknownMember: 25, noMember: 0, member: 0 })
    const heir = await openRaw(cluster, 'other', 'other-b')
    expect([await heir.add('other-out'), await heir.write('other-out', 'of the heir'), await heir.end(true)]).toEqual([0, 0, 0])
    const [blocked] = await offsetsOf(kafka, 'other-out')
    expect(blocked!.stable).toBe(0n)
    await until('the time-out of the transaction', async () => (await offsetsOf(kafka, 'other-out'))[0]!.stable > 0n, 30_000)
    expect([47, 48, 90]).toContain(await zombie.end(true))
    await consumer.stop()
  }, 60_000)

  test('a consumer reads what is committed, or everything, as it was asked', async () => {
    const { kafka, cluster } = target()
    await create('isolated')
    const producer = await openRaw(cluster, 'isolated', 'isolated')
    for (const [value, isCommit] of [
      ['one', true],
      ['taken back', false],
      ['two', true],
      ['taken back too', false],
      ['three', true],
    ] as const) {
      expect([await producer.add('isolated'), await producer.write('isolated', value), await producer.end(isCommit)]).toEqual([
        0, 0, 0,
      ])
    }
    // An open transaction of another producer, and a record behind it.
    const open = await openRaw(cluster, 'isolated', 'isolated-open')
    expect([await open.add('isolated'), await open.write('isolated', 'open')]).toEqual([0, 0])
    await kafka.producer().send('isolated', { value: 'behind' })
    const read = (isolation: Isolation) => {
      const seen: string[] = []
      const consumer = kafka.consumer({
        group: `isolated-${isolation}`,
        topics: [defineTopic('isolated', { value: column.string(), partitions: 1, replicationFactor: 3 })],
        isolation,
        handle: ({ value }) => void seen.push(value),
      })
      return { seen, consumer }
    }
    const committed = read('read-committed')
    const all = read('read-uncommitted')
    await until('everything', () => all.seen.length === 7)
    expect(all.seen).toEqual(['one', 'taken back', 'two', 'taken back too', 'three', 'open', 'behind'])
    await until('what is committed', () => committed.seen.length === 3)
    expect(await open.end(true)).toBe(0)
    await until('the rest', () => committed.seen.length === 5)
    expect(committed.seen).toEqual(['one', 'two', 'three', 'open', 'behind'])
    await Promise.all([committed.consumer.stop(), all.consumer.stop()])
  }, 60_000)
}
