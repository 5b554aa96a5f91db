import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { PipeError } from '@pipe/core'
import type { Broker, BrokerHost, BrokerState, LeadershipListener } from './broker-node'
import { createBrokerTimers } from './broker-timers'
import type { TopicState } from './cluster-image'
import { createGroupCoordinator } from './group/group-coordinator'
import { createReplica, type Replica, type ReplicaHost } from './replica'
import { createReplicator } from './replicator'
import { createTransactionCoordinator } from './transaction/transaction-coordinator'
import { serveConnection } from './wire/connection'
import type { ServedApi } from './wire/served-api'

const noSettings: ReadonlyMap<string, string> = new Map()

/** A broker that has not been started. */
export function createBroker(id: number, host: BrokerHost, apis: ReadonlyMap<number, ServedApi>): Broker {
  const { links, controller, timeline, settings } = host
  const replicas = new Map<string, Replica>()
  const topicIds = new Map<string, string>()
  const leading = new Set<string>()
  const listeners: LeadershipListener[] = []
  const timers = createBrokerTimers()
  let image: { topics: Map<string, TopicState>; alive: readonly number[] } = { topics: new Map(), alive: [] }
  let state: BrokerState = 'stopped'
  let port = 0
  let hasRun = false
  let server: Server | undefined
  const sockets = new Set<Socket>()
  let up = gate()

  const keyOf = (topic: string, partition: number) => `${topic}/${partition}`
  const isUp = () => state === 'running'
  const topicSettings = (topic: string) => host.topicValues(image.topics.get(topic)?.overrides ?? noSettings)

  const replicaHost: ReplicaHost = {
    brokerId: id,
    timeline,
    lagMs: settings.number('replica.lag.time.max.ms'),
    settings: topicSettings,
    openLog: (topic, partition, empty) => host.folder?.openLog(id, image.topics.get(topic)!, partition, empty) ?? empty,
    isAlive: (other) => image.alive.includes(other),
    isFollowing: (follower) => links.isOpen(id, follower) && host.broker(follower)?.isUp() === true,
    wakeFollower: (follower, topic, partition) => host.broker(follower)?.wake(topic, partition),
    appended: (replica) => host.cleaner.appended(replica, topicSettings(replica.topic)),
    changeInSync: (topic, partition, leaderEpoch, inSync) => controller.changeInSync(id, topic, partition, leaderEpoch, inSync),
  }
  const replicator = createReplicator({
    brokerId: id,
    isUp,
    replica: (topic, partition) => replicas.get(keyOf(topic, partition)),
    leaderReplica(leader, topic, partition) {
      const other = host.broker(leader)
      return other?.isUp() && links.isOpen(id, leader) ? other.replica(topic, partition) : undefined
    },
  })

  function noteLeadership(topic: string, partition: number, replica: Replica | undefined): void {
    const key = keyOf(topic, partition)
    const leads = replica?.role.kind === 'leader'
    if (!leads && !leading.has(key)) return
    if (leads) leading.add(key)
    else leading.delete(key)
    for (const listener of listeners) listener(topic, partition, leads ? replica : undefined)
  }

  function dropReplica(topic: string, partition: number): void {
    const replica = replicas.get(keyOf(topic, partition))
    if (!replica) return
    replicas.delete(keyOf(topic, partition))
    host.folder?.dropLog(id, topic, partition)
    replica.become({ replicas: [], inSync: [], leader: -1, leaderEpoch: Number.MAX_SAFE_INTEGER })
    noteLeadership(topic, partition, undefined)
  }

  function dropTopic(name: string): void {
    for (const replica of [...replicas.values()]) if (replica.topic === name) dropReplica(name, replica.partition)
    topicIds.delete(name)
  }

  function receive(name: string, topic: TopicState | undefined): void {
    // Deleted and made again while this broker was away: another topic of the same name.
    if (topic === undefined || (topicIds.has(name) && topicIds.get(name) !== topic.id)) dropTopic(name)
    if (topic === undefined) {
      image.topics.delete(name)
      return
    }
    image.topics.set(name, topic)
    topicIds.set(name, topic.id)
    for (const [partition, partitionState] of topic.partitions.entries()) {
      if (!partitionState.replicas.includes(id)) {
        dropReplica(name, partition)
        continue
      }
      let replica = replicas.get(keyOf(name, partition))
      if (!replica) {
        const size = () => image.topics.get(name)?.partitions[partition]?.replicas.length ?? 1
        replica = createReplica(replicaHost, name, partition, size)
        replicas.set(keyOf(name, partition), replica)
      }
      if (!replica.become(partitionState)) continue
      noteLeadership(name, partition, replica)
      replicator.wake(name, partition)
    }
  }

  const everyHalf = (ms: number, task: () => void) => {
    const again = () => {
      task()
      timers.after(ms / 2, again)
    }
    timers.after(ms / 2, again)
  }

  async function listen(wanted: number): Promise<void> {
    const own = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      socket.setTimeout(settings.number('connections.max.idle.ms'), () => socket.destroy())
      serveConnection(socket, {
        broker,
        apis,
        faults: host.faults,
        timeline,
        maxFrameBytes: settings.number('socket.request.max.bytes'),
        needsLogin: host.users !== undefined,
        whenUp: () => up.opened,
      }).catch((error: unknown) => {
        // A mistake of ours: the connection is closed, the broker goes on, and the mistake is heard of.
        process.emitWarning(error instanceof Error ? error : String(error))
      })
    })
    const failed = once(own, 'error').then(([error]) => {
      throw error
    })
    own.listen(wanted, '127.0.0.1')
    try {
      await Promise.race([once(own, 'listening'), failed])
    } catch (cause) {
      const hint = 'Give another port, or 0 for a free one.'
      const message = `Broker ${id} cannot listen on port ${wanted} (${(cause as NodeJS.ErrnoException).code}).`
      throw new PipeError('PIPE_LOCAL_PORT_IN_USE', message, { hint, cause })
    }
    failed.catch(() => {})
    server = own
    port = (own.address() as { port: number }).port
  }

  async function shut(): Promise<void> {
    state = 'stopped'
    timers.clear()
    for (const socket of sockets) socket.destroy()
    // What it was to its partitions is forgotten; the logs stay.
    for (const replica of replicas.values()) {
      replica.become({ replicas: [], inSync: [], leader: -1, leaderEpoch: -1 })
      noteLeadership(replica.topic, replica.partition, undefined)
    }
    image = { topics: new Map(image.topics), alive: [] }
    const closing = server
    server = undefined
    if (closing) await new Promise((resolve) => closing.close(resolve))
  }

  const broker: Broker = {
    id,
    host,
    timers,
    get groups() {
      return groups
    },
    get transactions() {
      return transactions
    },
    get port() {
      return port
    },
    get state() {
      return state
    },
    get image() {
      return image
    },
    get replicas() {
      return [...replicas.values()]
    },
    isUp,
    replica: (topic, partition) => replicas.get(keyOf(topic, partition)),
    partitionState: (topic, partition) => image.topics.get(topic)?.partitions[partition],
    topicSettings,
    reachesController: () => isUp() && links.isOpen(id, 'controller'),
    onLeadership: (listener) => listeners.push(listener),
    wakeFollowers: () => replicator.wakeAll(replicas.values()),
    wake: (topic, partition) => replicator.wake(topic, partition),
    receive,
    receiveAlive(alive) {
      image.alive = alive
    },
    receiveAll({ topics, alive }) {
      image.alive = alive
      for (const name of [...image.topics.keys()]) if (!topics.has(name)) receive(name, undefined)
      for (const [name, topic] of topics) receive(name, topic)
    },
    async start(wanted = port) {
      if (state !== 'stopped') return
      await listen(wanted)
      up = gate()
      up.open()
      state = 'running'
      timers.resume()
      timeline.record({ kind: 'broker', broker: id, state: 'started' })
      everyHalf(replicaHost.lagMs, () => {
        for (const replica of replicas.values()) replica.checkLag()
      })
      // Whoever it was before, this is another one: what that one led is led by others, or anew.
      if (hasRun) controller.leave(id)
      hasRun = true
      if (links.isOpen(id, 'controller')) controller.join(id)
    },
    async kill({ losesUnflushed = false } = {}) {
      if (state === 'stopped') return
      timeline.record({ kind: 'broker', broker: id, state: 'killed' })
      const shutting = shut()
      if (losesUnflushed) for (const replica of replicas.values()) replica.truncate(replica.flushedOffset)
      controller.miss(id)
      await shutting
    },
    async stop() {
      if (state === 'stopped') return
      for (const replica of replicas.values()) replica.flush()
      timeline.record({ kind: 'broker', broker: id, state: 'stopped' })
      controller.leave(id)
      await shut()
    },
    resetConnections() {
      for (const socket of sockets) socket.destroy()
    },
    pause() {
      if (state !== 'running') return
      state = 'paused'
      up = gate()
      timers.pause()
      timeline.record({ kind: 'broker', broker: id, state: 'paused' })
      controller.miss(id)
    },
    resume() {
      if (state !== 'paused') return
      state = 'running'
      timeline.record({ kind: 'broker', broker: id, state: 'continued' })
      // It hears what happened meanwhile before it goes on.
      if (links.isOpen(id, 'controller')) controller.join(id)
      up.open()
      timers.resume()
      replicator.wakeAll(replicas.values())
      for (const other of image.alive) host.broker(other)?.wakeFollowers()
    },
  }
  const groups = createGroupCoordinator(broker)
  const transactions = createTransactionCoordinator(broker)
  return broker
}

/** A promise that is resolved from outside. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
