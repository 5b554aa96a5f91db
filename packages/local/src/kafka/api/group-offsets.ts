import {
  createByteCursor,
  type OffsetCommitPartition,
  type OffsetFetchPartitionResult,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  type TransactionPartitionResult,
  type TransactionTopicResult,
} from '@pipe/kafka-wire'
import type { Broker } from '../broker-node'
import { errorCode } from '../error-code'
import type { Group } from '../group/group'
import type { OffsetEntry } from '../group/group-offsets'
import { metadataOf } from '../group/member'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'

/** A partition whose offset a request wants to commit, and what was found wrong with it. */
interface Commit {
  readonly topic: string
  readonly partition: number
  readonly entry: OffsetEntry | undefined
  errorCode: number
}

/** The offsets of a commit request, each checked on its own. */
export function checkedCommits(
  topics: readonly { readonly name: string; readonly partitions: readonly Omit<OffsetCommitPartition, 'timestamp'>[] }[],
  { broker, refusal }: RequestContext,
): Commit[] {
  const maxMetadata = broker.host.settings.number('offset.metadata.max.bytes')
  const committedAt = broker.host.now()
  return topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partition, offset, leaderEpoch, metadata }): Commit => {
      const place = { topic, partition }
      const refuse = (code: number): Commit => ({ ...place, entry: undefined, errorCode: code })
      const refused = refusal(place)
      if (refused !== 0) return refuse(refused)
      if (!broker.partitionState(topic, partition)) return refuse(errorCode.unknownTopicOrPartition)
      if (Buffer.byteLength(metadata ?? '') > maxMetadata) return refuse(errorCode.offsetMetadataTooLarge)
      const value = { offset: Number(offset), leaderEpoch, metadata: metadata ?? '', committedAt }
      return { ...place, entry: { ...place, value }, errorCode: errorCode.none }
    }),
  )
}

/** The results of a commit, by topic. */
export function commitResults(commits: readonly Commit[]): TransactionTopicResult[] {
  const results = new Map<string, TransactionPartitionResult[]>()
  for (const { topic, partition, errorCode: code } of commits) {
    results.set(topic, [...(results.get(topic) ?? []), { partition, errorCode: code }])
  }
  return [...results].map(([name, partitions]) => ({ name, partitions }))
}

/** OffsetCommit: from a member of the present generation, or, while the group is empty, from outside. */
export const offsetCommitApi: ServedApi = serve(offsetCommit, async (request, context) => {
  const { broker } = context
  const commits = checkedCommits(request.topics, context)
  const code = await commit(broker, request, commits)
  if (code !== 0) for (const one of commits) if (one.entry) one.errorCode = code
  return { throttleTimeMs: 0, topics: commitResults(commits) }
})

async function commit(
  broker: Broker,
  request: {
    readonly group: string
    readonly generationId: number
    readonly memberId: string
    readonly groupInstanceId: string | null
  },
  commits: readonly Commit[],
): Promise<number> {
  const known = broker.groups.find(request.group)
  if (known.errorCode === errorCode.groupIdNotFound && request.generationId >= 0) return errorCode.illegalGeneration
  const found = known.group ? known : broker.groups.find(request.group, { create: true })
  if (!found.group) return found.errorCode
  const { group } = found
  const problem = group.mayCommit(request, false)
  if (problem !== 0) return problem
  const entries = commits.flatMap(({ entry }) => entry ?? [])
  const code = await broker.groups.keep(
    group.id,
    entries.map((entry) => ({ kind: 'offset', group: group.id, ...entry })),
  )
  // What a broker that is not in charge any more could not write, its clients try again elsewhere.
  if (code === errorCode.notLeaderOrFollower) return errorCode.notCoordinator
  if (code !== 0) return code === errorCode.requestTimedOut ? code : errorCode.coordinatorNotAvailable
  const { cleaner, settings } = broker.host
  cleaner.notice(broker.host.now() + settings.number('offsets.retention.minutes') * 60_000)
  for (const entry of entries) {
    group.offsets.put(entry)
    const { topic, partition, value } = entry
    broker.host.timeline.record({ kind: 'offset', broker: broker.id, group: group.id, topic, partition, offset: value.offset })
  }
  return errorCode.none
}

