import type { Broker } from '../broker-node'
import type { TopicState } from '../cluster-image'
import type { Controller } from '../controller'

/** Longest wait: a disk may be slow, a log large. */
const waitMs = 5000

/** After a start from a folder: leaders are where they should be, and followers have caught up, so that clients find everything committed. */
export async function takeUp(controller: Controller, brokers: readonly Broker[], restored: readonly TopicState[]): Promise<void> {
  const partitions = restored.flatMap(({ name, partitions: states }) => states.map((_, partition) => ({ name, partition })))
  const giveUpAt = performance.now() + waitMs
  const isBehind = ({ name, partition }: (typeof partitions)[number]) => {
    const { leader, inSync, replicas } = controller.topics.get(name)!.partitions[partition]!
    const replica = brokers.find(({ id }) => id === leader)?.replica(name, partition)
    return replica !== undefined && (replica.highWatermark < replica.log.endOffset || inSync.length < replicas.length)
  }
  const caughtUp = async () => {
    while (partitions.some(isBehind) && performance.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await caughtUp()
  for (const { name, partition } of partitions) controller.elect(name, partition, 'preferred')
  await caughtUp()
}
