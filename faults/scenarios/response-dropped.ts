import type { Scenario } from '../scenario'
import { createSendLog } from '../send-log'
import type { TargetFault } from '../target'
import { readTopic } from '../topic-log'

const partitions = 3

/**
 * Brokers append batches, and their answers are lost: swallowed, reset or cut off. The idempotent producer sends again, and the broker
 * drops what it has; at `leader` there is no such memory, and what was sent again stands twice.
 */
export const responseDropped: Scenario = {
  name: 'response-dropped',
  disturbs: 'proxies',
  async run({ target, random, ...scene }) {
    const topics = { quorum: await scene.topic('quorum', partitions), leader: await scene.topic('leader', partitions) }
    const kafka = scene.connect({ disturbed: true, requestTimeout: '500 ms' })
    const quorum = createSendLog(kafka.producer({ linger: '2 ms' }), topics.quorum)
    const leader = createSendLog(kafka.producer({ durability: 'leader', linger: '2 ms' }), topics.leader)
    const load = scene.load(random.between(1, 4), (i) => {
      const message = { key: `k${i % 50}`, value: `${i}` }
      quorum.send(message)
      leader.send(message)
    })
    await scene.until('records are acknowledged', () => Math.min(quorum.acknowledged, leader.acknowledged) > 50)
    const losses: readonly TargetFault[] = [
      { fault: 'drop-response', api: 'Produce' },
      { fault: 'reset', on: 'response', api: 'Produce' },
      { fault: 'cut', afterBytes: random.between(1, 20), api: 'Produce' },
    ]
    const rounds = random.between(4, 8)
    for (let round = 0; round < rounds; round++) {
      await scene.wait(random.between(50, 300))
      const partition = random.between(0, partitions - 1)
      const fault: TargetFault = { ...random.pick(losses), times: random.between(1, 2) }
      const rules: ReturnType<typeof target.inject>[] = []
      let asked = 0
      await scene.until('an answer is lost', async () => {
        // Again each second: the leader may have moved, and a request that took the rule may have died with its connection, by the rule before.
        if (asked++ % 40 === 0) rules.push(target.inject(await target.leaderOf(topics.quorum, partition), fault))
        return rules.some((rule) => rule.hits() > 0)
      })
    }
    await load.stop()
    for (const broker of target.brokers) target.resetConnections(broker)
    await target.heal()
    await quorum.settled()
    await leader.settled()
    const note = `${rounds} times an answer lost`
    return [
      { guarantee: 'quorum', counts: quorum.counts(await readTopic(target.bootstrap, topics.quorum)), note },
      { guarantee: 'leader', counts: leader.counts(await readTopic(target.bootstrap, topics.leader)), note },
    ]
  },
}