const noOffset = { offset: -1n, leaderEpoch: -1, metadata: '' }

/** OffsetFetch: −1 for what the group has not committed; a group that is not known has committed nothing. */
export const offsetFetchApi: ServedApi = serve(offsetFetch, (request, { broker, refusal }) => {
  const { group, errorCode: code } = broker.groups.find(request.group)
  const failed = refusal() || (code === errorCode.groupIdNotFound ? errorCode.none : code)
  if (failed !== 0) {
    // Version 2 and later have one code for all; the partitions repeat it for clients that look there.
    const topics = (request.topics ?? []).map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => ({ partition, ...noOffset, errorCode: failed })),
    }))
    return { throttleTimeMs: 0, topics, errorCode: failed }
  }
  const wanted = request.topics ?? allTopics(group)
  const topics = wanted.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition): OffsetFetchPartitionResult => {
      if (request.requireStable && group?.offsets.isPending(name, partition)) {
        return { partition, ...noOffset, errorCode: errorCode.unstableOffsetCommit }
      }
      const value = group?.offsets.get(name, partition)
      if (!value) return { partition, ...noOffset, errorCode: errorCode.none }
      const { offset, leaderEpoch, metadata } = value
      return { partition, offset: BigInt(offset), leaderEpoch, metadata, errorCode: errorCode.none }
    }),
  }))
  return { throttleTimeMs: 0, topics, errorCode: errorCode.none }
})

function allTopics(group: Group | undefined): { name: string; partitions: number[] }[] {
  const found = new Map<string, number[]>()
  for (const { topic, partition } of group?.offsets.entries() ?? []) {
    found.set(topic, [...(found.get(topic) ?? []), partition])
  }
  return [...found].map(([name, partitions]) => ({ name, partitions }))
}

/** OffsetDelete: not of topics that members of the group read. */
export const offsetDeleteApi: ServedApi = serve(offsetDelete, async (request, { broker, refusal }) => {
  const none = { throttleTimeMs: 0, topics: [] }
  const { group, errorCode: code } = broker.groups.find(request.group)
  if (refusal() !== 0) return { ...none, errorCode: refusal() }
  if (!group) return { ...none, errorCode: code }
  if (group.state !== 'Empty' && group.protocolType !== 'consumer') return { ...none, errorCode: errorCode.nonEmptyGroup }
  const subscribed = new Set(group.members.flatMap((member) => subscribedTopics(metadataOf(member, group.protocol))))
  const wanted = request.topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition })))
  const free = wanted.filter(({ topic }) => !subscribed.has(topic))
  const failed = await broker.groups.keep(
    group.id,
    free.map((place) => ({ kind: 'offset', group: group.id, ...place, value: undefined })),
  )
  if (failed !== 0) return { ...none, errorCode: failed }
  for (const { topic, partition } of free) group.offsets.delete(topic, partition)
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => ({
      partition,
      errorCode: subscribed.has(name)
        ? errorCode.groupSubscribedToTopic
        : broker.partitionState(name, partition)
          ? errorCode.none
          : errorCode.unknownTopicOrPartition,
    })),
  }))
  return { ...none, errorCode: errorCode.none, topics }
})

/** Topics of a subscription of the consumer protocol: version, then names. Empty for one that is not of that form. */
function subscribedTopics(metadata: Uint8Array): string[] {
  if (metadata.length < 6) return []
  const cursor = createByteCursor(metadata, 'A subscription', 2)
  try {
    return Array.from({ length: Math.min(cursor.int32(), metadata.length) }, () => cursor.utf8(cursor.int16()))
  } catch (error) {
    if ((error as { code?: unknown }).code === 'PIPE_KAFKA_WIRE') return []
    throw error
  }
}
