import { setTimeout as pause } from 'node:timers/promises'
import { column } from '@pipe/core'
import { type KafkaCluster, kafkaAvailability, startKafkaCluster } from '@pipe/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createKafka, type Kafka, resourcesOf } from '../../src/connect'
import type { Consumer } from '../../src/consumer/consumer'
import type { ConsumerEvent } from '../../src/consumer/consumer-event'
import type { ConsumerOptions } from '../../src/consumer/consumer-options'
import { originOf } from '../../src/consumer/dead-letter'
import { createOwnedLog } from '../../src/consumer/owned-log'
import { readPartition } from '../../src/consumer/partition-reader'
import { claimEntry } from '../../src/consumer/retry-topic'
import { lagOf } from '../../src/lag'
import { defineTopic } from '../../src/topic'
import { offsetsOf } from '../../src/topic-offsets'

const target = await kafkaAvailability()

const textTopic = (name: string, partitions: number) =>
  defineTopic(name, { key: column.string(), value: column.string(), partitions, replicationFactor: 1 })
type TextTopic = ReturnType<typeof textTopic>

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 40_000): Promise<void> {
  const giveUpAt = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`Not within ${ms} ms: ${what}`)
    await pause(20)
  }
}

// One broker: what is tested is the group, the order and what is read back, not replication.
describe.skipIf(!target.available)(`a retry topic on a real broker${target.note}`, () => {
  let cluster: KafkaCluster
  let kafka: Kafka
  let events: ConsumerEvent[] = []
  const consumers: Consumer[] = []

  beforeAll(async () => {
    cluster = await startKafkaCluster({ brokers: 1 })
    kafka = createKafka({ brokers: cluster.bootstrap, clientId: 'test' })
  }, 180_000)
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop({ deadline: '2 seconds' })))
    events = []
  })
  afterAll(async () => {
    await kafka?.close()
    await cluster?.close()
  })

  async function topics(name: string, partitions: number): Promise<TextTopic> {
    for (const one of [name, `${name}.retry`, `${name}.dead`]) await cluster.createTopic(one, { partitions })
    return textTopic(name, partitions)
  }

  function start(topic: TextTopic, options: Partial<ConsumerOptions<readonly TextTopic[]>>): Consumer {
    const consumer = kafka.consumer({
      group: topic.name,
      topics: [topic],
      retry: { attempts: 1 },
      retryTopic: { topic: `${topic.name}.retry`, rounds: 1000, backoff: '100 ms', maxBackoff: '200 ms' },
      deadLetter: { topic: `${topic.name}.dead` },
      timing: { session: '6 seconds', commitEvery: '100 ms' },
      onEvent: (event) => events.push(event),
      handle: () => undefined,
      ...options,
    })
    consumers.push(consumer)
    return consumer
  }

  async function produce(topic: TextTopic, from: number, to: number, keys: number): Promise<void> {
    const producer = kafka.producer()
    const numbers = Array.from({ length: to - from }, (_, i) => from + i)
    await producer.sendMany(
      topic,
      numbers.map((n) => ({ key: `k${n % keys}`, value: String(n) })),
    )
    await producer.close()
  }

  async function unread(topic: TextTopic, only?: readonly TextTopic[]): Promise<number> {
    try {
      return (await lagOf(kafka, topic.name, only ? { topics: only } : {})).messages
    } catch (error) {
      if ((error as { code?: string }).code === 'PIPE_KAFKA_GROUP') return Number.NaN
      throw error
    }
  }

  test('one key that fails: the others go on, its records wait in order, over a restart, until it works again', async () => {
    const topic = await topics('outage', 2)
    await produce(topic, 0, 60, 6)
    let isDown = true
    const handled = new Map<string, number[]>()
    const handle: ConsumerOptions<readonly TextTopic[]>['handle'] = ({ key, value }) => {
      if (isDown && key === 'k1') throw new Error('its service is down')
      handled.set(key, [...(handled.get(key) ?? []), Number(value)])
    }
    const first = start(topic, { concurrency: 8, handle })
    await until('the source is done with', async () => (await unread(topic, [topic])) === 0)
    expect(handled.get('k1')).toBeUndefined()
    expect(Math.max(...first.status().partitions.map(({ parked }) => parked))).toBe(10)
    expect((await first.stop()).isClean).toBe(true)
    const parked = events.filter((event) => event.kind === 'parked')
    expect(parked.filter(({ round }) => round === 0)).toHaveLength(9)

    await produce(topic, 60, 120, 6)
    const second = start(topic, { concurrency: 8, handle })
    await until('the rest of the source', async () => (await unread(topic, [topic])) === 0)
    await until('it was tried again', () => events.some((event) => event.kind === 'parked' && event.round > 2))
    expect(handled.get('k1')).toBeUndefined()
    isDown = false
    await until('nothing waits', () => second.status().partitions.every(({ parked: waiting }) => waiting === 0))
    await until('all is committed', async () => (await unread(topic)) === 0)
    for (let key = 0; key < 6; key++) {
      // In order, and each once.
      expect(handled.get(`k${key}`)).toEqual(Array.from({ length: 20 }, (_, i) => i * 6 + key))
    }
    await second.stop()

    // Once nothing waits, records of the key go the straight way again.
    events = []
    await produce(topic, 120, 126, 6)
    start(topic, { handle })
    await until('the next one', () => handled.get('k1')!.length === 21)
    expect(events.filter(({ kind }) => kind === 'parked')).toEqual([])
  }, 120_000)

  test('a record that never works: after its rounds it is a dead letter of its source, and its key goes on', async () => {
    const topic = await topics('poison', 1)
    await produce(topic, 0, 4, 1)
    const handled: number[] = []
    const attempts: number[] = []
    start(topic, {
      retryTopic: { topic: 'poison.retry', rounds: 2, backoff: '50 ms' },
      handle({ value, topic: name, offset }, { attempt }) {
        expect(name).toBe('poison')
        expect(offset).toBe(BigInt(value))
        if (value === '1') {
          attempts.push(attempt)
          throw new Error('never')
        }
        handled.push(Number(value))
      },
    })
    await until('all', () => handled.length === 3)
    expect(handled).toEqual([0, 2, 3])
    expect(attempts).toEqual([1, 2, 3])
    const { records } = (
      await readPartition(
        resourcesOf(kafka).cluster(),
        { topic: 'poison.dead', partition: 0 },
        { from: 0n, to: 1n },
        { waitMs: 10_000 },
      ).next()
    ).value!
    expect(records[0]!.value!.toString()).toBe('1')
    expect(originOf(records[0]!.headers)).toMatchObject({
      topic: 'poison',
      partition: 0,
      offset: 1n,
      attempts: 3,
      errorMessage: 'never',
    })
    // The headers of the retry topic do not come along.
    expect(records[0]!.headers.filter(({ key }) => key.startsWith('pipe-retry'))).toEqual([])
    await until('all is committed', async () => (await unread(topic)) === 0)
  }, 60_000)

  test('members come and go while keys fail: nothing is lost, and no key ends with an older record', async () => {
    const topic = await topics('moves', 4)
    const keys = 12
    const count = 600
    const last = new Map<string, number>()
    const seen = new Set<number>()
    const failing = new Set(['k2', 'k5', 'k7'])
    const handle: ConsumerOptions<readonly TextTopic[]>['handle'] = async ({ key, value }) => {
      await pause(1)
      if (failing.has(key) || Math.random() < 0.05) throw new Error('not now')
      seen.add(Number(value))
      last.set(key, Number(value))
    }
    const options = { concurrency: 8, handle }
    const first = start(topic, options)
    await produce(topic, 0, 200, keys)
    await until('something waits', () => events.some(({ kind }) => kind === 'parked'))
    const second = start(topic, options)
    await produce(topic, 200, 400, keys)
    await until('the second has partitions', () => second.status().partitions.length > 0)
    await first.stop()
    start(topic, options)
    await produce(topic, 400, count, keys)
    failing.clear()
    await until('all of them', () => seen.size === count)
    await until('all is committed', async () => (await unread(topic)) === 0)
    for (let key = 0; key < keys; key++) expect(last.get(`k${key}`)).toBe(count - keys + key)
  }, 120_000)

  test('an owner of before cannot write behind the back of the one that came after it', async () => {
    await cluster.createTopic('owned')
    const own = resourcesOf(kafka).openCluster()
    const partition = { topic: 'owned', partition: 0 }
    const origin = { group: 'g', topic: 's', partition: 0 }
    const settings = {
      cluster: own,
      partition,
      transactionalId: 'pipe-retry.g.owned.0',
      waitMs: 10_000,
      signal: new AbortController().signal,
    }
    const entry = () => claimEntry(origin, Date.now())
    const [before, after] = [createOwnedLog(settings), createOwnedLog(settings)]
    await before.claim(entry())
    expect(await Promise.all([before.append(entry()), before.append(entry()), before.append(entry())])).toEqual([1n, 2n, 3n])
    expect(await after.claim(entry())).toBe(5n)
    await expect(before.append(entry())).rejects.toMatchObject({ code: 'PIPE_KAFKA_FENCED', retryable: true })
    expect(await after.append(entry())).toBe(5n)
    await expect(before.append(entry())).rejects.toMatchObject({ code: 'PIPE_KAFKA_FENCED' })
    expect((await offsetsOf(kafka, 'owned'))[0]).toMatchObject({ end: 6n })
    await own.close()
  }, 60_000)

  test('an answer that is lost: the entry is stored once', async () => {
    await cluster.createTopic('dropped')
    await using proxied = createKafka({ brokers: cluster.proxiedBootstrap, clientId: 'test', requestTimeout: '1 second' })
    const own = resourcesOf(proxied).openCluster()
    const partition = { topic: 'dropped', partition: 0 }
    const log = createOwnedLog({
      cluster: own,
      partition,
      transactionalId: 'pipe-retry.g.dropped.0',
      waitMs: 30_000,
      signal: new AbortController().signal,
    })
    const entry = () => claimEntry({ group: 'g', topic: 's', partition: 0 }, Date.now())
    await log.claim(entry())
    cluster.brokers[0]!.proxy.inject({ fault: 'drop-response', api: 'Produce' })
    expect(await log.append(entry())).toBe(1n)
    expect(await log.append(entry())).toBe(2n)
    expect((await offsetsOf(kafka, 'dropped'))[0]).toMatchObject({ end: 3n })
    await own.close()
  }, 60_000)

  test('a retry topic that cannot serve is refused, with what to do', async () => {
    const topic = await topics('small', 2)
    await cluster.createTopic('one.partition')
    const small = start(topic, { retryTopic: { topic: 'one.partition' } })
    await expect(small.done).rejects.toMatchObject({ code: 'PIPE_KAFKA_RETRY_TOPIC', message: /has 1 partitions, small has 2/ })
    await cluster.createTopic('compacted', { partitions: 2, settings: { 'cleanup.policy': 'compact' } })
    const compacted = start(topic, { retryTopic: { topic: 'compacted' } })
    await expect(compacted.done).rejects.toMatchObject({ code: 'PIPE_KAFKA_RETRY_TOPIC', message: /compacted/ })
    const missing = start(topic, { retryTopic: { topic: 'nowhere' } })
    await expect(missing.done).rejects.toMatchObject({ code: 'PIPE_KAFKA_TOPIC' })
  }, 60_000)
})
