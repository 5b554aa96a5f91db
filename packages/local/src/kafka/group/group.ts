import { randomUUID } from 'node:crypto'
import type { HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse } from '@pipe/kafka-wire'
import type { BrokerTimers } from '../broker-timers'
import { errorCode } from '../error-code'
import { createGroupOffsets, type GroupOffsets } from './group-offsets'
import type { KeptGroup } from './kept-group'
import { chooseProtocol, type Member, metadataOf, sameProtocols } from './member'

/** States of a group, by Kafka's names. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** What a group needs of its coordinator. */
export interface GroupHost {
  readonly timers: BrokerTimers
  readonly initialDelayMs: number
  now(): number
  /** Keeps the group in the log. Resolves with an error code. */
  keep(group: KeptGroup): Promise<number>
  changed(state: GroupState, generation: number, members: number): void
}

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

/** How long a new member may wait for its first rebalance. */
const newMemberTimeoutMs = 300_000

/** A group without members. */
export function createGroup(id: string, host: GroupHost): Group {
  let state: GroupState = 'Empty'
  let generation = 0
  let protocolType = ''
  let protocol: string | null = null
  let leader: string | null = null
  const members = new Map<string, Member>()
  /** Ids that were given out and have not joined yet (KIP-394). */
  const pending = new Map<string, () => void>()
  let cancelRebalance = () => {}
  let cancelSync = () => {}
  const unsynced = new Set<string>()

  const enter = (next: GroupState) => {
    state = next
    host.changed(state, generation, members.size)
  }
  const refuseJoin = (code: number, memberId = ''): JoinGroupResponse => {
    return { ...noJoin, errorCode: code, memberId }
  }
  const refuseSync = (code: number): SyncGroupResponse => ({ ...noSync, errorCode: code })
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

  function watch(member: Member, timeoutMs = member.sessionTimeoutMs): void {
    member.cancelSession()
    member.cancelSession = host.timers.after(timeoutMs, () => {
      // Who waits for an answer is alive.
      if (member.answerSync || (member.answerJoin && timeoutMs !== newMemberTimeoutMs)) watch(member)
      else remove(member)
    })
  }

  function remove(member: Member): void {
    member.cancelSession()
    member.answerJoin?.(refuseJoin(errorCode.unknownMemberId, member.id))
    member.answerSync?.(refuseSync(errorCode.unknownMemberId))
    members.delete(member.id)
    unsynced.delete(member.id)
    if (leader === member.id) leader = all()[0]?.id ?? null
    if (state === 'Stable' || state === 'CompletingRebalance') prepare()
    else if (state === 'PreparingRebalance') completeWhenJoined()
  }

  /** Asks all members to join again. */
  function prepare(): void {
    for (const member of all()) {
      member.answerSync?.(refuseSync(errorCode.rebalanceInProgress))
      member.answerSync = undefined
      if (state === 'CompletingRebalance') member.assignment = noBytes
    }
    cancelSync()
    const isFirst = state === 'Empty' && host.initialDelayMs > 0
    enter('PreparingRebalance')
    cancelRebalance()
    if (isFirst) cancelRebalance = host.timers.after(host.initialDelayMs, complete)
    else {
      cancelRebalance = host.timers.after(Math.max(0, ...all().map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs)), complete)
      completeWhenJoined()
    }
  }

  function completeWhenJoined(): void {
    if (state !== 'PreparingRebalance' || pending.size > 0) return
    if (host.initialDelayMs > 0 && generation === 0) return
    if (all().every(({ answerJoin }) => answerJoin !== undefined)) complete()
  }

  /** Ends the joining: who has not come is out, except static members, whose sessions decide. */
  function complete(): void {
    cancelRebalance()
    for (const member of all()) {
      if (member.answerJoin || member.instanceId !== null) continue
      member.cancelSession()
      members.delete(member.id)
    }
    generation += 1
    if (members.size === 0) {
      protocol = null
      leader = null
      enter('Empty')
      // An empty group is kept for its generation; when that fails, a new coordinator begins one earlier, which no member notices.
      void host.keep(kept())
      return
    }
    if (!all().some(({ answerJoin }) => answerJoin)) {
      // Only static members that are away: they are waited for.
      generation -= 1
      cancelRebalance = host.timers.after(Math.max(...all().map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs)), complete)
      return
    }
    if (leader === null || !members.get(leader)?.answerJoin) leader = all().find(({ answerJoin }) => answerJoin)!.id
    protocol = chooseProtocol(all())
    enter('CompletingRebalance')
    unsynced.clear()
    for (const member of all()) {
      unsynced.add(member.id)
      const answer = member.answerJoin
      member.answerJoin = undefined
      watch(member)
      answer?.(joined(member))
    }
    const patience = Math.max(...all().map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs))
    cancelSync = host.timers.after(patience, () => {
      if (state !== 'CompletingRebalance') return
      for (const memberId of [...unsynced]) {
        const late = members.get(memberId)
        if (late) remove(late)
      }
    })
  }

  function joined(member: Member, told = leader): JoinGroupResponse {
    const isLeader = told === member.id
    return {
      ...noJoin,
      errorCode: errorCode.none,
      generationId: generation,
      protocolType,
      protocolName: protocol,
      leader: told ?? '',
      memberId: member.id,
      members: isLeader
        ? all().map((one) => ({ memberId: one.id, groupInstanceId: one.instanceId, metadata: metadataOf(one, protocol) }))
        : [],
    }
  }

  function kept(): KeptGroup {
    return {
      protocolType,
      generation,
      protocol,
      leader,
      changedAt: BigInt(host.now()),
      members: all().map((member) => ({
        memberId: member.id,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeoutMs: member.rebalanceTimeoutMs,
        sessionTimeoutMs: member.sessionTimeoutMs,
        subscription: metadataOf(member, protocol),
        assignment: member.assignment,
      })),
    }
  }

  const waitForRebalance = (member: Member): Promise<JoinGroupResponse> =>
    new Promise((resolve) => {
      // Joined twice: the earlier request is of a client that has given it up.
      member.answerJoin?.(refuseJoin(errorCode.unknownMemberId, member.id))
      member.answerJoin = resolve
      if (state === 'PreparingRebalance') completeWhenJoined()
      else prepare()
    })

  function add(request: JoinGroupRequest, client: GroupClient, memberId: string): Promise<JoinGroupResponse> {
    pending.get(memberId)?.()
    pending.delete(memberId)
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
    if (members.size === 0) protocolType = request.protocolType
    members.set(memberId, member)
    leader ??= memberId
    watch(member, newMemberTimeoutMs)
    return waitForRebalance(member)
  }

  /** A static member comes back: it takes the place of its former self, which is fenced. */
  async function replace(old: Member, request: JoinGroupRequest, client: GroupClient): Promise<JoinGroupResponse> {
    const oldId = old.id
    const isSame = sameProtocols(old.protocols, request.protocols)
    old.answerJoin?.(refuseJoin(errorCode.fencedInstanceId, oldId))
    old.answerSync?.(refuseSync(errorCode.fencedInstanceId))
    old.answerJoin = undefined
    old.answerSync = undefined
    members.delete(oldId)
    const wasUnsynced = unsynced.delete(oldId)
    Object.assign(old, { id: newMemberId(request, client), clientId: client.clientId, clientHost: client.clientHost })
    updateMember(old, request)
    members.set(old.id, old)
    if (wasUnsynced) unsynced.add(old.id)
    const wasLeader = leader === oldId
    if (wasLeader) leader = old.id
    watch(old)
    if (state !== 'Stable' || !isSame) return waitForRebalance(old)
    const code = await host.keep(kept())
    if (code !== 0) return refuseJoin(errorCode.unknownMemberId)
    // Nothing changed: also its leader comes back as an ordinary member, so that it assigns nothing anew. Version 9 can say so.
    if (!wasLeader || client.version < 9) return joined(old, wasLeader ? oldId : leader)
    return { ...joined(old), skipAssignment: true }
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
    if (request.protocolType !== protocolType) return false
    return request.protocols.some(({ name }) => rest.every(({ protocols }) => protocols.some((one) => one.name === name)))
  }

  async function rejoin(request: JoinGroupRequest): Promise<JoinGroupResponse> {
    const problem = problemOf(request)
    if (problem !== 0) return refuseJoin(problem, request.memberId)
    const member = members.get(request.memberId)!
    const changes = !sameProtocols(member.protocols, request.protocols)
    const mayStay = state === 'CompletingRebalance' || (state === 'Stable' && leader !== member.id)
    if (mayStay && !changes) {
      watch(member)
      return joined(member)
    }
    updateMember(member, request)
    watch(member)
    return waitForRebalance(member)
  }

  async function assign(request: SyncGroupRequest): Promise<void> {
    const given = new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment]))
    const own = generation
    for (const member of all()) member.assignment = Buffer.from(given.get(member.id) ?? noBytes)
    const code = await host.keep(kept())
    if (state !== 'CompletingRebalance' || generation !== own) return
    if (code !== 0) {
      for (const member of all()) {
        member.assignment = noBytes
        member.answerSync?.(
          refuseSync(code === errorCode.notLeaderOrFollower ? errorCode.notCoordinator : errorCode.coordinatorNotAvailable),
        )
        member.answerSync = undefined
      }
      prepare()
      return
    }
    enter('Stable')
    cancelSync()
    unsynced.clear()
    for (const member of all()) {
      member.answerSync?.(synced(member))
      member.answerSync = undefined
      watch(member)
    }
  }

  function synced({ assignment }: Member): SyncGroupResponse {
    return { ...noSync, errorCode: errorCode.none, protocolType, protocolName: protocol, assignment }
  }

  return {
    id,
    get state() {
      return state
    },
    get generation() {
      return generation
    },
    get protocolType() {
      return protocolType
    },
    get protocol() {
      return protocol
    },
    get members() {
      return all()
    },
    offsets: createGroupOffsets(),
    async join(request, client) {
      if (state === 'Dead') return refuseJoin(errorCode.coordinatorNotAvailable, request.memberId)
      if (!isCompatible(request)) return refuseJoin(errorCode.inconsistentGroupProtocol, request.memberId)
      const { memberId, groupInstanceId } = request
      if (memberId !== '') return pending.has(memberId) ? add(request, client, memberId) : rejoin(request)
      if (groupInstanceId !== null) {
        const known = staticMember(groupInstanceId)
        return known ? replace(known, request, client) : add(request, client, newMemberId(request, client))
      }
      const fresh = newMemberId(request, client)
      if (client.version < 4) return add(request, client, fresh)
      const forget = () => {
        pending.delete(fresh)
        completeWhenJoined()
      }
      pending.set(fresh, host.timers.after(request.sessionTimeoutMs, forget))
      return refuseJoin(errorCode.memberIdRequired, fresh)
    },
    async sync(request) {
      const problem = problemOf(request)
      if (problem !== 0) return refuseSync(problem)
      if (request.generationId !== generation) return refuseSync(errorCode.illegalGeneration)
      const differs = (told: string | null, own: string | null) => told !== null && own !== null && told !== own
      if (differs(request.protocolType, protocolType) || differs(request.protocolName, protocol)) {
        return refuseSync(errorCode.inconsistentGroupProtocol)
      }
      const member = members.get(request.memberId)!
      if (state === 'PreparingRebalance') return refuseSync(errorCode.rebalanceInProgress)
      if (state === 'Empty' || state === 'Dead') return refuseSync(errorCode.unknownMemberId)
      watch(member)
      if (state === 'Stable') return synced(member)
      unsynced.delete(member.id)
      const answered = new Promise<SyncGroupResponse>((resolve) => {
        member.answerSync = resolve
      })
      if (member.id === leader) await assign(request)
      return answered
    },
    heartbeat(request) {
      const problem = state === 'Dead' ? errorCode.unknownMemberId : problemOf(request)
      if (problem !== 0) return problem
      if (request.generationId !== generation) return errorCode.illegalGeneration
      watch(members.get(request.memberId)!)
      return state === 'PreparingRebalance' ? errorCode.rebalanceInProgress : errorCode.none
    },
    leave(leaving) {
      const { memberId, groupInstanceId } = leaving
      const cancelPending = pending.get(memberId)
      if (cancelPending) {
        cancelPending()
        pending.delete(memberId)
        completeWhenJoined()
        return errorCode.none
      }
      // An administrator names a static member by its instance only.
      const member = groupInstanceId !== null && memberId === '' ? staticMember(groupInstanceId) : members.get(memberId)
      if (!member)
        return groupInstanceId !== null && staticMember(groupInstanceId) ? errorCode.fencedInstanceId : errorCode.unknownMemberId
      remove(member)
      return errorCode.none
    },
    mayCommit(member, isTransactional) {
      if (state === 'Dead') return errorCode.coordinatorNotAvailable
      const { generationId, memberId, groupInstanceId } = member
      if (generationId < 0 && state === 'Empty') return errorCode.none
      if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
        const problem = problemOf(member)
        if (problem !== 0) return problem
        if (generationId !== generation) return errorCode.illegalGeneration
        watch(members.get(memberId)!)
      } else if (!isTransactional && state !== 'Empty') return errorCode.unknownMemberId
      return state === 'CompletingRebalance' ? errorCode.rebalanceInProgress : errorCode.none
    },
    restore(from) {
      protocolType = from.protocolType
      generation = from.generation
      protocol = from.protocol
      leader = from.leader
      for (const old of members.values()) old.cancelSession()
      members.clear()
      for (const { memberId, groupInstanceId, subscription, assignment, ...rest } of from.members) {
        const member: Member = {
          id: memberId,
          instanceId: groupInstanceId,
          ...rest,
          protocols: protocol === null ? [] : [{ name: protocol, metadata: subscription }],
          assignment,
          answerJoin: undefined,
          answerSync: undefined,
          cancelSession: () => {},
        }
        members.set(memberId, member)
        watch(member)
      }
      state = members.size > 0 ? 'Stable' : 'Empty'
    },
    end(code) {
      state = 'Dead'
      cancelRebalance()
      cancelSync()
      for (const cancel of pending.values()) cancel()
      pending.clear()
      for (const member of all()) {
        member.cancelSession()
        member.answerJoin?.(refuseJoin(code, member.id))
        member.answerSync?.(refuseSync(code))
      }
      members.clear()
    },
  }
}

const noBytes = Buffer.alloc(0)
const noJoin: JoinGroupResponse = {
  throttleTimeMs: 0,
  errorCode: 0,
  generationId: -1,
  protocolType: null,
  protocolName: '',
  leader: '',
  skipAssignment: false,
  memberId: '',
  members: [],
}
const noSync: SyncGroupResponse = { throttleTimeMs: 0, errorCode: 0, protocolType: null, protocolName: null, assignment: noBytes }

function newMemberId({ groupInstanceId }: JoinGroupRequest, { clientId }: GroupClient): string {
  return `${groupInstanceId ?? clientId}-${randomUUID()}`
}
