import { randomUUID } from 'node:crypto'
import type { ClusterImage, PartitionState, TopicState } from './cluster-image'
import { type ErrorCode, errorCode } from './error-code'
import type { Links } from './links'
import type { SettingValues } from './settings'
import type { Timeline } from './timeline'

/** A broker, as the controllers see it. */
export interface ControlledBroker {
  readonly id: number
  /** Runs and is not paused. */
  isUp(): boolean
  /** Takes over what changed; `undefined` = the topic is gone. */
  receive(name: string, topic: TopicState | undefined): void
  receiveAlive(alive: readonly number[]): void
  /** Takes over everything; topics that are not in it are gone. */
  receiveAll(image: ClusterImage): void
}

/** What the controllers need. */
export interface ControllerOptions {
  readonly brokers: () => readonly ControlledBroker[]
  readonly links: Pick<Links, 'isOpen'>
  readonly timeline: Timeline
  readonly settings: SettingValues
  /** Settings of a topic. */
  readonly topicValues: (overrides: ReadonlyMap<string, string>) => SettingValues
  /** What was decided in an earlier life; nobody leads yet. */
  readonly restored: readonly TopicState[]
  /** Something was decided. */
  readonly onChange: (topics: Iterable<TopicState>) => void
}

/** Kinds of elections, as in ElectLeaders. */
export type ElectionKind = 'preferred' | 'unclean'

/** The quorum of controllers, as one: it always has a majority. It decides topics, leaders and in-sync sets, and tells them to the brokers that it reaches. */
export interface Controller {
  readonly topics: ReadonlyMap<string, TopicState>
  readonly alive: readonly number[]
  createTopic(topic: Pick<TopicState, 'name' | 'isInternal' | 'overrides'>, assignment: readonly (readonly number[])[]): void
  deleteTopic(name: string): void
  addPartitions(name: string, assignment: readonly (readonly number[])[]): void
  setOverrides(name: string, overrides: ReadonlyMap<string, string>): void
  /** Moves a partition to other replicas, once they have caught up; `null` takes that back while it is under way. */
  reassign(name: string, partition: number, target: readonly number[] | null): void
  /** A leader wants another in-sync set. False when it is not reachable or not the leader any more. */
  changeInSync(broker: number, name: string, partition: number, leaderEpoch: number, inSync: readonly number[]): boolean
  elect(name: string, partition: number, kind: ElectionKind): ErrorCode
  /** A broker came (back): it takes part again, after what it missed. */
  join(broker: number): void
  /** A broker is not heard of any more: when its session is over, others take its place. */
  miss(broker: number): void
  /** A broker goes in good order: others take its place at once. */
  leave(broker: number): void
  /** Replicas for new partitions, spread over the brokers that take part. */
  assign(partitions: number, replicationFactor: number): number[][]
  close(): void
}

