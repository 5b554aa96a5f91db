import { randomUUID } from 'node:crypto'
import type { HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse } from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import { createGroupOffsets, type GroupOffsets } from './group-offsets'
import type { KeptGroup } from './kept-group'
import { type Member, sameProtocols } from './member'
import { createRebalance, type GroupHost, type GroupState } from './rebalance'
import { noBytes, refuseJoin, refuseSync } from './refusal'

/** Who sends a request. */
export interface GroupClient {
  readonly clientId: string
  readonly clientHost: string
  readonly version: number
}

/** A member that wants to leave, or is made to. */
export interface LeavingId {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** A group of the classic protocol: join, sync, heartbeat, leave. */
export interface Group {
  readonly id: string
  readonly state: GroupState
  readonly generation: number
  readonly protocolType: string
  readonly protocol: string | null
  readonly members: readonly Member[]
  readonly offsets: GroupOffsets
  /** When the last member left, in milliseconds since the epoch; 0 for a group that never had one. */
  readonly emptySince: number
  join(request: JoinGroupRequest, client: GroupClient): Promise<JoinGroupResponse>
  sync(request: SyncGroupRequest): Promise<SyncGroupResponse>
  heartbeat(request: HeartbeatRequest): number
  leave(member: LeavingId): number
  /** Whether such a member may commit now; 0, or why not. */
  mayCommit(member: LeavingId & { readonly generationId: number }, isTransactional: boolean): number
  /** Takes over what was kept; members have a session to be heard of. */
  restore(kept: KeptGroup): void
  /** The coordinator is another broker now, or the group was deleted: all who wait are told so. */
  end(code: number): void
}

/** A group without members. */
export function createGroup(id: string, host: GroupHost): Group {
  const rebalance = createRebalance(host)
  const { members } = rebalance
  const all = () => [...members.values()]
  const staticMember = (instanceId: string) => all().find((member) => member.instanceId === instanceId)

  /** Fails with the code that the protocol has for a member that is not, or no longer, what it says. */
  function problemOf({ memberId, groupInstanceId }: LeavingId): number {
    if (groupInstanceId !== null) {
      const known = staticMember(groupInstanceId)
      if (!known) return errorCode.unknownMemberId
      if (known.id !== memberId) return errorCode.fencedInstanceId
      return errorCode.none
    }
    return members.has(memberId) ? errorCode.none : errorCode.unknownMemberId
  }

  function add(request: JoinGroupRequest, client: GroupClient, memberId: string): Promise<JoinGroupResponse> {
    const { sessionTimeoutMs, rebalanceTimeoutMs, groupInstanceId, protocols } = request
    const member: Member = {
      id: memberId,
      instanceId: groupInstanceId,
      clientId: client.clientId,
      clientHost: client.clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      protocols,
      assignment: noBytes,
      answerJoin: undefined,
      answerSync: undefined,
      cancelSession: () => {},
    }
    if (members.size === 0) rebalance.protocolType = request.protocolType
    rebalance.add(member)
    return rebalance.join(member)
  }

  /** A static member comes back: it takes the place of its former self, which is fenced. */
  async function replace(old: Member, request: JoinGroupRequest, client: GroupClient): Promise<JoinGroupResponse> {
    const oldId = old.id
    const isSame = sameProtocols(old.protocols, request.protocols)
    old.answerJoin?.(refuseJoin(errorCode.fencedInstanceId, oldId))
    old.answerSync?.(refuseSync(errorCode.fencedInstanceId))
    old.answerJoin = undefined
    old.answerSync = undefined
    const wasLeader = rebalance.leader === oldId
    rebalance.rename(old, newMemberId(request, client))
    Object.assign(old, { clientId: client.clientId, clientHost: client.clientHost })
    updateMember(old, request)
    rebalance.watch(old)
    if (rebalance.state !== 'Stable' || !isSame) return rebalance.join(old)
    const code = await rebalance.keep()
    if (code !== 0) return refuseJoin(errorCode.unknownMemberId)
    // Nothing changed: also its leader comes back as an ordinary member, so that it assigns nothing anew. Version 9 can say so.
    if (!wasLeader || client.version < 9) return rebalance.joined(old, wasLeader ? oldId : rebalance.leader)
    return { ...rebalance.joined(old), skipAssignment: true }
  }

  function updateMember(member: Member, { protocols, sessionTimeoutMs, rebalanceTimeoutMs }: JoinGroupRequest): void {
    member.protocols = protocols
    member.sessionTimeoutMs = sessionTimeoutMs
    member.rebalanceTimeoutMs = rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs
  }

  function isCompatible(request: JoinGroupRequest): boolean {
    if (request.protocolType === '' || request.protocols.length === 0) return false
    const rest = all().filter((one) => one.id !== request.memberId)
    if (rest.length === 0) return true
    if (request.protocolType !== rebalance.protocolType) return false
    return request.protocols.some(({ name }) => rest.every(({ protocols }) => protocols.some((one) => one.name === name)))
  }

  async function rejoin(request: JoinGroupRequest): Promise<JoinGroupResponse> {
    const problem = problemOf(request)
    if (problem !== 0) return refuseJoin(problem, request.memberId)
    const member = members.get(request.memberId)!
    const changes = !sameProtocols(member.protocols, request.protocols)
    const mayStay = rebalance.state === 'CompletingRebalance' || (rebalance.state === 'Stable' && rebalance.leader !== member.id)
    if (mayStay && !changes) {
      rebalance.watch(member)
      return rebalance.joined(member)
    }
    updateMember(member, request)
    rebalance.watch(member)
    return rebalance.join(member)
  }

  return {
    id,
    get state() {
      return rebalance.state
    },
    get generation() {
      return rebalance.generation
    },
    get protocolType() {
      return rebalance.protocolType
    },
    get protocol() {
      return rebalance.protocol
    },
    get members() {
      return all()
    },
    offsets: createGroupOffsets(),
    get emptySince() {
      return rebalance.emptySince
    },
    async join(request, client) {
      if (rebalance.state === 'Dead') return refuseJoin(errorCode.coordinatorNotAvailable, request.memberId)
      if (!isCompatible(request)) return refuseJoin(errorCode.inconsistentGroupProtocol, request.memberId)
      const { memberId, groupInstanceId } = request
      if (memberId !== '') return rebalance.takeExpected(memberId) ? add(request, client, memberId) : rejoin(request)
      if (groupInstanceId !== null) {
        const known = staticMember(groupInstanceId)
        return known ? replace(known, request, client) : add(request, client, newMemberId(request, client))
      }
      const fresh = newMemberId(request, client)
      if (client.version < 4) return add(request, client, fresh)
      rebalance.expect(fresh, request.sessionTimeoutMs)
      return refuseJoin(errorCode.memberIdRequired, fresh)
    },
    async sync(request) {
      const problem = problemOf(request)
      if (problem !== 0) return refuseSync(problem)
      if (request.generationId !== rebalance.generation) return refuseSync(errorCode.illegalGeneration)
      const differs = (told: string | null, own: string | null) => told !== null && own !== null && told !== own
      if (differs(request.protocolType, rebalance.protocolType) || differs(request.protocolName, rebalance.protocol)) {
        return refuseSync(errorCode.inconsistentGroupProtocol)
      }
      const member = members.get(request.memberId)!
      if (rebalance.state === 'PreparingRebalance') return refuseSync(errorCode.rebalanceInProgress)
      if (rebalance.state === 'Empty' || rebalance.state === 'Dead') return refuseSync(errorCode.unknownMemberId)
      rebalance.watch(member)
      if (rebalance.state === 'Stable') return rebalance.synced(member)
      const answered = rebalance.sync(member)
      if (member.id === rebalance.leader) {
        await rebalance.assign(new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment])))
      }
      return answered
    },
    heartbeat(request) {
      const problem = rebalance.state === 'Dead' ? errorCode.unknownMemberId : problemOf(request)
      if (problem !== 0) return problem
      if (request.generationId !== rebalance.generation) return errorCode.illegalGeneration
      rebalance.watch(members.get(request.memberId)!)
      return rebalance.state === 'PreparingRebalance' ? errorCode.rebalanceInProgress : errorCode.none
    },
    leave(leaving) {
      const { memberId, groupInstanceId } = leaving
      if (rebalance.takeExpected(memberId)) {
        rebalance.settle()
        return errorCode.none
      }
      // An administrator names a static member by its instance only.
      const member = groupInstanceId !== null && memberId === '' ? staticMember(groupInstanceId) : members.get(memberId)
      if (!member)
        return groupInstanceId !== null && staticMember(groupInstanceId) ? errorCode.fencedInstanceId : errorCode.unknownMemberId
      rebalance.remove(member)
      return errorCode.none
    },
    mayCommit(member, isTransactional) {
      if (rebalance.state === 'Dead') return errorCode.coordinatorNotAvailable
      const { generationId, memberId, groupInstanceId } = member
      if (generationId < 0 && rebalance.state === 'Empty') return errorCode.none
      if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
        const problem = problemOf(member)
        if (problem !== 0) return problem
        if (generationId !== rebalance.generation) return errorCode.illegalGeneration
        rebalance.watch(members.get(memberId)!)
      } else if (!isTransactional && rebalance.state !== 'Empty') return errorCode.unknownMemberId
      return rebalance.state === 'CompletingRebalance' ? errorCode.rebalanceInProgress : errorCode.none
    },
    restore: rebalance.restore,
    end: rebalance.end,
  }
}

function newMemberId({ groupInstanceId }: JoinGroupRequest, { clientId }: GroupClient): string {
  return `${groupInstanceId ?? clientId}-${randomUUID()}`
}
