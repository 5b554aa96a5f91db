import { startKafka } from '@pipe/local'
import { administer } from './administer'
import type { FaultTarget } from './target'

/** The same times and promises as the real brokers of the testkit have. */
const settings = {
  'min.insync.replicas': '2',
  'broker.session.timeout.ms': '3000',
  'replica.lag.time.max.ms': '2000',
  'group.min.session.timeout.ms': '1000',
  'group.initial.rebalance.delay.ms': '0',
}

/** Three brokers of `@pipe/local`, in this process. */
export async function startEmbeddedCluster(): Promise<FaultTarget> {
  const kafka = await startKafka({ brokers: 3, settings })
  const { faults } = kafka
  const brokers = [1, 2, 3]
  return {
    name: 'the Kafka of @pipe/local',
    brokers,
    bootstrap: kafka.brokers,
    disturbedBootstrap: kafka.brokers,
    async createTopic(topic, partitions) {
      kafka.createTopic(topic, { partitions })
      await kafka.waitFor(topic, (all) => all.every(({ leader, inSync }) => leader > 0 && inSync.length === brokers.length))
    },
    async growTopic(topic, partitions) {
      await administer(kafka.brokers, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] }))
      await kafka.waitFor(topic, (all) => all.length === partitions && all.every(({ leader }) => leader > 0))
    },
    async deleteTopics(topics) {
      for (const topic of topics) kafka.deleteTopic(topic)
    },
    leaderOf: async (topic, partition) => kafka.partitions(topic)[partition]!.leader,
    coordinatorOf: async (group) => kafka.coordinatorOf(group),
    ledByOthers: (topic, broker) => kafka.waitFor(topic, (all) => all.every(({ leader }) => leader > 0 && leader !== broker)),
    inSync: (topic) => kafka.waitFor(topic, (all) => all.every(({ replicas, inSync }) => inSync.length === replicas.length)),
    kill: (broker) => faults.kill(broker),
    async restart(stopped) {
      await Promise.all(stopped.map((broker) => faults.restart(broker)))
    },
    pause: (broker) => faults.pause(broker),
    resume: (broker) => faults.resume(broker),
    inject: (broker, fault) => faults.add({ ...fault, broker }),
    resetConnections: (broker) => faults.resetConnections(broker),
    async heal() {
      faults.clear()
      for (const broker of brokers) {
        if (faults.state(broker) === 'paused') faults.resume(broker)
        if (faults.state(broker) === 'stopped') await faults.restart(broker)
      }
    },
    close: kafka.close,
    [Symbol.asyncDispose]: kafka.close,
  }
}
