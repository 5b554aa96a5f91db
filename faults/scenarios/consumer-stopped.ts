import { createHandledLog, isAllCommitted, textTopic } from '../group-work'
import type { Scenario } from '../scenario'
import { createSendLog } from '../send-log'

const partitions = 3
const sessionMs = 3000

/**
 * A consumer stands still for longer than its session, another one takes its partitions, and then the first wakes up: with handlers half
 * done and commits to send. What it knows is old, and must not undo what its heir did.
 */
export const consumerStopped: Scenario = {
  name: 'consumer-stopped',
  disturbs: 'nothing',
  async run({ target, random, ...scene }) {
    const topic = await scene.topic('orders', partitions)
    const group = `${topic}-group`
    const kafka = scene.connect()
    const sent = createSendLog(kafka.producer({ linger: '2 ms' }), topic)
    const handled = createHandledLog()
    const zombie = await scene.worker('consumer', { brokers: target.bootstrap, topic, group, sessionMs })
    const load = scene.load(random.between(1, 2), (i) => sent.send({ key: `k${i % 40}`, value: `${i}` }))
    await scene.until('the first consumer works', () => zombie.messages.length > 0)
    await scene.wait(random.between(100, 600))
    zombie.pause()
    const stoppedAt = Date.now()
    let assigned = 0
    const heir = kafka.consumer({
      group,
      topics: [textTopic(topic, partitions)],
      concurrency: 4,
      timing: { session: `${sessionMs} ms`, commitEvery: '100 ms' },
      handle: handled.handled,
      onEvent: (event) => {
        if (event.kind === 'joined') assigned = event.assigned[topic]?.length ?? 0
      },
    })
    await scene.until('the heir has all partitions', () => assigned === partitions)
    await scene.wait(random.between(0, 1500))
    const stoppedMs = Date.now() - stoppedAt
    zombie.resume()
    await scene.wait(random.between(500, 1500))
    await load.stop()
    await sent.settled()
    let heard = 0
    const hear = () => {
      for (const { partition, offset, value } of zombie.messages.slice(heard)) {
        heard++
        handled.handled({ partition: partition as number, offset: BigInt(offset as string), value: value as string })
      }
    }
    await scene.until('all is handled', () => {
      hear()
      return handled.distinct >= sent.acknowledged
    })
    await scene.until('all is committed', () => isAllCommitted(target.bootstrap, group, topic))
    zombie.tell('stop')
    await zombie.ended
    await heir.stop()
    await heir.done
    hear()
    const note = `stood still for ${stoppedMs} ms, session ${sessionMs} ms`
    return [{ guarantee: 'group', counts: handled.counts(sent), note }]
  },
}
