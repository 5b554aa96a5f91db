import { createHandledLog, isAllCommitted, textTopic } from '../group-work'
import type { Scenario } from '../scenario'
import { createSendLog } from '../send-log'
import { readTopic } from '../topic-log'

const partitions = 3

/**
 * The coordinator of a group dies with a commit in its hands: not yet seen, or done and not answered. The group goes on with another one;
 * nothing is passed over, and in the end all is committed. Beside it a transform commits its offsets in transactions with the same broker:
 * what it wrote is there once.
 */
export const coordinatorKilled: Scenario = {
  name: 'coordinator-killed',
  disturbs: 'brokers',
  async run({ target, random, ...scene }) {
    const topic = await scene.topic('orders', partitions)
    const copies = await scene.topic('copies', partitions)
    const group = `${topic}-group`
    const copiers = `${topic}-copiers`
    const kafka = scene.connect({ disturbed: true })
    const sent = createSendLog(kafka.producer({ linger: '2 ms' }), topic)
    const handled = createHandledLog()
    const consumer = kafka.consumer({
      group,
      topics: [textTopic(topic, partitions)],
      concurrency: random.between(1, 8),
      timing: { session: '6 seconds', commitEvery: '100 ms' },
      handle: handled.handled,
    })
    const transform = kafka.transform({
      group: copiers,
      from: textTopic(topic, partitions),
      to: textTopic(copies, partitions),
      timing: { session: '6 seconds' },
      handle: ({ key, value, partition }) => ({ key, value, partition }),
    })
    const load = scene.load(random.between(1, 3), (i) => sent.send({ key: `k${i % 40}`, value: `${i}` }))
    await scene.until('records are handled', () => handled.distinct > 100)
    const victim = await target.coordinatorOf(group)
    const on = random.pick(['request', 'response'] as const)
    const held = target.inject(victim, { fault: 'hold', on, api: 'OffsetCommit', skip: random.between(0, 3) })
    await scene.until('a commit is held', () => held.hits() > 0)
    await target.kill(victim)
    held.release()
    await scene.wait(random.between(0, 2500))
    await target.restart([victim])
    await load.stop()
    await sent.settled()
    await scene.until('all is handled', () => handled.distinct >= sent.acknowledged)
    await scene.until('all is committed', () => isAllCommitted(target.bootstrap, group, topic))
    await scene.until('all is copied', () => isAllCommitted(target.bootstrap, copiers, topic))
    await Promise.all([consumer.stop(), transform.stop()])
    await Promise.all([consumer.done, transform.done])
    const note = `broker ${victim} killed with a commit ${on === 'request' ? 'not yet seen' : 'not yet answered'}`
    const copied = await readTopic(target.bootstrap, copies)
    return [
      { guarantee: 'group', counts: handled.counts(sent), note },
      { guarantee: 'transform', counts: sent.counts(copied, 'copies'), note },
    ]
  },
}
