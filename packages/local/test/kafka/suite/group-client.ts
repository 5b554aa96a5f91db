import {
  findCoordinator,
  heartbeat,
  type JoinGroupResponse,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  type SyncGroupResponse,
  syncGroup,
} from '@pipe/kafka-wire'
import { type RawClient, rawClient } from '../raw-client'
import type { KafkaTarget } from './target'

/** Raw requests of one member, or would-be member, of a group, at its coordinator. */
export interface GroupClient {
  readonly raw: RawClient
  readonly coordinator: number
  memberId: string
  generationId: number
  join(options?: {
    version?: number
    protocols?: readonly string[]
    instanceId?: string | null
    sessionTimeoutMs?: number
    protocolType?: string
    topics?: readonly string[]
  }): Promise<JoinGroupResponse>
  /** Joins and syncs; the leader gives every member its own id as assignment. */
  joinAndSync(options?: Parameters<GroupClient['join']>[0]): Promise<SyncGroupResponse>
  sync(members?: readonly string[], instanceId?: string | null): Promise<SyncGroupResponse>
  heartbeat(instanceId?: string | null): Promise<number>
  leave(): Promise<number>
  commit(
    topic: string,
    offset: bigint,
    as?: { generationId?: number; memberId?: string; metadata?: string; partition?: number },
  ): Promise<number>
  committed(topic: string, partition?: number): Promise<bigint>
  close(): void
}

/** A subscription of the consumer protocol. */
function subscription(topics: readonly string[]): Buffer {
  const names = topics.map((topic) => {
    const head = Buffer.alloc(2)
    head.writeInt16BE(topic.length)
    return Buffer.concat([head, Buffer.from(topic)])
  })
  const head = Buffer.alloc(6)
  head.writeInt32BE(topics.length, 2)
  return Buffer.concat([head, ...names, Buffer.from([255, 255, 255, 255])])
}

const isListening = (address: string) =>
  rawClient(address).then(
    (client) => {
      client.close()
      return true
    },
    () => false,
  )

/** Asks for the coordinator until there is one, and connects. */
export async function groupClient(target: KafkaTarget, group: string, ask?: number): Promise<GroupClient> {
  let coordinator = -1
  for (let tries = 0; coordinator < 0; tries++) {
    const any = await rawClient(target.address(ask ?? 1 + (tries % 3))).catch(() => undefined)
    const answer = await any?.ask(findCoordinator, 1, { key: group, keyType: 0 }).catch(() => undefined)
    any?.close()
    // A coordinator that has just died may still be named.
    if (answer?.errorCode === 0 && (await isListening(target.address(answer.nodeId)))) coordinator = answer.nodeId
    else if (tries > 300) throw new Error(`No coordinator for ${group}: error code ${answer?.errorCode}.`)
    else await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const raw = await rawClient(target.address(coordinator))
  const client: GroupClient = {
    raw,
    coordinator,
    memberId: '',
    generationId: -1,
    async join(options = {}) {
      const {
        version = 5,
        protocols = ['range'],
        instanceId = null,
        sessionTimeoutMs = 10_000,
        protocolType = 'consumer',
        topics = [],
      } = options
      const answer = await raw.ask(joinGroup, version, {
        group,
        sessionTimeoutMs,
        rebalanceTimeoutMs: 20_000,
        memberId: client.memberId,
        groupInstanceId: instanceId,
        protocolType,
        protocols: protocols.map((name) => ({ name, metadata: subscription(topics) })),
        reason: null,
      })
      if (answer.errorCode === 0 || answer.errorCode === 79) client.memberId = answer.memberId
      if (answer.errorCode === 0) client.generationId = answer.generationId
      return answer
    },
    async joinAndSync(options = {}) {
      let answer = await client.join(options)
      if (answer.errorCode === 79) answer = await client.join(options)
      if (answer.errorCode !== 0) throw new Error(`JoinGroup failed with ${answer.errorCode}.`)
      return client.sync(
        answer.members.map(({ memberId }) => memberId),
        options.instanceId,
      )
    },
    sync: (members = [], instanceId = null) =>
      raw.ask(syncGroup, 3, {
        group,
        generationId: client.generationId,
        memberId: client.memberId,
        groupInstanceId: instanceId,
        protocolType: null,
        protocolName: null,
        assignments: members.map((memberId) => ({ memberId, assignment: Buffer.from(memberId) })),
      }),
    async heartbeat(instanceId = null) {
      const { memberId, generationId } = client
      return (await raw.ask(heartbeat, 3, { group, generationId, memberId, groupInstanceId: instanceId })).errorCode
    },
    async leave() {
      const members = [{ memberId: client.memberId, groupInstanceId: null, reason: null }]
      const answer = await raw.ask(leaveGroup, 3, { group, memberId: '', members })
      return answer.errorCode || answer.members[0]!.errorCode
    },
    async commit(topic, offset, as = {}) {
      const answer = await raw.ask(offsetCommit, 7, {
        group,
        generationId: as.generationId ?? client.generationId,
        memberId: as.memberId ?? client.memberId,
        groupInstanceId: null,
        retentionTimeMs: -1n,
        topics: [
          { name: topic, partitions: [{ partition: as.partition ?? 0, offset, leaderEpoch: -1, metadata: as.metadata ?? null }] },
        ],
      })
      return answer.topics[0]!.partitions[0]!.errorCode
    },
    async committed(topic, partition = 0) {
      const answer = await raw.ask(offsetFetch, 5, {
        group,
        topics: [{ name: topic, partitions: [partition] }],
        requireStable: false,
      })
      const found = answer.topics[0]!.partitions[0]!
      if (answer.errorCode || found.errorCode) throw new Error(`OffsetFetch failed with ${answer.errorCode || found.errorCode}.`)
      return found.offset
    },
    close: () => raw.close(),
  }
  return client
}