/** Controllers of brokers that have not joined yet. */
export function createController(options: ControllerOptions): Controller {
  const { brokers, links, timeline, settings, topicValues } = options
  const topics = new Map(options.restored.map((topic) => [topic.name, topic] as const))
  let alive: number[] = []
  const sessions = new Map<number, NodeJS.Timeout>()
  let placed = 0

  const reached = () => brokers().filter((broker) => broker.isUp() && links.isOpen(broker.id, 'controller'))
  const publish = (name: string) => {
    for (const broker of reached()) broker.receive(name, topics.get(name))
  }
  const publishAlive = () => {
    for (const broker of reached()) broker.receiveAlive(alive)
  }
  const put = (topic: TopicState) => {
    topics.set(topic.name, topic)
    options.onChange(topics.values())
    publish(topic.name)
  }

  function withPartition(topic: TopicState, partition: number, state: PartitionState): TopicState {
    const before = topic.partitions[partition]!
    const place = { topic: topic.name, partition }
    if (before.leader !== state.leader || before.leaderEpoch !== state.leaderEpoch) {
      const { leader, leaderEpoch } = state
      const unclean = leader >= 0 && !before.inSync.includes(leader)
      timeline.record({ kind: 'leader', ...place, leader, leaderEpoch, unclean })
    }
    if (String(before.inSync) !== String(state.inSync)) {
      timeline.record({ kind: 'in-sync', ...place, inSync: state.inSync, was: before.inSync })
    }
    return { ...topic, partitions: topic.partitions.map((own, index) => (index === partition ? state : own)) }
  }

  /** The state with a leader that is alive: the first replica in sync, or, where that is allowed, any. */
  function elected(state: PartitionState, uncleanAllowed: boolean): PartitionState {
    const clean = state.replicas.find((id) => state.inSync.includes(id) && alive.includes(id))
    if (clean !== undefined) return { ...state, leader: clean, leaderEpoch: state.leaderEpoch + 1 }
    const any = uncleanAllowed ? state.replicas.find((id) => alive.includes(id)) : undefined
    if (any !== undefined) return { ...state, leader: any, inSync: [any], leaderEpoch: state.leaderEpoch + 1 }
    return state.leader < 0 ? state : { ...state, leader: -1, leaderEpoch: state.leaderEpoch + 1 }
  }

  /** Ends a reassignment whose new replicas are all in sync. */
  function settled(state: PartitionState): PartitionState {
    const to = state.move?.to
    const inSync = state.inSync.filter((id) => state.replicas.includes(id))
    if (!to?.every((id) => inSync.includes(id))) return { ...state, inSync }
    const next = { ...state, replicas: to, inSync: inSync.filter((id) => to.includes(id)), move: undefined }
    return to.includes(state.leader) ? next : elected(next, false)
  }

  function changePartitions(change: (state: PartitionState, topic: TopicState) => PartitionState): void {
    for (const topic of [...topics.values()]) {
      let next = topic
      for (const [partition, state] of topic.partitions.entries()) {
        const changed = change(state, topic)
        if (changed !== state) next = withPartition(next, partition, changed)
      }
      if (next !== topic) put(next)
    }
  }
  const isUncleanAllowed = (topic: TopicState) => topicValues(topic.overrides).flag('unclean.leader.election.enable')

  function fence(broker: number): void {
    if (!alive.includes(broker)) return
    alive = alive.filter((id) => id !== broker)
    timeline.record({ kind: 'broker', broker, state: 'fenced' })
    publishAlive()
    changePartitions((state, topic) => {
      // The last one in sync stays in the set: only it has everything.
      const inSync = state.inSync.filter((id) => id !== broker)
      const next = inSync.length === state.inSync.length || inSync.length === 0 ? state : { ...state, inSync }
      return state.leader === broker ? elected(next, isUncleanAllowed(topic)) : next
    })
  }
  const endSession = (broker: number) => {
    clearTimeout(sessions.get(broker))
    sessions.delete(broker)
  }

  return {
    topics,
    get alive() {
      return alive
    },
    createTopic(topic, assignment) {
      const partitions = assignment.map((replicas, partition): PartitionState => {
        const inSync = replicas.filter((id) => alive.includes(id))
        const leader = inSync[0] ?? -1
        timeline.record({ kind: 'leader', topic: topic.name, partition, leader, leaderEpoch: 0, unclean: false })
        return { replicas, inSync: inSync.length > 0 ? inSync : replicas, leader, leaderEpoch: 0 }
      })
      put({ ...topic, id: randomUUID().replaceAll('-', ''), partitions })
    },
    deleteTopic(name) {
      topics.delete(name)
      options.onChange(topics.values())
      publish(name)
    },
    addPartitions(name, assignment) {
      const topic = topics.get(name)!
      const added = assignment.map((replicas): PartitionState => {
        const inSync = replicas.filter((id) => alive.includes(id))
        return { replicas, inSync: inSync.length > 0 ? inSync : replicas, leader: inSync[0] ?? -1, leaderEpoch: 0 }
      })
      put({ ...topic, partitions: [...topic.partitions, ...added] })
    },
    setOverrides(name, overrides) {
      put({ ...topics.get(name)!, overrides })
    },
    reassign(name, partition, target) {
      const topic = topics.get(name)!
      const state = topic.partitions[partition]!
      const from = state.move?.from ?? state.replicas
      const to = target ?? from
      // First the new ones beside the old ones; the old ones go when the new ones are in sync.
      const replicas = [...to, ...from.filter((id) => !to.includes(id))]
      put(withPartition(topic, partition, settled({ ...state, replicas, move: { from, to } })))
    },
    changeInSync(broker, name, partition, leaderEpoch, inSync) {
      if (!links.isOpen(broker, 'controller')) return false
      const topic = topics.get(name)
      const state = topic?.partitions[partition]
      if (!topic || !state || state.leader !== broker || state.leaderEpoch !== leaderEpoch) return false
      const known = inSync.filter((id) => state.replicas.includes(id) && (state.inSync.includes(id) || alive.includes(id)))
      put(withPartition(topic, partition, settled({ ...state, inSync: known })))
      return true
    },
    elect(name, partition, kind) {
      const topic = topics.get(name)
      const state = topic?.partitions[partition]
      if (!topic || !state) return errorCode.unknownTopicOrPartition
      if (kind === 'preferred') {
        const preferred = state.replicas[0]!
        if (state.leader === preferred) return errorCode.electionNotNeeded
        if (!state.inSync.includes(preferred) || !alive.includes(preferred)) return errorCode.preferredLeaderNotAvailable
        put(withPartition(topic, partition, { ...state, leader: preferred, leaderEpoch: state.leaderEpoch + 1 }))
        return errorCode.none
      }
      if (state.leader >= 0) return errorCode.electionNotNeeded
      const next = elected(state, true)
      if (next.leader < 0) return errorCode.eligibleLeadersNotAvailable
      put(withPartition(topic, partition, next))
      return errorCode.none
    },
    join(broker) {
      endSession(broker)
      const own = brokers().find(({ id }) => id === broker)
      const isNew = !alive.includes(broker)
      if (isNew) {
        alive = [...alive, broker].sort((one, other) => one - other)
        timeline.record({ kind: 'broker', broker, state: 'unfenced' })
      }
      own?.receiveAll({ topics, alive })
      if (!isNew) return
      publishAlive()
      changePartitions((state, topic) => (state.leader < 0 ? elected(state, isUncleanAllowed(topic)) : state))
    },
    miss(broker) {
      endSession(broker)
      sessions.set(broker, setTimeout(() => fence(broker), settings.number('broker.session.timeout.ms')).unref())
    },
    leave(broker) {
      endSession(broker)
      fence(broker)
    },
    assign(partitions, replicationFactor) {
      const start = placed
      placed += partitions
      return Array.from({ length: partitions }, (_, partition) =>
        Array.from({ length: replicationFactor }, (_, replica) => alive[(start + partition + replica) % alive.length]!),
      )
    },
    close() {
      for (const broker of [...sessions.keys()]) endSession(broker)
    },
  }
}
