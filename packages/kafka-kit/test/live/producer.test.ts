import { column } from '@pipe/core'
import type { KafkaCluster } from '@pipe/testkit'
import kafkajs from 'kafkajs'
import { beforeAll, describe, expect, it } from 'vitest'
import { createKafka, defineTopic, type FailedOutcome, type Written } from '../../src/index'
import { sharedCluster } from './shared-cluster'
import { newestTest, target, version } from './versions'

describe(`the producer on Kafka ${version}`, () => {
  describe.skipIf(!target.available)(`real brokers${target.note}`, () => {
    let cluster: KafkaCluster

    beforeAll(async () => {
      cluster = await sharedCluster(version)
    }, 180_000)

    const connect = (options: { proxied?: boolean; requestTimeout?: '500 ms' | '2 seconds' | '30 seconds' } = {}) =>
      createKafka({
        brokers: options.proxied ? cluster.proxiedBootstrap : cluster.bootstrap,
        clientId: 'live',
        requestTimeout: options.requestTimeout ?? '30 seconds',
      })

    /** All records of a topic: partition, offset and value. */
    async function readAll(topic: string): Promise<{ partition: number; offset: bigint; value: string }[]> {
      const client = new kafkajs.Kafka({ brokers: [...cluster.bootstrap], logLevel: kafkajs.logLevel.NOTHING })
      const admin = client.admin()
      await admin.connect()
      const ends = await admin.fetchTopicOffsets(topic)
      await admin.disconnect()
      const wanted = ends.reduce((sum, { high }) => sum + Number(high), 0)
      const found: { partition: number; offset: bigint; value: string }[] = []
      if (wanted === 0) return found
      const consumer = client.consumer({ groupId: `read-${topic}-${Math.random()}`, maxWaitTimeInMs: 200 })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        consumer
          .run({
            eachMessage: async ({ partition, message }) => {
              found.push({ partition, offset: BigInt(message.offset), value: String(message.value) })
              if (found.length >= wanted) resolve()
            },
          })
          .catch(reject)
        setTimeout(() => reject(new Error(`${found.length} of ${wanted} records of ${topic} were read`)), 30_000).unref()
      })
      await consumer.disconnect()
      return found
    }

    async function expectStoredOnce(topic: string, sent: ReadonlyMap<string, Written | FailedOutcome>): Promise<void> {
      const stored = await readAll(topic)
      const places = new Map<string, string[]>()
      for (const { partition, offset, value } of stored)
        places.set(value, [...(places.get(value) ?? []), `${partition}/${offset}`])
      for (const [value, outcome] of sent) {
        const found = places.get(value) ?? []
        if ('offset' in outcome) expect(found, `${value} was confirmed`).toEqual([`${outcome.partition}/${outcome.offset}`])
        else if (outcome.outcome === 'not-written') expect(found, outcome.message).toEqual([])
        else expect(found.length, outcome.message).toBeLessThanOrEqual(1)
      }
    }

    it('keys, contracts and offsets are what the cluster has', async () => {
      await cluster.createTopic('orders', { partitions: 6 })
      await using kafka = connect()
      const orders = defineTopic('orders', {
        key: column.string(),
        value: { id: column.integer(), note: column.string() },
        partitions: 6,
        replicationFactor: 3,
      })
      const records = Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: { id: i, note: 'ä' } }))
      const results = await kafka.producer().sendMany(orders, records)
      const sent = new Map(records.map(({ value }, i) => [JSON.stringify(value), results[i]!]))
      await expectStoredOnce('orders', sent)
      // The same keys through kafkajs go to the same partitions.
      const client = new kafkajs.Kafka({ brokers: [...cluster.bootstrap], logLevel: kafkajs.logLevel.NOTHING })
      const bare = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
      await bare.connect()
      const [placed] = await bare.send({ topic: 'orders', messages: [{ key: 'k42', value: 'x' }] })
      await bare.disconnect()
      expect(placed!.partition).toBe(results[42]!.partition)
    })

    it.each(['gzip', 'snappy', 'lz4'] as const)(
      'batches packed with %s are read by the brokers and by kafkajs',
      async (compression) => {
        await cluster.createTopic(`packed-${compression}`, { partitions: 1 })
        await using kafka = connect()
        const values = Array.from({ length: 2000 }, (_, i) => `{"device":"device-${i % 7}","metric":${i}}`)
        const results = await kafka.producer({ compression }).sendMany(
          `packed-${compression}`,
          values.map((value) => ({ value })),
        )
        await expectStoredOnce(`packed-${compression}`, new Map(values.map((value, i) => [value, results[i]!])))
      },
    )

    it('LogAppendTime: the timestamp is the broker’s', async () => {
      await cluster.createTopic('stamped', { settings: { 'message.timestamp.type': 'LogAppendTime' } })
      await using kafka = connect()
      const before = Date.now()
      const { timestamp } = await kafka.producer().send('stamped', { value: 'x', timestamp: new Date(5) })
      expect(timestamp.getTime()).toBeGreaterThanOrEqual(before - 1000)
    })

    it('refusals of a broker are told with what to do', async () => {
      await cluster.createTopic('compacted', { settings: { 'cleanup.policy': 'compact' } })
      await cluster.createTopic('small', { settings: { 'max.message.bytes': '2000' } })
      await using kafka = connect()
      const producer = kafka.producer({ maxBlock: '3 seconds' })
      await expect(producer.send('compacted', { value: 'x' })).rejects.toMatchObject({
        outcome: 'not-written',
        details: { errorCode: 87 },
        hint: expect.stringContaining('compacted'),
      })
      const future = new Date(Date.now() + 2 * 3_600_000)
      await expect(producer.send('small', { value: 'x', timestamp: future })).rejects.toMatchObject({
        outcome: 'not-written',
        hint: expect.stringContaining('an hour ahead'),
      })
      await expect(producer.send('small', { value: 'x'.repeat(3000) })).rejects.toMatchObject({ code: 'PIPE_KAFKA_TOO_LARGE' })
      // As a whole too large for the topic, in parts not.
      const results = await producer.sendMany(
        'small',
        Array.from({ length: 40 }, (_, i) => ({ value: `${i}`.padEnd(200, 'x') })),
      )
      expect(results.map(({ offset }) => Number(offset))).toEqual(Array.from({ length: 40 }, (_, i) => i))
      await expect(producer.send('missing', { value: 'x' })).rejects.toMatchObject({ code: 'PIPE_KAFKA_TOPIC' })
      // A key makes a record of a compacted topic; a bad one beside it does not take it along.
      const mixed = await producer
        .sendMany('compacted', [{ key: 'a', value: '1' }, { value: 'bad' }, { key: 'b', value: '2' }])
        .catch((error) => error)
      expect(mixed.outcomes).toMatchObject([{ partition: 0 }, { outcome: 'not-written' }, { partition: 0 }])
    })

    newestTest(
      'answers that are lost after the broker has stored the batch double nothing',
      async () => {
        await cluster.createTopic('once', { partitions: 3 })
        await using kafka = connect({ proxied: true, requestTimeout: '500 ms' })
        const producer = kafka.producer({ linger: '1 ms' })
        const sent = new Map<string, Written | FailedOutcome>()
        const faults = ['drop-response', 'reset', 'cut'] as const
        for (let round = 0; round < 9; round++) {
          const broker = cluster.brokers[round % 3]!
          const fault = faults[Math.floor(round / 3)]!
          if (fault === 'drop-response') broker.proxy.inject({ fault, api: 'Produce' })
          else if (fault === 'reset') broker.proxy.inject({ fault, on: 'response', api: 'Produce' })
          else broker.proxy.inject({ fault, on: 'request', afterBytes: 60, api: 'Produce' })
          await Promise.all(
            Array.from({ length: 30 }, async (_, i) => {
              const value = `${round}-${i}`
              sent.set(value, await producer.send('once', { value, partition: i % 3 }))
            }),
          )
        }
        for (const broker of cluster.brokers) await broker.proxy.clear()
        await expectStoredOnce('once', sent)
      },
      60_000,
    )

    newestTest(
      'the leader is killed while messages go: what was confirmed survives, once',
      async () => {
        await cluster.createTopic('killed', { partitions: 3 })
        await using kafka = connect({ requestTimeout: '2 seconds' })
        const producer = kafka.producer({ linger: '2 ms' })
        const sent = new Map<string, Written | FailedOutcome>()
        const sends: Promise<void>[] = []
        let isSending = true
        const sending = (async () => {
          for (let i = 0; isSending; i++) {
            const value = String(i)
            const keep = (outcome: Written | FailedOutcome) => void sent.set(value, outcome)
            sends.push(producer.send('killed', { value, partition: i % 3 }).then(keep, keep))
            if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
          }
        })()
        await new Promise((resolve) => setTimeout(resolve, 500))
        const leader = await cluster.leaderOf('killed', 0)
        await leader.kill()
        await new Promise((resolve) => setTimeout(resolve, 6000))
        isSending = false
        await sending
        await Promise.all(sends)
        await leader.restart()
        const confirmed = [...sent.values()].filter((outcome) => 'offset' in outcome).length
        console.log(`leader killed: ${sent.size} sent, ${confirmed} confirmed`)
        expect(confirmed).toBe(sent.size)
        await expectStoredOnce('killed', sent)
      },
      120_000,
    )

    newestTest(
      'too few replicas in sync: certainly not written, and later written',
      async () => {
        await cluster.createTopic('strict', { settings: { 'min.insync.replicas': '3' } })
        await using kafka = connect()
        const producer = kafka.producer({ deliveryTimeout: '5 seconds', linger: '0 ms' })
        await producer.send('strict', { value: 'a' })
        const leader = await cluster.leaderOf('strict', 0)
        const follower = cluster.brokers.find(({ id }) => id !== leader.id)!
        const sent = new Map<string, Written | FailedOutcome>()
        await follower.kill()
        try {
          await cluster.waitFor('strict', ([partition]) => partition!.inSync.length === 2)
          // The first may still meet a leader that has not heard of it, appends, and finds too few afterwards: then nobody knows,
          // and the next ones wait for a new producer id, on a slow machine until their deadline.
          const refused = { outcome: 'not-written', message: expect.stringContaining('NOT_ENOUGH_REPLICAS') }
          for (const value of ['b1', 'b2', 'b3', 'b4', 'b5', 'b6']) {
            const outcome = await producer.send('strict', { value }).catch((error) => error)
            sent.set(value, outcome)
            if (expect.objectContaining(refused).asymmetricMatch(outcome)) break
          }
          expect([...sent.values()]).toContainEqual(expect.objectContaining(refused))
        } finally {
          await follower.restart()
        }
        await cluster.waitFor('strict', ([partition]) => partition!.inSync.length === 3)
        await producer.send('strict', { value: 'c' })
        await expectStoredOnce('strict', sent)
        expect((await readAll('strict')).map(({ value }) => value).filter((value) => !value.startsWith('b'))).toEqual(['a', 'c'])
      },
      120_000,
    )

    it.each(['plain', 'scram-sha-512'] as const)(
      'TLS with SASL %s; a wrong password is told at once',
      async (mechanism) => {
        await cluster.createTopic(`secured-${mechanism}`)
        const { bootstrap, ca, username, password } = cluster.secured!
        const connectAs = (secret: string) =>
          createKafka({ brokers: bootstrap, clientId: 'secured', ssl: { ca }, auth: { mechanism, username, password: secret } })
        await using kafka = connectAs(password)
        expect(await kafka.producer().send(`secured-${mechanism}`, { value: 'x' })).toMatchObject({ offset: 0n })
        await using wrong = connectAs('wrong')
        await expect(wrong.producer().send(`secured-${mechanism}`, { value: 'x' })).rejects.toMatchObject({
          code: 'PIPE_KAFKA_AUTH',
          outcome: 'not-written',
        })
      },
      60_000,
    )
  })
})
