import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, type Duration, durationMs, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { defaultKafkaVersion, kafkaArtifacts } from './artifacts'
import type { BrokerProcess } from './broker-process'
import { brokerOf, type KafkaBroker } from './cluster-broker'
import { portsOf, prepareBrokers } from './cluster-files'
import { type ClusterProbe, createClusterProbe, type PartitionState, until } from './cluster-probe'
import { type FaultProxy, startFaultProxy } from './fault-proxy'
import { guardProcesses } from './process-guard'
import { type SecuredAccess, secureListener } from './secured-listener'
import { kafkaUser } from './warm-start'

/** Options of {@link startKafkaCluster}. */
export interface KafkaClusterOptions {
  /** How many; each is broker and controller. Default 3. */
  readonly brokers?: number
  /** Version of Apache Kafka. Default {@link defaultKafkaVersion}. */
  readonly version?: string
  /** Folder in which the cluster makes its own. Default the system's temporary folder. */
  readonly dir?: string
  /** Broker settings that win over those of the test cluster, such as `{ 'message.max.bytes': '2000000' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** `min.insync.replicas` of topics that do not set their own. Default 2, or the number of brokers when that is less. */
  readonly minInSyncReplicas?: number
  /** One more listener with TLS and SASL (PLAIN, SCRAM, OAUTHBEARER), see {@link SecuredAccess}. Default false. */
  readonly secured?: boolean
  /** How long the start may take. Default `'2 minutes'`. */
  readonly startTimeout?: Duration
  readonly signal?: AbortSignal
}

/** A running cluster. */
export interface KafkaCluster {
  readonly version: string
  readonly brokers: readonly KafkaBroker[]
  /** Addresses for clients that reach the brokers directly. */
  readonly bootstrap: readonly string[]
  /** Addresses for clients whose every connection, also to brokers found by metadata, goes through the fault proxies. */
  readonly proxiedBootstrap: readonly string[]
  /** Access to the listener with TLS and SASL; `undefined` without `secured: true`. */
  readonly secured: SecuredAccess | undefined
  /** Where its files and logs (`broker-1.log`) are, until it is closed. */
  readonly dir: string
  /** Milliseconds from the call to readiness. */
  readonly startedMs: number
  /** @throws ConfigError `PIPE_CONFIG` for an unknown id. */
  broker(id: number): KafkaBroker
  /** Creates a topic and waits until every running broker knows it, with a leader and all replicas in sync for each partition. Default replication: all brokers, at most 3. */
  createTopic(topic: string, options?: TopicOptions): Promise<void>
  /** Leaders, replicas and in-sync replicas of a topic, by partition number, from a broker that runs. */
  partitions(topic: string): Promise<readonly PartitionState[]>
  /** The broker that leads a partition. @throws PipeError `PIPE_TESTKIT_KAFKA` when there is none. */
  leaderOf(topic: string, partition: number): Promise<KafkaBroker>
  /** Waits until the partitions of a topic are as asked. Default timeout 30 seconds. */
  waitFor(topic: string, holds: (partitions: readonly PartitionState[]) => boolean, timeout?: Duration): Promise<void>
  /** Ends all processes and proxies and removes the folder. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Options of {@link KafkaCluster.createTopic}. */
export interface TopicOptions {
  /** Default 1. */
  readonly partitions?: number
  readonly replicationFactor?: number
  /** Topic settings, such as `{ 'retention.ms': '60000' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/**
 * Starts a real Kafka cluster of separate JVM processes on 127.0.0.1 (KRaft, no ZooKeeper), each behind its own fault proxy, and waits
 * until it can do what it is for: a topic on all brokers, all in sync, written with acks all, and group coordinators. Everything ends with this process, however
 * that ends.
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_KAFKA_UNAVAILABLE` as `kafkaAvailability` tells it, `PIPE_TESTKIT_KAFKA` when it does not
 * become ready, with the ends of the logs.
 */
export async function startKafkaCluster(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
  checkOptions('startKafkaCluster', options, {
    optional: ['brokers', 'version', 'dir', 'settings', 'minInSyncReplicas', 'secured', 'startTimeout', 'signal'],
  })
  const count = options.brokers ?? 3
  if (!Number.isInteger(count) || count < 1 || count > 9)
    throw new ConfigError(`A test cluster has 1 to 9 brokers, not ${count}.`)
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options, count)
    } catch (error) {
      // Ports are free when they are chosen; another process may take one before the broker does.
      if (attempt === 3 || !/Address already in use|EADDRINUSE/.test(String(error))) throw error
    }
  }
}

