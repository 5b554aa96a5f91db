import type { Scenario } from '../scenario'
import { createSendLog } from '../send-log'
import { readTopic } from '../topic-log'

const partitions = 3

/**
 * A leader dies while messages go, at a moment when its followers are some hundred milliseconds behind. The same accident for both
 * durabilities: what the leader alone had acknowledged is gone with it, what a quorum had is not.
 */
export const leaderKilled: Scenario = {
  name: 'leader-killed',
  disturbs: 'brokers',
  async run({ target, random, ...scene }) {
    const topics = { quorum: await scene.topic('quorum', partitions), leader: await scene.topic('leader', partitions) }
    const victim = await target.leaderOf(topics.quorum, random.between(0, partitions - 1))
    const followers = target.brokers.filter((broker) => broker !== victim)
    const kafka = scene.connect()
    const quorum = createSendLog(kafka.producer({ linger: '2 ms' }), topics.quorum)
    const leader = createSendLog(kafka.producer({ durability: 'leader', linger: '2 ms' }), topics.leader)
    const padding = 'x'.repeat(random.between(0, 400))
    const load = scene.load(random.between(2, 6), (i) => {
      const message = { value: `${i} ${padding}`, partition: i % partitions }
      quorum.send(message)
      leader.send(message)
    })
    await scene.until('records are acknowledged', () => Math.min(quorum.acknowledged, leader.acknowledged) > 300)
    await scene.wait(random.between(0, 500))
    const behindMs = random.between(150, 600)
    for (const broker of followers) target.pause(broker)
    await scene.wait(behindMs)
    await target.kill(victim)
    for (const broker of followers) target.resume(broker)
    await target.ledByOthers(topics.quorum, victim)
    await target.ledByOthers(topics.leader, victim)
    await scene.wait(random.between(0, 1000))
    await target.restart([victim])
    await scene.wait(random.between(0, 500))
    await load.stop()
    await quorum.settled()
    await leader.settled()
    const note = `broker ${victim} killed, its followers ${behindMs} ms behind`
    return [
      { guarantee: 'quorum', counts: quorum.counts(await readTopic(target.bootstrap, topics.quorum)), note },
      { guarantee: 'leader', counts: leader.counts(await readTopic(target.bootstrap, topics.leader)), note },
    ]
  },
}
