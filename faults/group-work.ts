import { column } from '@pipe/core'
import { defineTopic } from '@pipe/kafka-kit'
import { administer } from './administer'
import type { FoundValue, SendLog } from './send-log'
import type { Counts } from './verdict'

/** A topic of texts, as the groups of the scenarios read it. */
export const textTopic = (name: string, partitions: number) =>
  defineTopic(name, { key: column.string(), value: column.string(), partitions, replicationFactor: 3 })

/** What the members of a group have handled. */
export interface HandledLog {
  handled(record: FoundValue): void
  /** Different records. */
  readonly distinct: number
  /** Compares with what was sent. */
  counts(sent: SendLog): Counts
}

/** Counts how often each record was handled, by whichever member. */
export function createHandledLog(): HandledLog {
  const places = new Map<string, FoundValue>()
  let calls = 0
  return {
    handled(record) {
      calls++
      places.set(`${record.partition}/${record.offset}`, record)
    },
    get distinct() {
      return places.size
    },
    counts: (sent) => ({ ...sent.counts([...places.values()]), again: calls - places.size }),
  }
}

/** Whether a group has committed all of a topic. */
export async function isAllCommitted(bootstrap: readonly string[], group: string, topic: string): Promise<boolean> {
  return administer(bootstrap, async (admin) => {
    const [[committed], ends] = await Promise.all([
      admin.fetchOffsets({ groupId: group, topics: [topic] }),
      admin.fetchTopicOffsets(topic),
    ])
    const at = new Map(committed!.partitions.map(({ partition, offset }) => [partition, offset]))
    return ends.every(({ partition, high }) => high === '0' || at.get(partition) === high)
  })
}
