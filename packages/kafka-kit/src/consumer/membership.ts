import { sleep } from '@pipe/core'
import { type OffsetCommitTopic, offsetCommit } from '@pipe/kafka-wire'
import type { ConsumerCrashEvent, ConsumerGroupJoinEvent, Consumer as KafkajsConsumer } from 'kafkajs'
import { KafkaError } from '../errors'
import { type Cluster, captureClusters, type DriverBroker, type DriverCluster, driverError } from '../internals'
import type { KafkaResources } from '../kafka-resources'
import type { Isolation } from './consumer-options'
import { createCoordinator, type DriverFetch, type GroupBroker, type GroupTiming, groupMembers, movedCodes } from './coordinator'
import { asStaticMember, staticRequests } from './static-member'

// What kafkajs is used for here: connections, the group protocol (join, sync, heartbeat, leave) and its loop over the brokers. What it
// does with records is replaced: its `fetch` ends in our ingest and tells it that nothing came, after which it only sends a heartbeat. Its
// own offsets serve once per assignment, as the place to begin at.

/** Who we are to the coordinator. */
export interface MemberIdentity {
  readonly memberId: string
  readonly generation: number
}

/** What happens to a member. All are called by its own life, never after `leave` has resolved. */
export interface MembershipHooks {
  /** Before every JoinGroup, which waits for it. */
  beforeJoin(): Promise<void>
  joined(identity: MemberIdentity, assigned: Readonly<Record<string, readonly number[]>>): void
  /** The coordinator no longer knows this member or its generation: others have its partitions. */
  fenced(reason: string): void
  /** Fetches from a broker. Must not reject, must not return in the same turn of the event loop, nor much later than `maxWaitTime`. */
  fetch(broker: DriverBroker, request: DriverFetch): Promise<void>
  /** A broker cannot be reached for a fetch. */
  fetchFailed(error: unknown): void
  /** kafkajs gave up. */
  crashed(error: unknown): void
}

/** One member of a group. */
export interface Membership {
  /** Connects and joins. What fails after that comes by `crashed`. */
  start(): Promise<void>
  readonly identity: MemberIdentity | undefined
  /**
   * Commits as this member.
   *
   * @returns error codes by topic and partition.
   * @throws KafkaError when there was no answer, or none that concerns the present identity.
   */
  commit(
    topics: readonly OffsetCommitTopic[],
  ): Promise<readonly { readonly topic: string; readonly partition: number; readonly errorCode: number }[]>
  /** Looks up leaders again, at most once in 200 ms. Never rejects. */
  refreshLeaders(): Promise<void>
  /** Leaves the group and disconnects; after `ms`, closes the sockets. @returns whether the group was left. */
  leave(ms: number): Promise<boolean>
}

/**
 * Makes a member. Opens nothing yet.
 *
 * @throws KafkaError `PIPE_KAFKA_DRIVER` when this kafkajs lacks what it needs.
 */
