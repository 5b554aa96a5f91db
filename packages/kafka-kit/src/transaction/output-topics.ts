import { protocolFailure } from '../errors'
import type { Cluster } from '../internals'

/** Partitions and leaders of the topics that a transform writes to. */
export interface OutputTopics {
  /** Number of partitions, as of the last look. */
  partitions(topic: string): number
  /** −1 while there is none. */
  leader(topic: string, partition: number): number
  /** Looks at the cluster; calls at the same time share one look. */
  refresh(signal?: AbortSignal): Promise<void>
  /** The same, when the last look is more than a minute old. */
  refreshIfOld(signal?: AbortSignal): Promise<void>
}

const maxAgeMs = 60_000

/** Knows nothing before the first `refresh`. */
export function createOutputTopics(cluster: Cluster, names: readonly string[]): OutputTopics {
  let leaders = new Map<string, readonly number[]>()
  let refreshedAtMs = 0
  let refreshing: Promise<void> | undefined

  async function look(signal: AbortSignal | undefined): Promise<void> {
    const { topics } = await cluster.metadata(names, { signal })
    const next = new Map(leaders)
    for (const { name, errorCode, partitions } of topics) {
      // LEADER_NOT_AVAILABLE: the partitions are known.
      if (errorCode !== 0 && errorCode !== 5) throw protocolFailure(`Topic ${name}`, errorCode, { topic: name ?? undefined })
      const ofTopic = new Array<number>(partitions.length).fill(-1)
      for (const { partition, leader } of partitions) ofTopic[partition] = leader
      next.set(name ?? '', ofTopic)
    }
    leaders = next
    refreshedAtMs = Date.now()
  }

  function refresh(signal?: AbortSignal): Promise<void> {
    refreshing ??= look(signal).finally(() => {
      refreshing = undefined
    })
    return refreshing
  }

  return {
    partitions: (topic) => leaders.get(topic)?.length ?? 0,
    leader: (topic, partition) => leaders.get(topic)?.[partition] ?? -1,
    refresh,
    refreshIfOld: async (signal) => {
      if (Date.now() - refreshedAtMs > maxAgeMs) await refresh(signal)
    },
  }
}
