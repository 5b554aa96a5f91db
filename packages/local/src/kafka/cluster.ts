import { ConfigError, type Duration, durationMs, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type RuntimeClock, realClock } from '../clock'
import { createBroker } from './broker'
import type { Broker } from './broker-node'
import { createCleaner } from './cleaner'
import { offsetsTopic } from './cluster-image'
import { createController } from './controller'
import { coordinatorPartition } from './coordinator-log'
import { openClusterFolder } from './disk/cluster-folder'
import { takeUp } from './disk/take-up'
import { errorCode } from './error-code'
import { createFaultRules } from './faults/fault-rules'
import { createKafkaFaults, type KafkaFaults } from './faults/kafka-faults'
import { createLinks } from './links'
import { servedApis } from './served-apis'
import { brokerValues, settingValues, topicSettings } from './settings'
import { createTimeline, type KafkaEvent } from './timeline'
import { timelineSvg } from './timeline-svg'
import { chosen, type TimelineOptions, timelineText } from './timeline-text'
import { createTopicChecked } from './topic-creation'

/** Options of the brokers, as `startLocal` and {@link startKafka} take them. */
export interface KafkaOptions {
  /** How many brokers: 1 to 3. Default 1. */
  readonly brokers?: number
  /** Ports of the brokers in order. Default: free ones. */
  readonly ports?: readonly number[]
  /** Broker settings by Kafka's names, such as `{ 'auto.create.topics.enable': 'true' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Passwords by user. When given, clients must authenticate with SASL PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Default: nobody is asked. */
  readonly users?: Readonly<Record<string, string>>
  /** From which fault rules with a `chance` draw. Default 1. */
  readonly seed?: number
}

/** Producer ids are taken from the folder in blocks: ids of a block that were not used are never used. */
const producerIdBlock = 1000n

/** Options of {@link startKafka}. */
export interface StartKafkaOptions extends KafkaOptions {
  /** Time of records that the brokers stamp, and of retention. Default: a real clock. It is not closed with the brokers. */
  readonly clock?: RuntimeClock
  /** Folder in which topics, logs, offsets and transactions are kept and found again. Default: memory only. */
  readonly dir?: string
}

/** The copy of a partition on one broker, as it is now. */
export interface KafkaReplica {
  readonly broker: number
  readonly startOffset: number
  /** The offset that its next record gets. */
  readonly endOffset: number
  /** Up to where it knows that all is committed. */
  readonly highWatermark: number
  readonly sizeBytes: number
}

