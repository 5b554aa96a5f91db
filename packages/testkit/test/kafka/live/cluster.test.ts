import { existsSync } from 'node:fs'
import { type Consumer, Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaCluster, startKafkaCluster } from '../../../src/index'
import { connectRawProducer, rawBatch } from '../raw-producer'
import { isNewest, liveVersions } from './versions'

describe.each(liveVersions)('Kafka %s, three brokers', (version, target) => {
  describe.skipIf(!target.available)(`on this machine${target.note}`, () => {
    // What is ours (proxy, processes, folders) is the same with all brokers; not "skipped", as nothing is left out.
    const newestTest: typeof test | (() => void) = isNewest(version) ? test : () => undefined
    let cluster: KafkaCluster
    let kafka: Kafka

    beforeAll(async () => {
      cluster = await startKafkaCluster({ version, secured: true })
      console.log(`Kafka ${version}: three brokers ready in ${(cluster.startedMs / 1000).toFixed(1)} s`)
      kafka = new Kafka({ clientId: 'test', brokers: [...cluster.bootstrap], logLevel: logLevel.NOTHING })
    }, 180_000)
    afterAll(() => cluster?.close())

    test('settings: a topic has three replicas, of which two must be in sync', async () => {
      const admin = kafka.admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic: 'defaults' }], waitForLeaders: false })
      await cluster.waitFor('defaults', (partitions) => {
        return partitions.length === 3 && partitions.every(({ replicas, inSync }) => replicas.length === 3 && inSync.length === 3)
      })
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: 'defaults', configNames: ['min.insync.replicas'] }],
      })
      expect(resources[0]?.configEntries[0]?.configValue).toBe('2')
      await admin.disconnect()
    })

    newestTest(
      'a topic can be written to at its leader as soon as it is created',
      async () => {
        for (const round of Array.from({ length: 10 }, (_, i) => i)) {
          const topic = `fresh-${round}`
          await cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
          const producer = await connectRawProducer((await cluster.leaderOf(topic, 0)).address)
          expect(await producer.send(topic, 0, rawBatch({ count: 1 })), topic).toEqual({ errorCode: 0, baseOffset: 0n })
          producer.close()
        }
      },
      60_000,
    )

    test('leader killed: another one is elected, nothing acknowledged is lost, the killed one comes back in sync', async () => {
      const started = Date.now()
      const seconds = () => ((Date.now() - started) / 1000).toFixed(1)
      const times: string[] = []
      const note = (what: string) => times.push(`${what} ${seconds()} s`)
      await cluster.createTopic('orders', { partitions: 1 })
      note('topic')
      const producer = kafka.producer({ retry: { retries: 30, initialRetryTime: 100, maxRetryTime: 500 } })
      await producer.connect()
      const send = (value: string) => producer.send({ topic: 'orders', acks: -1, messages: [{ value }] })
      await send('before')
      const leader = await cluster.leaderOf('orders', 0)
      await leader.kill()
      expect(leader.state()).toBe('ended')
      note('killed')
      await cluster.waitFor(
        'orders',
        ([partition]) => partition!.leader > 0 && partition!.leader !== leader.id && partition!.inSync.length === 2,
      )
      note('new leader')
      await send('during')
      note('written')
      await leader.restart()
      note('restarted')
      await cluster.waitFor('orders', ([partition]) => partition!.inSync.length === 3)
      note('in sync')
      await send('after')
      await producer.disconnect()
      expect(await readAll(kafka, 'orders', 3)).toEqual(['before', 'during', 'after'])
      note('read')
      console.log(`Kafka ${version}: ${times.join(', ')}`)
    }, 120_000)

    newestTest(
      'leader stopped as a zombie: replaced after its session, a follower when it goes on',
      async () => {
        await cluster.createTopic('zombie', { partitions: 1 })
        const leader = await cluster.leaderOf('zombie', 0)
        leader.stop()
        expect(leader.state()).toBe('stopped')
        await cluster.waitFor('zombie', ([partition]) => partition!.leader > 0 && partition!.leader !== leader.id)
        leader.continue()
        await cluster.waitFor('zombie', ([partition]) => partition!.inSync.length === 3 && partition!.leader !== leader.id)
      },
      60_000,
    )

    newestTest(
      'fault proxy: an answer lost after the broker stored the record makes bare kafkajs store it twice',
      async () => {
        await cluster.createTopic('twice', { partitions: 1 })
        const leader = await cluster.leaderOf('twice', 0)
        const proxied = new Kafka({ brokers: [...cluster.proxiedBootstrap], logLevel: logLevel.NOTHING, requestTimeout: 500 })
        const producer = proxied.producer({ retry: { retries: 5, initialRetryTime: 50 } })
        await producer.connect()
        const rule = leader.proxy.inject({ fault: 'drop-response', api: 'Produce' })
        await producer.send({ topic: 'twice', acks: -1, messages: [{ value: 'once?' }] })
        await producer.disconnect()
        expect(rule.hits()).toBe(1)
        expect(leader.proxy.traffic().requests['Produce']).toBe(2)
        expect(await readAll(kafka, 'twice', 2)).toEqual(['once?', 'once?'])
      },
      60_000,
    )

    newestTest(
      'fault proxy: cut off from all clients, the brokers go on replicating',
      async () => {
        await cluster.createTopic('islands', { partitions: 1 })
        const leader = await cluster.leaderOf('islands', 0)
        const follower = cluster.brokers.find(({ id }) => id !== leader.id)!
        await follower.proxy.setMode('black-hole')
        const producer = kafka.producer()
        await producer.connect()
        await producer.send({ topic: 'islands', acks: -1, messages: [{ value: 'replicated' }] })
        await producer.disconnect()
        await new Promise((resolve) => setTimeout(resolve, 2500))
        // Longer than the lag after which a replica falls out.
        expect((await cluster.partitions('islands'))[0]?.inSync).toHaveLength(3)
        await follower.proxy.clear()
      },
      60_000,
    )

    test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('TLS with SASL %s', async (mechanism) => {
      const { bootstrap, ca, username, password } = cluster.secured!
      const connect = (secret: string) => {
        const sasl = { mechanism, username, password: secret } as SASLOptions
        return new Kafka({
          brokers: [...bootstrap],
          ssl: { ca },
          sasl,
          logLevel: logLevel.NOTHING,
          retry: { retries: 0 },
        }).admin()
      }
      const admin = connect(password)
      await admin.connect()
      expect((await admin.describeCluster()).brokers).toHaveLength(3)
      await admin.disconnect()
      await expect(connect('wrong').connect()).rejects.toThrow(/authentication/i)
    })

    test('TLS with SASL OAUTHBEARER', async () => {
      const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
      const now = Math.floor(Date.now() / 1000)
      const value = `${encode({ alg: 'none' })}.${encode({ sub: 'alice', iat: now, exp: now + 3600 })}.`
      const { bootstrap, ca } = cluster.secured!
      const connect = (token: string) => {
        const sasl: SASLOptions = { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: token }) }
        return new Kafka({
          brokers: [...bootstrap],
          ssl: { ca },
          sasl,
          logLevel: logLevel.NOTHING,
          retry: { retries: 0 },
        }).admin()
      }
      const admin = connect(value)
      await admin.connect()
      expect((await admin.describeCluster()).brokers).toHaveLength(3)
      await admin.disconnect()
      // Kafka refuses a token by a challenge, which kafkajs takes for success: only the first request fails.
      const refused = connect('no-token')
      await expect(refused.connect().then(() => refused.describeCluster())).rejects.toThrow()
      await refused.disconnect()
    })

    newestTest(
      'terminate hands leadership over before the process ends',
      async () => {
        await cluster.createTopic('handover', { partitions: 1 })
        const leader = await cluster.leaderOf('handover', 0)
        await leader.terminate()
        expect((await cluster.leaderOf('handover', 0)).id).not.toBe(leader.id)
        expect(await leader.logTail(200)).toContain('shut down completed')
        await leader.restart()
      },
      60_000,
    )

    newestTest(
      'two of three crashed: no majority, nothing can be written; both back: everything is there',
      async () => {
        await cluster.createTopic('majority', { partitions: 1 })
        const producer = kafka.producer({ retry: { retries: 0 } })
        await producer.connect()
        const send = (value: string, timeout: number) =>
          producer.send({ topic: 'majority', acks: -1, timeout, messages: [{ value }] })
        // A broker that has just come back may take seconds to copy its first records.
        await send('before', 30_000)
        const leader = await cluster.leaderOf('majority', 0)
        const others = cluster.brokers.filter(({ id }) => id !== leader.id)
        await Promise.all(others.map((broker) => broker.kill()))
        await expect(send('alone', 1000)).rejects.toThrow()
        await producer.disconnect()
        await Promise.all(others.map((broker) => broker.restart()))
        await cluster.waitFor('majority', ([partition]) => partition!.inSync.length === 3)
        expect((await readAll(kafka, 'majority', 1))[0]).toBe('before')
      },
      120_000,
    )

    newestTest('a broker in the wrong state, and one that does not exist, are named', () => {
      const [first] = cluster.brokers
      expect(() => first!.continue()).not.toThrow()
      expect(() => cluster.broker(4)).toThrow('No broker 4: the cluster has 1 to 3')
      return expect(first!.restart()).rejects.toThrow('broker 1 is running already')
    })

    newestTest('a broker that does not start is told with the end of its log', async () => {
      const start = startKafkaCluster({ version, brokers: 1, settings: { 'num.io.threads': '0' } })
      await expect(start).rejects.toThrow(/PIPE_TESTKIT_KAFKA .*broker 1 ended during the start[\s\S]*num\.io\.threads/)
    })

    newestTest('an aborted start ends with the reason of the signal', async () => {
      const reason = new Error('enough')
      const start = startKafkaCluster({ version, signal: abortIn(1500, reason) })
      await expect(start).rejects.toBe(reason)
    })

    test('close ends every process and removes the folder', async () => {
      const pids = cluster.brokers.map((broker) => broker.pid()!)
      await cluster.close()
      expect(cluster.brokers.map((broker) => broker.state())).toEqual(['ended', 'ended', 'ended'])
      expect(pids.filter(isAlive)).toEqual([])
      expect(existsSync(cluster.dir)).toBe(false)
    })
  })
})

function abortIn(ms: number, reason: Error): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), ms)
  return controller.signal
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function readAll(kafka: Kafka, topic: string, count: number): Promise<string[]> {
  const consumer: Consumer = kafka.consumer({ groupId: `reader-of-${topic}`, sessionTimeout: 6000, maxWaitTimeInMs: 300 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error))
    consumer
      .run({
        eachMessage: async ({ message }) => {
          values.push(String(message.value))
          if (values.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return values
}
