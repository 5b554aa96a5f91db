import type { RuntimeClock } from '../clock'
import { AwsError, localAccount, localRegion } from '../service'
import { createQueue, type Queue } from './queue'
import { readSettings } from './queue-settings'

/** The queues of a runtime. They live as long as the process. */
export interface Queues {
  /** Makes a queue, or gives the one of that name when its attributes agree. @throws AwsError as SQS does. */
  create(name: string, attributes: Readonly<Record<string, unknown>>): Queue
  get(name: string): Queue | undefined
  find(arn: string): Queue | undefined
  /** By name. */
  list(): readonly Queue[]
  remove(name: string): void
  close(): void
}

/** `arn:aws:sqs:us-east-1:000000000000:NAME` */
export function queueArn(name: string): string {
  return `arn:aws:sqs:${localRegion}:${localAccount}:${name}`
}

/** No queues yet. */
export function createQueues(clock: RuntimeClock): Queues {
  const queues = new Map<string, Queue>()
  const find = (arn: string) => [...queues.values()].find((queue) => queue.arn === arn)
  return {
    create(name, attributes) {
      if (!/^[A-Za-z0-9_-]{1,80}(\.fifo)?$/.test(name) || name.length > 80) {
        throw new AwsError(
          'InvalidParameterValue',
          'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
        )
      }
      const settings = readSettings(name, attributes)
      const known = queues.get(name)
      if (known) {
        const other = Object.entries(settings.texts).find(([key, text]) => known.settings.texts[key] !== text)
        if (!other) return known
        throw new AwsError(
          'QueueNameExists',
          `A queue already exists with the same name and a different value for attribute ${other[0]}`,
        )
      }
      const queue = createQueue(name, settings, { clock, arn: queueArn(name), find })
      queues.set(name, queue)
      return queue
    },
    get: (name) => queues.get(name),
    find,
    list: () => [...queues.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    remove(name) {
      queues.get(name)?.close()
      queues.delete(name)
    },
    close() {
      for (const queue of queues.values()) queue.close()
      queues.clear()
    },
  }
}