async function startOnce(options: KafkaClusterOptions, count: number): Promise<KafkaCluster> {
  const startedAt = Date.now()
  const artifacts = await kafkaArtifacts(options.version ?? defaultKafkaVersion)
  options.signal?.throwIfAborted()
  if (options.dir !== undefined) await mkdir(options.dir, { recursive: true })
  const dir = await mkdtemp(join(options.dir ?? tmpdir(), 'pipe-kafka-'))
  const guard = guardProcesses(dir)
  const proxies: FaultProxy[] = []
  const processes: BrokerProcess[] = []
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= (async () => {
      await Promise.all([...processes.map((broker) => broker.kill()), ...proxies.map((proxy) => proxy.close())])
      await rm(dir, { recursive: true, force: true })
      await guard.release()
    })()
    return closed
  }
  try {
    const secured = options.secured ? await secureListener(artifacts.java, dir) : undefined
    const ports = await portsOf(count)
    for (const { proxy, advertisedProxy } of ports) proxies.push(await startFaultProxy({ target: proxy, port: advertisedProxy }))
    const minInSyncReplicas = options.minInSyncReplicas ?? Math.min(2, count)
    const overrides = options.settings ?? {}
    processes.push(
      ...(await prepareBrokers({ minInSyncReplicas, overrides, artifacts, dir, ports, guard, secured: secured?.settings })),
    )
    for (const broker of processes) broker.start()
    const addresses = ports.map(({ broker }) => `127.0.0.1:${broker}`)
    // A stopped broker accepts connections and never answers: only those that run are asked.
    const probe = createClusterProbe(() => addresses.filter((_, index) => processes[index]?.state() === 'running'))
    await ready(probe, processes, durationMs(options.startTimeout ?? '2 minutes'), options.signal)
    const brokers = processes.map((broker, index) =>
      brokerOf({ broker, id: index + 1, address: addresses[index]!, proxy: proxies[index]!, probe }),
    )
    const access = { ca: secured?.ca ?? '', ...kafkaUser, bootstrap: ports.map((port) => `127.0.0.1:${port.secured}`) }
    return {
      version: artifacts.version,
      brokers,
      bootstrap: addresses,
      proxiedBootstrap: brokers.map(({ proxiedAddress }) => proxiedAddress),
      secured: secured ? access : undefined,
      dir,
      startedMs: Date.now() - startedAt,
      ...questionsOf(probe, brokers),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const readyTopic = 'pipe-testkit-ready'

async function ready(
  probe: ClusterProbe,
  processes: readonly BrokerProcess[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs
  const check = () => {
    const ended = processes.findIndex((broker) => broker.state() === 'ended')
    if (ended >= 0) throw new PipeError('PIPE_TESTKIT_KAFKA', `broker ${ended + 1} ended during the start.`)
  }
  const step = (what: string, holds: () => Promise<boolean | string>) =>
    until(what, giveUpAt - Date.now(), holds, { check, signal })
  try {
    await step('all brokers to join', async () => (await probe.brokerIds()).length === processes.length)
    const replicas = Math.min(3, processes.length)
    // A try whose answer was lost may have done it: asked again, it is there already, or gone.
    await step('a topic', () => probe.createTopic(readyTopic, 1, replicas).then(done, doneBefore('PIPE_TESTKIT_TOPIC')))
    await step('all replicas in sync', async () =>
      (await probe.partitions(readyTopic)).every(({ inSync }) => inSync.length === replicas),
    )
    await step('a write with acks all', () => probe.produce(readyTopic).then(done))
    await step('the group coordinators', () => probe.askCoordinator(readyTopic).then(done))
    const deleted = () => probe.deleteTopic(readyTopic).then(done, doneBefore('UNKNOWN_TOPIC_OR_PARTITION'))
    await step('the topic to be deleted', deleted)
  } catch (error) {
    signal?.throwIfAborted()
    const logs = await Promise.all(processes.map(async (broker, index) => `--- broker ${index + 1}\n${await broker.logTail(15)}`))
    throw new PipeError('PIPE_TESTKIT_KAFKA', `The cluster did not become ready: ${String(error)}\n${logs.join('\n')}`, {
      cause: error,
    })
  }
}

const done = () => true

/** Takes an error that says that a thing has been done before for success. `code` is ours or the type that kafkajs names. */
function doneBefore(code: string): (error: unknown) => boolean {
  return (error) => {
    const known = error as { code?: unknown; type?: unknown }
    if (known.code === code || known.type === code) return true
    throw error
  }
}

function questionsOf(
  probe: ClusterProbe,
  brokers: readonly KafkaBroker[],
): Pick<KafkaCluster, 'broker' | 'createTopic' | 'partitions' | 'leaderOf' | 'waitFor'> {
  const broker = (id: number) => {
    const found = brokers.find((one) => one.id === id)
    if (found === undefined) throw new ConfigError(`No broker ${id}: the cluster has 1 to ${brokers.length}.`)
    return found
  }
  const waitFor: KafkaCluster['waitFor'] = (topic, holds, timeout = '30 seconds') =>
    until(`the partitions of ${topic}`, durationMs(timeout), async () => {
      const partitions = await probe.partitions(topic)
      return holds(partitions) || JSON.stringify(partitions)
    })
  return {
    broker,
    waitFor,
    partitions: probe.partitions,
    async createTopic(topic, { partitions = 1, replicationFactor = Math.min(3, brokers.length), settings = {} } = {}) {
      await probe.createTopic(topic, partitions, replicationFactor, settings)
      const complete = (states: readonly PartitionState[]) =>
        states.length === partitions && states.every(({ leader, inSync }) => leader > 0 && inSync.length === replicationFactor)
      // Brokers hear of a topic one after the other: its leader may be the last, and refuses it until then.
      await until(`${topic} to be known to every broker`, 30_000, async () => {
        const known = await probe.partitionsByBroker(topic)
        return known.every(complete) || JSON.stringify(known)
      })
    },
    async leaderOf(topic, partition) {
      const state = (await probe.partitions(topic)).find((one) => one.partition === partition)
      if (state === undefined || state.leader < 1)
        throw new PipeError('PIPE_TESTKIT_KAFKA', `${topic}[${partition}] has no leader.`)
      return broker(state.leader)
    },
  }
}
