import { isRetryable, retry } from '@pipe/core'
import { describeGroups, listGroups, offsetCommit, offsetDelete, offsetFetch, readAssignment } from '@pipe/kafka-wire'
import { KafkaError, protocolFailure } from './errors'
import type { Cluster, DriverBroker } from './internals'
import { byTopic, partitionKey, type TopicPartition } from './leader-request'

/** `empty`: offsets, but no member. `unknown`: the coordinator has no classic group of that name (never was one, or it speaks KIP-848). */
export type GroupState = 'empty' | 'stable' | 'rebalancing' | 'unknown'

/** A member of a group. */
export interface GroupMember {
  readonly memberId: string
  readonly clientId: string
  readonly host: string
  readonly partitions: readonly TopicPartition[]
}

/** A group, as its coordinator sees it. */
export interface GroupDescription {
  readonly group: string
  readonly state: GroupState
  readonly members: readonly GroupMember[]
}

/** An offset that a group has committed. */
export interface CommittedOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** Runs `work` with the coordinator of a group; looks it up again while it moves or loads. */
async function withCoordinator<T>(
  cluster: Cluster,
  group: string,
  signal: AbortSignal | undefined,
  work: (coordinator: DriverBroker) => Promise<T>,
): Promise<T> {
  return retry(async () => work(await cluster.coordinator(group)), {
    attempts: 10,
    firstDelay: '200 ms',
    maxDelay: '2 seconds',
    // A group with members will have them in a moment too: whoever called decides whether to wait.
    isRetryable: (error) => isRetryable(error) && (error as KafkaError).code !== 'PIPE_KAFKA_GROUP_ACTIVE',
    ...(signal ? { signal } : {}),
  })
}

/** The ids of all groups of the cluster that hold offsets or have members, sorted: each broker is asked for the ones it coordinates. */
export async function listGroupIds(cluster: Cluster, signal?: AbortSignal): Promise<readonly string[]> {
  const { brokers } = await cluster.metadata([], { signal })
  const lists = await Promise.all(
    brokers.map(async ({ nodeId }) => {
      const answer = await cluster.call(await cluster.broker(nodeId), listGroups, {}, { signal })
      // COORDINATOR_LOAD_IN_PROGRESS and its like: what it has is in the answer all the same.
      if (answer.errorCode !== 0 && answer.errorCode !== 14 && answer.errorCode !== 15)
        throw protocolFailure(`The groups of broker ${nodeId}`, answer.errorCode)
      return answer.groups.filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '')
    }),
  )
  return [...new Set(lists.flat().map(({ group }) => group))].sort()
}

const states: Readonly<Record<string, GroupState>> = {
  Empty: 'empty',
  Stable: 'stable',
  PreparingRebalance: 'rebalancing',
  CompletingRebalance: 'rebalancing',
}

