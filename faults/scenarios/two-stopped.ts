import type { Scenario } from '../scenario'
import { createSendLog } from '../send-log'
import { readTopic } from '../topic-log'

const partitions = 3

/**
 * Two of three brokers are away: no write can reach a quorum, and no leader can be elected. Each send must end with what is true of it.
 * After the restart all that was acknowledged is there, and the same producer goes on.
 */
export const twoStopped: Scenario = {
  name: 'two-stopped',
  disturbs: 'brokers',
  async run({ target, random, ...scene }) {
    const topic = await scene.topic('orders', partitions)
    const producer = scene.connect({ requestTimeout: '1 second' }).producer({ linger: '2 ms', deliveryTimeout: '4 seconds' })
    const log = createSendLog(producer, topic)
    const load = scene.load(random.between(1, 4), (i) => log.send({ value: `${i}`, partition: i % partitions }))
    await scene.until('records are acknowledged', () => log.acknowledged > 100)
    await scene.wait(random.between(0, 400))
    const survivor = random.pick(target.brokers)
    const victims = target.brokers.filter((broker) => broker !== survivor)
    const isCrash = random.pick([true, false])
    if (isCrash) await Promise.all(victims.map((broker) => target.kill(broker)))
    else for (const broker of victims) target.pause(broker)
    await scene.wait(random.between(500, 1500))
    await load.stop()
    await log.settled()
    if (isCrash) await target.restart(victims)
    else for (const broker of victims) target.resume(broker)
    await target.inSync(topic)
    const before = log.acknowledged
    for (let i = 0; i < 30; i++) log.send({ value: `after ${i}`, partition: i % partitions })
    await log.settled()
    if (log.acknowledged !== before + 30)
      throw new Error(`Of 30 sends after the restart ${log.acknowledged - before} were acknowledged.`)
    const note = `brokers ${victims.join(' and ')} ${isCrash ? 'killed' : 'stood still'}`
    return [{ guarantee: 'quorum', counts: log.counts(await readTopic(target.bootstrap, topic)), note }]
  },
}