/** A partition, as it is now: what the controllers decided, and what lies on each broker, also on those that are down. */
export interface KafkaPartition {
  readonly partition: number
  /** Broker id; −1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  readonly copies: readonly KafkaReplica[]
}

/** Options of `createTopic`. */
export interface KafkaTopicOptions {
  /** Default: `num.partitions`, 1. */
  readonly partitions?: number
  /** Default: `default.replication.factor`, which is the number of brokers. */
  readonly replicationFactor?: number
  /** Topic settings by Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>
}

/** What happened in a cluster: the last 20 000 events. Options that are not known are refused. */
export interface KafkaTimeline {
  /** Oldest first. */
  events(options?: TimelineOptions): readonly KafkaEvent[]
  /** A table of text: time, controllers, and a column a broker. */
  text(options?: TimelineOptions): string
  /** The same as a picture (SVG); copies are arrows from leader to follower. */
  svg(options?: TimelineOptions): string
  clear(): void
}

function checkedTimeline(options: TimelineOptions): TimelineOptions {
  checkOptions('timeline', options, { optional: ['topic', 'partition', 'kinds'] })
  return options
}

/** A running Kafka cluster in this process. */
export interface LocalKafka {
  /** `127.0.0.1:PORT` of each broker, for `brokers` of every client. Node ids are 1, 2 and 3. */
  readonly brokers: readonly string[]
  /** What can go wrong, on command. */
  readonly faults: KafkaFaults
  readonly timeline: KafkaTimeline
  /** Names of the topics, without those that Kafka keeps for itself. */
  topics(): readonly string[]
  /** @throws PipeError `PIPE_LOCAL_KAFKA_TOPIC` when it exists, or a name, count or setting cannot be. */
  createTopic(name: string, options?: KafkaTopicOptions): void
  /** @throws ConfigError `PIPE_CONFIG` for an unknown topic. */
  deleteTopic(name: string): void
  /**
   * Elects the preferred leader of a partition (its first replica), or, `unclean`, any replica that is alive when there is no leader.
   *
   * @throws PipeError `PIPE_LOCAL_KAFKA_ELECTION` when it is not possible; `details.errorCode` says why.
   */
  elect(topic: string, partition: number, kind: 'preferred' | 'unclean'): void
  /** @throws ConfigError `PIPE_CONFIG` for an unknown topic. */
  partitions(topic: string): readonly KafkaPartition[]
  /** Waits until the partitions of a topic are as asked. Default timeout 30 seconds. @throws PipeError `PIPE_LOCAL_KAFKA_TIMEOUT` with what they are instead. */
  waitFor(topic: string, holds: (partitions: readonly KafkaPartition[]) => boolean, timeout?: Duration): Promise<void>
  /** The broker that coordinates a consumer group; −1 while there is none, also before any group was used. */
  coordinatorOf(group: string): number
  /** Ends all brokers. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts the brokers; see `startKafka`. */
export async function startBrokers(options: StartKafkaOptions = {}): Promise<LocalKafka> {
  checkOptions('startKafka', options, { optional: ['brokers', 'ports', 'settings', 'users', 'seed', 'clock', 'dir'] })
  const clock = options.clock ?? realClock()
  const { brokers: count = 1, ports = [], settings: given = {}, seed = 1 } = options
  if (!Number.isInteger(count) || count < 1 || count > 3) throw new ConfigError(`startKafka: brokers is ${count}, not 1, 2 or 3.`)
  if (ports.length > count) throw new ConfigError(`startKafka: ${ports.length} ports for ${count} broker(s).`)
  const settings = brokerValues(given, count)
  const folder = options.dir === undefined ? undefined : openClusterFolder(options.dir, count)
  const restored = folder?.topics ?? []
  const timeline = createTimeline()
  const brokers: Broker[] = []
  const brokerOf = (id: number) => brokers[id - 1]
  const links = createLinks(timeline, (broker, other, isOpen) => {
    if (other !== 'controller') {
      if (isOpen) for (const id of [broker, other]) brokerOf(id)?.wakeFollowers()
    } else if (!isOpen) controller.miss(broker)
    else if (brokerOf(broker)?.isUp()) controller.join(broker)
  })
  const topicValues = (overrides: ReadonlyMap<string, string>) =>
    settingValues(
      topicSettings,
      (name) => overrides.get(name) ?? (name === 'min.insync.replicas' ? settings.text(name) : undefined),
    )
  const controller = createController({
    brokers: () => brokers,
    links,
    timeline,
    settings,
    topicValues,
    restored,
    onChange: (topics) => folder?.save(topics),
  })
  const rules = createFaultRules(seed)
  const apis = servedApis()
  let producerIds = folder?.producerIds ?? 0n
  let idsOfBlock = producerIds
  const nextProducerId = () => {
    if (folder && producerIds === idsOfBlock) {
      idsOfBlock += producerIdBlock
      folder.saveProducerIds(idsOfBlock)
    }
    return producerIds++
  }
  const cleaner = createCleaner(clock, () => brokers, settings.number('log.retention.check.interval.ms'))
  const host = {
    settings,
    timeline,
    links,
    controller,
    faults: rules,
    users: options.users && new Map(Object.entries(options.users)),
    now: () => clock.now(),
    topicValues,
    cleaner,
    folder,
    nextProducerId,
    broker: brokerOf,
  }
  for (let id = 1; id <= count; id++) brokers.push(createBroker(id, host, apis))
  const faults = createKafkaFaults({ brokers, links, rules })
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= (async () => {
      rules.clear()
      cleaner.close()
      controller.close()
      await Promise.all(brokers.map((broker) => broker.kill()))
      controller.close()
    })()
    return closed
  }
  try {
    for (const [index, broker] of brokers.entries()) await broker.start(ports[index] ?? 0)
    if (restored.length > 0) await takeUp(controller, brokers, restored)
    folder?.opened()
  } catch (error) {
    await close()
    throw error
  }
  const topicOf = (name: string) => {
    const found = controller.topics.get(name)
    if (!found) throw new ConfigError(`The local Kafka has no topic "${name}".`)
    return found
  }
  const partitions = (topic: string): readonly KafkaPartition[] => {
    return topicOf(topic).partitions.map((state, partition) => ({
      partition,
      ...state,
      copies: brokers.flatMap(({ id, replica }) => {
        const copy = replica(topic, partition)
        if (!copy) return []
        const { startOffset, endOffset, sizeBytes } = copy.log
        return { broker: id, startOffset, endOffset, highWatermark: copy.highWatermark, sizeBytes }
      }),
    }))
  }
  return {
    brokers: brokers.map(({ port }) => `127.0.0.1:${port}`),
    faults,
    timeline: {
      events: (chosenBy = {}) => chosen(timeline.events(), checkedTimeline(chosenBy)),
      text: (chosenBy = {}) => timelineText(timeline.events(), count, checkedTimeline(chosenBy)),
      svg: (chosenBy = {}) => timelineSvg(timeline.events(), count, checkedTimeline(chosenBy)),
      clear: timeline.clear,
    },
    topics: () => [...controller.topics.values()].filter(({ isInternal }) => !isInternal).map(({ name }) => name),
    createTopic(name, topicOptions = {}) {
      checkOptions('createTopic', topicOptions, { optional: ['partitions', 'replicationFactor', 'settings'] })
      const { partitions: wanted = -1, replicationFactor = -1, settings: own = {} } = topicOptions
      const configs = Object.entries(own).map(([key, value]) => ({ name: key, value }))
      const result = createTopicChecked(brokers[0]!, { name, partitions: wanted, replicationFactor, assignments: [], configs })
      if (result.errorCode === errorCode.none) return
      throw new PipeError('PIPE_LOCAL_KAFKA_TOPIC', `The topic ${name} cannot be made: ${result.errorMessage}.`, {
        details: { topic: name, errorCode: result.errorCode },
      })
    },
    deleteTopic(name) {
      topicOf(name)
      controller.deleteTopic(name)
    },
    elect(topic, partition, kind) {
      topicOf(topic)
      const code = controller.elect(topic, partition, kind)
      if (code === errorCode.none || code === errorCode.electionNotNeeded) return
      throw new PipeError(
        'PIPE_LOCAL_KAFKA_ELECTION',
        `${topic}[${partition}] cannot have a ${kind} election (error code ${code}).`,
        {
          details: { topic, partition, errorCode: code },
        },
      )
    },
    partitions,
    coordinatorOf(group) {
      const found = controller.topics.get(offsetsTopic)
      return found?.partitions[coordinatorPartition(group, found.partitions.length)]?.leader ?? -1
    },
    async waitFor(topic, holds, timeout = '30 seconds') {
      const giveUpAt = performance.now() + durationMs(timeout)
      while (!holds(partitions(topic))) {
        if (performance.now() > giveUpAt) {
          const state = JSON.stringify(partitions(topic))
          throw new PipeError(
            'PIPE_LOCAL_KAFKA_TIMEOUT',
            `The partitions of ${topic} did not become as asked within ${timeout}: ${state}`,
          )
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
