import type { JoinGroupResponse, SyncGroupResponse } from '@pipe/kafka-wire'
import type { BrokerTimers } from '../broker-timers'
import { errorCode } from '../error-code'
import type { KeptGroup } from './kept-group'
import { chooseProtocol, type Member, metadataOf } from './member'
import { noBytes, noJoin, noSync, refuseJoin, refuseSync } from './refusal'

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

/** The members of a group and the rebalance that is under way: joining, then syncing, then stable. */
export interface Rebalance {
  readonly state: GroupState
  readonly generation: number
  /** When the last member left, in milliseconds since the epoch; 0 when there was none. */
  readonly emptySince: number
  readonly protocol: string | null
  protocolType: string
  leader: string | null
  readonly members: ReadonlyMap<string, Member>
  /** Adds a member; the one that comes first leads. */
  add(member: Member): void
  /** A member gets another id. */
  rename(member: Member, id: string): void
  remove(member: Member): void
  /** Begins the time in which a member must be heard of again. */
  watch(member: Member): void
  /** Answers when the next rebalance is complete, and begins one. */
  join(member: Member): Promise<JoinGroupResponse>
  /** Answers when the leader has assigned. */
  sync(member: Member): Promise<SyncGroupResponse>
  /** What the leader assigned, by member. */
  assign(assignments: ReadonlyMap<string, Uint8Array>): Promise<void>
  /** What a member is told when it has joined. `leader` may be another one, for a leader that is not to assign. */
  joined(member: Member, leader?: string | null): JoinGroupResponse
  synced(member: Member): SyncGroupResponse
  /** Gives out an id that must be used within the session time-out (KIP-394). */
  expect(memberId: string, withinMs: number): void
  /** Whether the id was given out and not used yet; it is used up. */
  takeExpected(memberId: string): boolean
  /** Ends the joining when all are there: an id that was given out is not waited for any more. */
  settle(): void
  /** Keeps the group as it is. Resolves with an error code. */
  keep(): Promise<number>
  restore(kept: KeptGroup): void
  end(code: number): void
}

/** How long a new member may wait for its first rebalance. */
const newMemberTimeoutMs = 300_000

/** No members yet. */
export function createRebalance(host: GroupHost): Rebalance {
  let state: GroupState = 'Empty'
  let generation = 0
  let emptySince = 0
  let protocolType = ''
  let protocol: string | null = null
  let leader: string | null = null
  const members = new Map<string, Member>()
  /** Ids that were given out and have not joined yet (KIP-394). */
  const expected = new Map<string, () => void>()
  let cancelRebalance = () => {}
  let cancelSync = () => {}
  const unsynced = new Set<string>()

  const enter = (next: GroupState) => {
    state = next
    host.changed(state, generation, members.size)
  }
  const all = () => [...members.values()]

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
    if (state !== 'PreparingRebalance' || expected.size > 0) return
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
      emptySince = host.now()
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

  function joined(member: Member, told: string | null = leader): JoinGroupResponse {
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

  function synced({ assignment }: Member): SyncGroupResponse {
    return { ...noSync, errorCode: errorCode.none, protocolType, protocolName: protocol, assignment }
  }

  return {
    get state() {
      return state
    },
    get generation() {
      return generation
    },
    get emptySince() {
      return emptySince
    },
    get protocol() {
      return protocol
    },
    get protocolType() {
      return protocolType
    },
    set protocolType(value) {
      protocolType = value
    },
    get leader() {
      return leader
    },
    set leader(value) {
      leader = value
    },
    members,
    add(member) {
      members.set(member.id, member)
      leader ??= member.id
      watch(member, newMemberTimeoutMs)
    },
    rename(member, id) {
      const wasUnsynced = unsynced.delete(member.id)
      members.delete(member.id)
      if (leader === member.id) leader = id
      member.id = id
      members.set(id, member)
      if (wasUnsynced) unsynced.add(id)
    },
    remove,
    watch: (member) => watch(member),
    join: (member) =>
      new Promise((resolve) => {
        // Joined twice: the earlier request is of a client that has given it up.
        member.answerJoin?.(refuseJoin(errorCode.unknownMemberId, member.id))
        member.answerJoin = resolve
        if (state === 'PreparingRebalance') completeWhenJoined()
        else prepare()
      }),
    sync: (member) =>
      new Promise((resolve) => {
        unsynced.delete(member.id)
        member.answerSync = resolve
      }),
    async assign(assignments) {
      const own = generation
      for (const member of all()) member.assignment = Buffer.from(assignments.get(member.id) ?? noBytes)
      const code = await host.keep(kept())
      if (state !== 'CompletingRebalance' || generation !== own) return
      if (code !== 0) {
        const told = code === errorCode.notLeaderOrFollower ? errorCode.notCoordinator : errorCode.coordinatorNotAvailable
        for (const member of all()) {
          member.assignment = noBytes
          member.answerSync?.(refuseSync(told))
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
    },
    joined,
    synced,
    expect(memberId, withinMs) {
      const forget = () => {
        expected.delete(memberId)
        completeWhenJoined()
      }
      expected.set(memberId, host.timers.after(withinMs, forget))
    },
    takeExpected(memberId) {
      const cancel = expected.get(memberId)
      cancel?.()
      return expected.delete(memberId)
    },
    settle: completeWhenJoined,
    keep: () => host.keep(kept()),
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
      if (state === 'Empty') emptySince = Number(from.changedAt)
    },
    end(code) {
      state = 'Dead'
      cancelRebalance()
      cancelSync()
      for (const cancel of expected.values()) cancel()
      expected.clear()
      for (const member of all()) {
        member.cancelSession()
        member.answerJoin?.(refuseJoin(code, member.id))
        member.answerSync?.(refuseSync(code))
      }
      members.clear()
    },
  }
}