export function createMembership(settings: {
  readonly resources: KafkaResources
  readonly cluster: Cluster
  readonly group: string
  readonly instanceId: string | undefined
  readonly topics: readonly string[]
  readonly fromBeginning: boolean
  readonly isolation: Isolation
  readonly timing: GroupTiming
  readonly hooks: MembershipHooks
}): Membership {
  const { resources, group, timing, hooks } = settings
  if (resources.missing.length > 0) throw driverError(resources.missing)
  const { made: consumer, driver } = capture(settings)
  const findBroker = driver.findBroker.bind(driver)
  const brokers = new Map<DriverBroker, DriverBroker>()
  let identity: MemberIdentity | undefined
  let joined: MemberIdentity | undefined
  let isLeaving = false
  let hasLeft = false
  let refreshing: Promise<void> | undefined
  let lastRefreshMs = 0

  const coordinator = createCoordinator({
    group,
    instanceId: settings.instanceId,
    timing,
    find: driver.findGroupCoordinator.bind(driver) as (options: { groupId: string }) => Promise<GroupBroker>,
    drop: (broker) => settings.cluster.drop(broker),
    isLeaving: () => isLeaving,
    onJoined: (response) => {
      joined = { memberId: response.memberId, generation: response.generationId }
    },
    onFenced: (who, reason) => {
      // An answer to a request of an earlier life says nothing about this one.
      if (who.memberId !== identity?.memberId || who.groupGenerationId !== identity.generation) return
      identity = undefined
      hooks.fenced(reason)
    },
    onReplaced: (error) => {
      if (!isLeaving) hooks.crashed(error)
    },
    onLeft: () => {
      hasLeft = true
    },
  })

  async function refreshOnce(): Promise<void> {
    const waitMs = lastRefreshMs + 200 - Date.now()
    if (waitMs > 0) await sleep(waitMs)
    lastRefreshMs = Date.now()
    try {
      await driver.refreshMetadata()
    } catch (error) {
      // A partition without a leader makes kafkajs refuse the whole answer. The next fetch comes here again.
      hooks.fetchFailed(error)
    }
  }

  function refreshLeaders(): Promise<void> {
    refreshing ??= refreshOnce().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }

  async function fetchFrom(broker: DriverBroker, request: DriverFetch): Promise<{ responses: [] }> {
    // Never at once: kafkajs would come back in the same turn of the event loop, for ever.
    if (isLeaving) await sleep(20)
    else await hooks.fetch(broker, request)
    return { responses: [] }
  }

  driver.findBroker = async (options) => {
    let broker: DriverBroker
    try {
      broker = await findBroker(options)
    } catch (error) {
      return unreachable(error, async () => {
        if (isLeaving) return
        hooks.fetchFailed(error)
        await sleep(100)
        await refreshLeaders()
      }) as unknown as DriverBroker
    }
    const known = brokers.get(broker)
    if (known) return known
    const wrapped = asBrokerOfMember(broker as GroupBroker, settings.instanceId, (request) => fetchFrom(broker, request))
    brokers.set(broker, wrapped)
    return wrapped
  }

  // Called for each JoinGroup and for nothing else: everything else of the group goes through `coordinator`.
  driver.findGroupCoordinator = async () => {
    if (!isLeaving) await hooks.beforeJoin()
    return coordinator.facade as unknown as DriverBroker
  }

  consumer.on('consumer.group_join', ({ payload }: ConsumerGroupJoinEvent) => {
    if (!joined || isLeaving) return
    identity = joined
    hooks.joined(joined, payload.memberAssignment)
  })
  consumer.on('consumer.crash', ({ payload }: ConsumerCrashEvent) => {
    if (!isLeaving) hooks.crashed(payload.error)
  })

  return {
    get identity() {
      return identity
    },
    async start() {
      await consumer.connect()
      await consumer.subscribe({ topics: [...settings.topics], fromBeginning: settings.fromBeginning })
      // No batch ever reaches it: see above.
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined })
    },
    async commit(topics) {
      const as = identity
      if (!as)
        return topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partition }) => ({ topic: name, partition, errorCode: 25 })),
        )
      const commitTo = async (broker: DriverBroker) => {
        const response = await settings.cluster.call(broker, offsetCommit, {
          group,
          generationId: as.generation,
          memberId: as.memberId,
          groupInstanceId: settings.instanceId ?? null,
          retentionTimeMs: -1n,
          topics,
        })
        const moved = response.topics.flatMap(({ partitions }) => partitions).find(({ errorCode }) => movedCodes.has(errorCode))
        if (moved) throw Object.assign(new Error(`OffsetCommit: error ${moved.errorCode}`), { code: moved.errorCode })
        return response
      }
      const answer = await coordinator.ask(commitTo, undefined, commitWaitMs)
      if (identity !== as) {
        throw new KafkaError('PIPE_KAFKA_PROTOCOL', `Commit of group ${group}: the member joined anew meanwhile.`, {
          retryable: true,
          details: { group },
        })
      }
      return answer.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partition, errorCode }) => ({ topic: name, partition, errorCode })),
      )
    },
    refreshLeaders,
    async leave(ms) {
      isLeaving = true
      const done = consumer.disconnect().then(
        () => true,
        () => false,
      )
      const limit = new AbortController()
      const isLate = sleep(ms, limit.signal).then(
        () => false,
        () => false,
      )
      const isDone = await Promise.race([done, isLate])
      // A timer that runs on would keep the process alive for as long as the stop might have taken.
      limit.abort()
      for (const broker of brokers.keys()) settings.cluster.drop(broker)
      coordinator.close()
      return isDone && hasLeft
    },
  }
}

function capture(settings: Parameters<typeof createMembership>[0]): {
  readonly made: KafkajsConsumer
  readonly driver: DriverCluster
} {
  const { resources, group, timing, isolation } = settings
  const { made, clusters } = captureClusters(resources.kafkajs, () =>
    resources.kafkajs.consumer({
      groupId: group,
      sessionTimeout: timing.sessionTimeoutMs,
      rebalanceTimeout: timing.rebalanceTimeoutMs,
      heartbeatInterval: timing.heartbeatMs,
      maxWaitTimeInMs: timing.maxWaitMs,
      allowAutoTopicCreation: false,
      readUncommitted: isolation === 'read-uncommitted',
      // Restarting is the supervisor's: with a new consumer, not with this one.
      retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 8, restartOnFailure: async () => false },
    }),
  )
  const driver = clusters[0]
  if (!driver) throw driverError(['Kafka.consumer → createCluster'])
  return { made, driver }
}

/** How long a commit looks for the coordinator: the next one comes soon. */
const commitWaitMs = 5000

/** A broker whose `fetch` is ours, and whose requests of the group are those of a static member. The functions of kafkajs keep their own `this`. */
function asBrokerOfMember(broker: GroupBroker, instanceId: string | undefined, fetch: GroupBroker['fetch']): DriverBroker {
  const missing = groupMembers.filter((name) => typeof broker[name] !== 'function')
  if (missing.length > 0) throw driverError(missing.map((name) => `Broker.${name}`))
  const member = instanceId === undefined ? broker : asStaticMember(broker, instanceId)
  return new Proxy(broker, {
    get(target, name) {
      if (name === 'fetch') return fetch
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return value.bind(staticRequests.has(name) ? member : target)
    },
  })
}

/** Stands for a broker that cannot be reached: a fetch waits instead of failing (leaders may be elsewhere soon), all else fails. */
function unreachable(error: unknown, wait: () => Promise<void>): object {
  return new Proxy(
    {},
    {
      get(_, name) {
        // Not a thenable: it is returned from an async function.
        if (name === 'then') return undefined
        if (name === 'isConnected') return () => false
        if (name === 'fetch') {
          return async () => {
            await wait()
            return { responses: [] }
          }
        }
        return () => Promise.reject(error)
      },
    },
  )
}