/** State and members of a group. */
export async function describeGroup(cluster: Cluster, group: string, signal?: AbortSignal): Promise<GroupDescription> {
  return withCoordinator(cluster, group, signal, async (coordinator) => {
    const request = { groups: [group], includeAuthorizedOperations: false }
    const found = (await cluster.call(coordinator, describeGroups, request, { signal })).groups[0]
    // GROUP_ID_NOT_FOUND: newer brokers say so instead of "Dead".
    if (!found || found.errorCode === 69) return { group, state: 'unknown', members: [] }
    if (found.errorCode !== 0) throw protocolFailure(`Group ${group}`, found.errorCode, { group })
    const isConsumerGroup = found.protocolType === 'consumer'
    const members = found.members.map(({ memberId, clientId, clientHost, memberAssignment }) => ({
      memberId,
      clientId,
      host: clientHost.replace(/^\//, ''),
      partitions: isConsumerGroup
        ? readAssignment(memberAssignment).flatMap(({ topic, partitions }) =>
            partitions.map((partition) => ({ topic, partition })),
          )
        : [],
    }))
    return { group, state: states[found.state] ?? 'unknown', members }
  })
}

/**
 * What a group has committed, by {@link partitionKey}. `partitions` `null` = everything. With `requireStable` it waits for transactions that
 * have offsets of the group pending.
 */
export async function committedOffsets(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[] | null,
  options: { readonly requireStable: boolean; readonly signal?: AbortSignal | undefined },
): Promise<Map<string, CommittedOffset>> {
  const { requireStable, signal } = options
  return withCoordinator(cluster, group, signal, async (coordinator) => {
    const topics = partitions && byTopic(partitions, ({ partition }) => partition)
    const answer = await cluster.call(coordinator, offsetFetch, { group, topics, requireStable }, { signal })
    if (answer.errorCode !== 0) throw protocolFailure(`The offsets of group ${group}`, answer.errorCode, { group })
    const committed = new Map<string, CommittedOffset>()
    for (const { name, partitions: results } of answer.topics) {
      for (const { partition, offset, leaderEpoch, metadata, errorCode } of results) {
        const at = { topic: name, partition }
        if (errorCode !== 0)
          throw protocolFailure(`The offset of group ${group} on ${partitionKey(at)}`, errorCode, { group, ...at })
        if (offset >= 0n) committed.set(partitionKey(at), { ...at, offset, leaderEpoch, metadata })
      }
    }
    return committed
  })
}

/** The error for a group that must have no members and has some. */
export function groupActive(group: string, what: string, { state, members }: GroupDescription): KafkaError {
  const names = members.map(({ clientId, host }) => `${clientId} at ${host}`)
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')
  const who = names.length > 0 ? `${names.length} ${names.length === 1 ? 'member' : 'members'} (${shown})` : 'members'
  return new KafkaError(
    'PIPE_KAFKA_GROUP_ACTIVE',
    `Group ${group} has ${who}${state === 'rebalancing' ? ' and is rebalancing' : ''}: ${what}.`,
    {
      retryable: true,
      hint: 'Stop its consumers first, wait until the group is empty, and apply the same plan again; or replay into a group of its own (as).',
      details: { group },
    },
  )
}

/** A position to commit. */
export interface OffsetToCommit extends TopicPartition {
  readonly offset: bigint
}

/**
 * Commits offsets from outside of the group, all in one request. The coordinator accepts that only while the group has no members.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_GROUP_ACTIVE` when it has some.
 */
export async function commitFromOutside(
  cluster: Cluster,
  group: string,
  offsets: readonly OffsetToCommit[],
  signal?: AbortSignal,
): Promise<void> {
  await withCoordinator(cluster, group, signal, async (coordinator) => {
    const request = {
      group,
      generationId: -1,
      memberId: '',
      groupInstanceId: null,
      retentionTimeMs: -1n,
      topics: byTopic(offsets, ({ partition, offset }) => ({ partition, offset, leaderEpoch: -1, metadata: null })),
    }
    const answer = await cluster.call(coordinator, offsetCommit, request, { signal })
    for (const { name, partitions } of answer.topics) {
      for (const { partition, errorCode } of partitions) {
        if (errorCode === 0) continue
        // UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, NON_EMPTY_GROUP: somebody is in the group.
        if ([22, 25, 27, 68].includes(errorCode)) {
          throw groupActive(group, 'its offsets cannot be set from outside', { group, state: 'stable', members: [] })
        }
        const at = { topic: name, partition }
        throw protocolFailure(`Setting the offset of group ${group} on ${partitionKey(at)}`, errorCode, { group, ...at })
      }
    }
  })
}

/**
 * Removes what a group has committed for some partitions.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_GROUP_ACTIVE` when the group reads the topic.
 */
export async function deleteOffsets(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
  signal?: AbortSignal,
): Promise<void> {
  await withCoordinator(cluster, group, signal, async (coordinator) => {
    const topics = byTopic(partitions, ({ partition }) => partition)
    const answer = await cluster.call(coordinator, offsetDelete, { group, topics }, { signal })
    // GROUP_ID_NOT_FOUND: the group is gone, and its offsets with it.
    if (answer.errorCode === 69) return
    if (answer.errorCode !== 0) throw protocolFailure(`Removing offsets of group ${group}`, answer.errorCode, { group })
    for (const { name, partitions: results } of answer.topics) {
      for (const { partition, errorCode } of results) {
        if (errorCode === 0) continue
        if (errorCode === 86 || errorCode === 68)
          throw groupActive(group, 'its offsets cannot be removed', { group, state: 'stable', members: [] })
        const at = { topic: name, partition }
        throw protocolFailure(`Removing the offset of group ${group} on ${partitionKey(at)}`, errorCode, { group, ...at })
      }
    }
  })
}
