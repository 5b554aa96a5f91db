import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError } from '@pipe/core'
import type { PartitionState, TopicState } from '../cluster-image'
import type { PartitionLog } from '../log/partition-log'
import { endOnDisk, keepOnDisk, type SharedBatches } from './log-folder'

/** Where a cluster is kept: what the controllers decided in one file, and a folder a replica. It outlives the process, not a power cut: nothing is fsynced. */
export interface ClusterFolder {
  /** What was found. */
  readonly topics: readonly TopicState[]
  /** Producer ids below were given out, or may have been. */
  readonly producerIds: bigint
  save(topics: Iterable<TopicState>): void
  saveProducerIds(below: bigint): void
  /** The log of a replica, filled from its folder. Another topic of the same name begins anew. */
  openLog(broker: number, topic: TopicState, partition: number, empty: PartitionLog): PartitionLog
  dropLog(broker: number, topic: string, partition: number): void
  /** All replicas are open. */
  opened(): void
}

interface ClusterFile {
  readonly brokers: number
  readonly producerIds: string
  readonly topics: readonly (Omit<TopicState, 'overrides'> & { readonly overrides: readonly (readonly [string, string])[] })[]
}

/** Opens the folder of a cluster. @throws ConfigError `PIPE_CONFIG` when another number of brokers was kept there. */
export function openClusterFolder(given: string, brokers: number): ClusterFolder {
  const dir = resolve(given)
  const file = join(dir, 'cluster.json')
  mkdirSync(dir, { recursive: true })
  const found = readCluster(file)
  if (found && found.brokers !== brokers) {
    throw new ConfigError(`startKafka: ${dir} holds a cluster of ${found.brokers} brokers, not ${brokers}.`, {
      hint: `Start it with brokers: ${found.brokers}, or give another dir.`,
    })
  }
  const shared: SharedBatches = new Map()
  const folderOf = (broker: number, topic: string, partition: number) => join(dir, `broker-${broker}`, `${topic}-${partition}`)

  /** Nobody leads, and in sync are those whose logs go furthest: one that lost its tail must not lead. */
  function takenUp({ name, id }: Pick<TopicState, 'name' | 'id'>, state: PartitionState, partition: number): PartitionState {
    const ends = state.inSync.map((broker) => {
      const folder = folderOf(broker, name, partition)
      return readTopicId(folder) === id ? endOnDisk(folder) : -1
    })
    const furthest = Math.max(...ends)
    return { ...state, leader: -1, inSync: state.inSync.filter((_, at) => ends[at] === furthest) }
  }

  const restored = (found?.topics ?? []).map((topic): TopicState => {
    const partitions = topic.partitions.map((state, partition) => takenUp(topic, state, partition))
    return { ...topic, partitions, overrides: new Map(topic.overrides) }
  })
  let topics: Iterable<TopicState> = restored
  let producerIds = BigInt(found?.producerIds ?? 0)

  function write(): void {
    const content: ClusterFile = {
      brokers,
      producerIds: String(producerIds),
      topics: [...topics].map((topic) => ({ ...topic, overrides: [...topic.overrides] })),
    }
    writeFileSync(`${file}.partial`, JSON.stringify(content))
    renameSync(`${file}.partial`, file)
  }

  if (!found) write()

  return {
    topics: restored,
    producerIds,
    save(changed) {
      topics = changed
      write()
    },
    saveProducerIds(below) {
      producerIds = below
      write()
    },
    openLog(broker, topic, partition, empty) {
      const folder = folderOf(broker, topic.name, partition)
      // It may be that of a topic that was deleted while the broker was away.
      if (readTopicId(folder) !== topic.id) rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'topic-id'), topic.id)
      return keepOnDisk(empty, folder, shared)
    },
    dropLog: (broker, topic, partition) => rmSync(folderOf(broker, topic, partition), { recursive: true, force: true }),
    opened: () => shared.clear(),
  }
}

function readCluster(file: string): ClusterFile | undefined {
  const text = readIfThere(file)
  return text === undefined ? undefined : (JSON.parse(text) as ClusterFile)
}

function readTopicId(folder: string): string | undefined {
  return readIfThere(join(folder, 'topic-id'))
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
