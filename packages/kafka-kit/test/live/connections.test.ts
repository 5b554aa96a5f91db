import { setTimeout as pause } from 'node:timers/promises'
import { column } from '@pipe/core'
import { type KafkaCluster, kafkaAvailability, startKafkaCluster } from '@pipe/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createKafka, type Kafka, type KafkaAuth, type KafkaLogEntry, resourcesOf } from '../../src/connect'
import type { Consumer } from '../../src/consumer/consumer'
import type { ConsumerEvent } from '../../src/consumer/consumer-event'
import type { ConsumerOptions } from '../../src/consumer/consumer-options'
import { defineTopic } from '../../src/topic'
import { applyTopics } from '../../src/topic-apply'
import { planTopics } from '../../src/topic-plan'

const target = await kafkaAvailability()

const textTopic = (name: string, partitions = 1) =>
  defineTopic(name, { key: column.string(), value: column.string(), partitions, replicationFactor: 1 })
type TextTopic = ReturnType<typeof textTopic>

async function until(what: string, holds: () => boolean, ms = 40_000): Promise<void> {
  const giveUpAt = Date.now() + ms
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error(`Not within ${ms} ms: ${what}`)
    await pause(20)
  }
}

// kafkajs authenticates again ten seconds before the end of a session: three seconds after it began.
const sessionMs = 13_000

describe.skipIf(!target.available)(`connections to a real broker${target.note}`, () => {
  let cluster: KafkaCluster
  let kafka: Kafka
  const consumers: Consumer[] = []
  const logs: KafkaLogEntry[] = []

  beforeAll(async () => {
    cluster = await startKafkaCluster({
      brokers: 1,
      secured: true,
      settings: { 'connections.max.reauth.ms': String(sessionMs), 'connections.max.idle.ms': '8000' },
    })
    kafka = createKafka({ brokers: cluster.bootstrap, clientId: 'test' })
  }, 180_000)
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop({ deadline: '2 seconds' })))
  })
  afterAll(async () => {
    await kafka?.close()
    await cluster?.close()
  })

  const secured = (auth: KafkaAuth) =>
    createKafka({
      brokers: cluster.secured!.bootstrap,
      clientId: 'test',
      ssl: { ca: cluster.secured!.ca },
      auth,
      onLog: (entry) => logs.push(entry),
    })
  const user = () => ({ username: cluster.secured!.username, password: cluster.secured!.password })

  function consume(of: Kafka, options: ConsumerOptions<readonly TextTopic[]>): Consumer {
    const consumer = of.consumer(options)
    consumers.push(consumer)
    return consumer
  }

  /** A token that brokers in tests take: no signature, an end. */
  function unsecuredToken(seconds: number): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = Math.floor(Date.now() / 1000)
    return `${part({ alg: 'none' })}.${part({ sub: 'pipe', iat: now, exp: now + seconds })}.`
  }

  test.each([
    ['PLAIN', (): KafkaAuth => ({ mechanism: 'plain', ...user() })],
    ['SCRAM-SHA-256', (): KafkaAuth => ({ mechanism: 'scram-sha-256', ...user() })],
    ['SCRAM-SHA-512', (): KafkaAuth => ({ mechanism: 'scram-sha-512', ...user() })],
    ['OAUTHBEARER', (): KafkaAuth => ({ mechanism: 'oauthbearer', token: async () => ({ value: unsecuredToken(600) }) })],
  ])('TLS and %s: topics, producer, consumer', async (name, auth) => {
    await using own = secured(auth())
    const topic = textTopic(`secured.${name}`)
    await applyTopics(own, await planTopics(own, [topic]))
    const producer = own.producer()
    expect(await producer.send(topic, { key: 'k', value: name })).toMatchObject({ offset: 0n })
    const seen: string[] = []
    const consumer = consume(own, { group: name, topics: [topic], handle: ({ value }) => void seen.push(value) })
    await until('the record', () => seen.length === 1)
    expect(seen).toEqual([name])
    expect(await consumer.stop()).toMatchObject({ isClean: true })
    await producer.close()
  })

  test('a wrong password, and TLS that does not fit, are told by name; no password in errors or logs', async () => {
    await using wrong = secured({ mechanism: 'scram-sha-512', username: user().username, password: 'not-the-password' })
    const error = await planTopics(wrong, [textTopic('x')]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_AUTH' })
    const producer = wrong.producer({ maxBlock: '5 seconds' })
    await expect(producer.send('x', { value: 'v' })).rejects.toMatchObject({ code: 'PIPE_KAFKA_AUTH', outcome: 'not-written' })
    await producer.close()
    await expect(wrong.consumer({ group: 'g', topics: [textTopic('x')], handle: () => undefined }).done).rejects.toMatchObject({
      code: 'PIPE_KAFKA_AUTH',
    })
    await using untrusted = createKafka({
      brokers: cluster.secured!.bootstrap,
      clientId: 'test',
      ssl: true,
      auth: { mechanism: 'plain', ...user() },
    })
    await expect(planTopics(untrusted, [textTopic('x')])).rejects.toMatchObject({
      code: 'PIPE_KAFKA_CONNECTION',
      message: expect.stringContaining('certificate'),
    })
    expect(JSON.stringify([logs, String(error), (error as Error).stack])).not.toContain('not-the-password')
  })

  test('a session that ends: connections authenticate again under load, and nothing is lost or doubled', async () => {
    let tokens = 0
    await using own = secured({
      mechanism: 'oauthbearer',
      token: async () => {
        tokens++
        return { value: unsecuredToken(600) }
      },
    })
    const topic = textTopic('sessions', 3)
    await cluster.createTopic('sessions', { partitions: 3 })
    const seen = new Map<string, number>()
    const events: ConsumerEvent[] = []
    const consumer = consume(own, {
      group: 'sessions',
      topics: [topic],
      handle: ({ value }) => void seen.set(value, (seen.get(value) ?? 0) + 1),
      onEvent: (event) => events.push(event),
    })
    const producer = own.producer()
    let sent = 0
    const giveUpAt = Date.now() + sessionMs + 4000
    while (Date.now() < giveUpAt) {
      await Promise.all([1, 2, 3].map((n) => producer.send(topic, { key: `k${n}`, value: String(sent++) })))
      await pause(50)
    }
    await until('all', () => seen.size === sent)
    expect([...seen.values()].every((times) => times === 1)).toBe(true)
    expect(events.filter(({ kind }) => kind === 'restarting' || kind === 'fenced')).toEqual([])
    // Each connection asked more than once: it lived through the end of its session.
    expect(tokens).toBeGreaterThan(6)
    await producer.close()
    expect(await consumer.stop()).toMatchObject({ isClean: true })
  }, 60_000)

  test('a connection that the broker closed because it was idle is made again', async () => {
    const producer = kafka.producer()
    await cluster.createTopic('idle')
    await producer.send('idle', { value: 'before' })
    const { connectionPool } = await resourcesOf(kafka).cluster().anyBroker()
    await until('the broker closes it', () =>
      connectionPool.pool.every(({ socket }) => (socket as { destroyed?: boolean } | undefined)?.destroyed !== false),
    )
    expect(await producer.send('idle', { value: 'after' })).toMatchObject({ offset: 1n })
    expect(await planTopics(kafka, [textTopic('idle')])).toMatchObject({ unchanged: ['idle'] })
    await producer.close()
  }, 60_000)
})
