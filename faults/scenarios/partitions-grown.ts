import type { ProducerEvent } from '@pipe/kafka-kit'
import { createHandledLog, isAllCommitted, textTopic } from '../group-work'
import type { Scenario } from '../scenario'
import { createSendLog } from '../send-log'
import { readTopic } from '../topic-log'

const partitions = 3

/**
 * Partitions are added while keyed messages go and a group reads. Connections are reset afterwards, so that both clients look for leaders
 * again and find the new partitions now, not after minutes.
 */
export const partitionsGrown: Scenario = {
  name: 'partitions-grown',
  disturbs: 'proxies',
  async run({ target, random, ...scene }) {
    const topic = await scene.topic('orders', partitions)
    const group = `${topic}-group`
    const kafka = scene.connect({ disturbed: true })
    const changes: ProducerEvent[] = []
    const producer = kafka.producer({ linger: '2 ms', onEvent: (event) => changes.push(event) })
    const sent = createSendLog(producer, topic)
    const handled = createHandledLog()
    let assigned = 0
    const consumer = kafka.consumer({
      group,
      topics: [textTopic(topic, partitions)],
      concurrency: 4,
      timing: { session: '6 seconds', commitEvery: '100 ms' },
      handle: handled.handled,
      onEvent: (event) => {
        if (event.kind === 'joined') assigned = event.assigned[topic]?.length ?? 0
      },
    })
    const load = scene.load(random.between(1, 3), (i) => sent.send({ key: `k${i % 200}`, value: `${i}` }))
    await scene.until('records are handled', () => handled.distinct > 50)
    await scene.wait(random.between(100, 500))
    const grownTo = random.between(partitions + 1, partitions * 3)
    await target.growTopic(topic, grownTo)
    const isKnown = () =>
      assigned === grownTo && changes.some((event) => event.kind === 'partitions-changed' && event.to === grownTo)
    await scene.until('the producer and the group know of it', async () => {
      if (isKnown()) return true
      for (const broker of target.brokers) target.resetConnections(broker)
      await scene.wait(random.between(300, 600))
      return isKnown()
    })
    await scene.wait(random.between(300, 800))
    await load.stop()
    await sent.settled()
    await scene.until('all is handled', () => handled.distinct >= sent.acknowledged)
    await scene.until('all is committed', () => isAllCommitted(target.bootstrap, group, topic))
    await consumer.stop()
    await consumer.done
    const stored = await readTopic(target.bootstrap, topic)
    if (!stored.some(({ partition }) => partition >= partitions)) throw new Error('No record went to a new partition.')
    const note = `${partitions} to ${grownTo} partitions`
    return [
      { guarantee: 'quorum', counts: sent.counts(stored), note },
      { guarantee: 'group', counts: handled.counts(sent), note },
    ]
  },
}
