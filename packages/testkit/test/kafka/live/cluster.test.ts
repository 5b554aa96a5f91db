import { existsSync } from 'node:fs'
import { type Consumer, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaCluster, kafkaAvailability, kafkaVersions, startKafkaCluster } from '../../../src/index'

// The oldest version too when asked for: it doubles the time.
const versions = process.env['PIPE_KAFKA_OLDEST'] ? [kafkaVersions.newest, kafkaVersions.oldest] : [kafkaVersions.newest]
const targets = await Promise.all(versions.map((version) => kafkaAvailability(version)))

describe.each(targets.map((target) => [target.version, target] as const))('Kafka %s, three brokers', (version, target) => {
  describe.skipIf(!target.available)(`on this machine${target.note}`, () => {
    let cluster: KafkaCluster
    let kafka: Kafka

    beforeAll(async () => {
      cluster = await startKafkaCluster({ version })
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

    test('leader stopped as a zombie: replaced after its session, a follower when it goes on', async () => {
      await cluster.createTopic('zombie', { partitions: 1 })
      const leader = await cluster.leaderOf('zombie', 0)
      leader.stop()
      expect(leader.state()).toBe('stopped')
      await cluster.waitFor('zombie', ([partition]) => partition!.leader > 0 && partition!.leader !== leader.id)
      leader.continue()
      await cluster.waitFor('zombie', ([partition]) => partition!.inSync.length === 3 && partition!.leader !== leader.id)
    }, 60_000)

    test('terminate hands leadership over before the process ends', async () => {
      await cluster.createTopic('handover', { partitions: 1 })
      const leader = await cluster.leaderOf('handover', 0)
      await leader.terminate()
      expect((await cluster.leaderOf('handover', 0)).id).not.toBe(leader.id)
      expect(await leader.logTail(200)).toContain('shut down completed')
      await leader.restart()
    }, 60_000)

    test('close ends every process and removes the folder', async () => {
      const pids = cluster.brokers.map((broker) => broker.pid()!)
      await cluster.close()
      expect(cluster.brokers.map((broker) => broker.state())).toEqual(['ended', 'ended', 'ended'])
      expect(pids.filter(isAlive)).toEqual([])
      expect(existsSync(cluster.dir)).toBe(false)
    })
  })
})

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
