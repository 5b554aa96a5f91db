import { type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { describeLogDirs, type MetadataTopic } from '@pipe/kafka-wire'
import { type Kafka, resourcesOf } from './connect'
import { KafkaError, protocolFailure } from './errors'
import type { Cluster } from './internals'
import type { TopicPartition } from './leader-request'
import { readConfigs } from './topic-state'

/** Options of {@link clusterView}. */
export interface ClusterViewOptions {
  /** Only these topics. Default all, those of Kafka itself included. */
  readonly topics?: readonly (string | { readonly name: string })[] | undefined
  /** Whether to ask each broker for the sizes of its logs. Default `true`. */
  readonly sizes?: boolean | undefined
  /** How long a broker may take to tell them. Default `'10 seconds'`. */
  readonly timeout?: Duration | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** A broker that is there. */
export interface BrokerView {
  readonly nodeId: number
  /** `host:port`. */
  readonly address: string
  readonly rack: string | undefined
  readonly isController: boolean
  /** Partitions that it leads. */
  readonly leads: number
  /** Partitions whose preferred leader it is: it should lead so many. */
  readonly shouldLead: number
  /** Partitions of which it keeps a copy. */
  readonly replicas: number
  /** Bytes of these copies; `undefined` when not asked for, or not told: see `sizeProblem`. */
  readonly bytes: number | undefined
  /** Why the sizes are not known. */
  readonly sizeProblem: string | undefined
}

/** A partition. */
export interface PartitionView extends TopicPartition {
  /** `undefined` = offline: nobody can read or write it. */
  readonly leader: number | undefined
  /** The first replica. */
  readonly preferredLeader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  readonly offlineReplicas: readonly number[]
  readonly minInSync: number
  readonly isUnderReplicated: boolean
  /** Fewer in sync than `min.insync.replicas`: writes with `quorum` are refused. */
  readonly isUnderMinInSync: boolean
  /** Exactly as many: one more loss and writes are refused. */
  readonly isAtMinInSync: boolean
  /** Bytes of the leader's copy. */
  readonly bytes: number | undefined
}

/** A cluster at one moment. */
export interface ClusterView {
  readonly clusterId: string | undefined
  readonly controllerId: number | undefined
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly brokers: readonly BrokerView[]
  /** Brokers that partitions name and that are not there. */
  readonly missingBrokers: readonly number[]
  readonly topics: number
  readonly partitions: readonly PartitionView[]
  readonly underReplicated: readonly PartitionView[]
  readonly underMinInSync: readonly PartitionView[]
  readonly atMinInSync: readonly PartitionView[]
  readonly offline: readonly PartitionView[]
  /** Share of the partitions with a leader that another broker than the preferred one leads, 0 to 1. */
  readonly preferredLeaderSkew: number
  /** Bytes of all copies that were told. */
  readonly bytes: number | undefined
  /** Topics that could not be described (deleted meanwhile, or not allowed), and why. */
  readonly problems: readonly string[]
}

/**
 * What a cluster looks like now: leaders, replicas in sync, what is under-replicated, under its `min.insync.replicas` or offline, how far
 * leadership has moved from the preferred brokers, and the sizes of the logs. A broker that does not answer is in the view as such; it does
 * not end it.
 */
export async function clusterView(kafka: Kafka, options: ClusterViewOptions = {}): Promise<ClusterView> {
  checkOptions('clusterView', options, { optional: ['topics', 'sizes', 'timeout', 'signal'] })
  const { signal, sizes = true } = options
  const timeoutMs = durationMs(options.timeout ?? '10 seconds')
  const cluster = resourcesOf(kafka).cluster()
  const names = options.topics?.map((topic) => (typeof topic === 'string' ? topic : topic.name)) ?? null
  const answer = await cluster.metadata(names, { signal })
  // LEADER_NOT_AVAILABLE on a topic: some partition has none, and is in the list all the same.
  const described = answer.topics.filter(({ errorCode }) => errorCode === 0 || errorCode === 5)
  const problems = answer.topics
    .filter((topic) => !described.includes(topic))
    .map(({ name, errorCode }) => protocolFailure(`Topic ${name}`, errorCode).message)
  const configs = await readConfigs(
    cluster,
    described.map(({ name }) => ({ name: name!, configNames: ['min.insync.replicas'] })),
    signal,
  )
  const logs = sizes
    ? await Promise.all(answer.brokers.map(({ nodeId }) => logSizes(cluster, nodeId, timeoutMs, signal)))
    : answer.brokers.map((): LogSizes => ({ sizes: undefined, problem: undefined }))
  const byBroker = new Map(answer.brokers.map(({ nodeId }, at) => [nodeId, logs[at]!]))
  const partitions = described
    .flatMap((topic) => partitionsOf(topic, Number(configs.get(topic.name!)?.['min.insync.replicas'] ?? 1), byBroker))
    .sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
  const brokers = answer.brokers
    .map(({ nodeId, host, port, rack }): BrokerView => {
      const log = byBroker.get(nodeId)!
      return {
        nodeId,
        address: `${host}:${port}`,
        rack: rack ?? undefined,
        isController: nodeId === answer.controllerId,
        leads: partitions.filter(({ leader }) => leader === nodeId).length,
        shouldLead: partitions.filter(({ preferredLeader }) => preferredLeader === nodeId).length,
        replicas: partitions.filter(({ replicas }) => replicas.includes(nodeId)).length,
        bytes: log.sizes && partitions.reduce((sum, one) => sum + (log.sizes?.get(sizeKey(one)) ?? 0), 0),
        sizeProblem: log.problem,
      }
    })
    .sort((a, b) => a.nodeId - b.nodeId)
  const led = partitions.filter(({ leader }) => leader !== undefined)
  const present = new Set(brokers.map(({ nodeId }) => nodeId))
  const told = brokers.map(({ bytes }) => bytes).filter((bytes) => bytes !== undefined)
  return {
    clusterId: answer.clusterId ?? undefined,
    controllerId: answer.controllerId < 0 ? undefined : answer.controllerId,
    atMs: Date.now(),
    brokers,
    missingBrokers: [...new Set(partitions.flatMap(({ replicas }) => replicas))]
      .filter((id) => !present.has(id))
      .sort((a, b) => a - b),
    topics: described.length,
    partitions,
    underReplicated: partitions.filter((one) => one.isUnderReplicated),
    underMinInSync: partitions.filter((one) => one.isUnderMinInSync),
    atMinInSync: partitions.filter((one) => one.isAtMinInSync),
    offline: partitions.filter(({ leader }) => leader === undefined),
    preferredLeaderSkew:
      led.length === 0 ? 0 : led.filter(({ leader, preferredLeader }) => leader !== preferredLeader).length / led.length,
    bytes: told.length === 0 ? undefined : told.reduce((sum, bytes) => sum + bytes, 0),
    problems,
  }
}

function partitionsOf(topic: MetadataTopic, minInSync: number, logs: ReadonlyMap<number, LogSizes>): PartitionView[] {
  return topic.partitions.map(({ partition, leader, replicas, isr, offlineReplicas }): PartitionView => {
    const at = { topic: topic.name!, partition }
    // Without a leader the list of those in sync is the last one known, with brokers that are gone.
    const inSync = isr.filter((id) => !offlineReplicas.includes(id))
    const needed = Math.min(minInSync, replicas.length)
    return {
      ...at,
      leader: leader < 0 ? undefined : leader,
      preferredLeader: replicas[0]!,
      replicas,
      inSync,
      offlineReplicas,
      minInSync,
      isUnderReplicated: inSync.length < replicas.length,
      isUnderMinInSync: inSync.length < minInSync,
      // A single copy that needs a single copy is always at its minimum: that is not news.
      isAtMinInSync: inSync.length === needed && inSync.length === minInSync && replicas.length > minInSync,
      bytes: logs.get(leader)?.sizes?.get(sizeKey(at)),
    }
  })
}

interface LogSizes {
  /** By {@link sizeKey}. */
  readonly sizes: ReadonlyMap<string, number> | undefined
  readonly problem: string | undefined
}

function sizeKey({ topic, partition }: TopicPartition): string {
  return `${topic}[${partition}]`
}

async function logSizes(cluster: Cluster, nodeId: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<LogSizes> {
  try {
    const broker = await within(cluster.broker(nodeId), timeoutMs, nodeId)
    const answer = await within(cluster.call(broker, describeLogDirs, { topics: null }, { signal }), timeoutMs, nodeId)
    if (answer.errorCode !== 0) throw protocolFailure(`Broker ${nodeId}`, answer.errorCode)
    const sizes = new Map<string, number>()
    const failed = answer.logDirs.find(({ errorCode }) => errorCode !== 0)
    for (const { topics } of answer.logDirs) {
      for (const { name, partitions } of topics) {
        for (const { partition, sizeBytes, isFuture } of partitions) {
          const key = sizeKey({ topic: name, partition })
          if (!isFuture) sizes.set(key, (sizes.get(key) ?? 0) + Number(sizeBytes))
        }
      }
    }
    return { sizes, problem: failed && protocolFailure(`${failed.path} of broker ${nodeId}`, failed.errorCode).message }
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof KafkaError)) throw error
    return { sizes: undefined, problem: error.message }
  }
}

/** A broker that hangs must not hold the view up. */
async function within<T>(work: Promise<T>, timeoutMs: number, nodeId: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new KafkaError('PIPE_KAFKA_CONNECTION', `Broker ${nodeId} did not answer within ${timeoutMs} ms.`, { retryable: true }),
        ),
      timeoutMs,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    // Lost the race: its failure later is nobody's concern.
    work.catch(() => undefined)
  }
}
