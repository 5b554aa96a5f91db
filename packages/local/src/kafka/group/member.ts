import type { JoinGroupResponse, JoinProtocol, SyncGroupResponse } from '@pipe/kafka-wire'

/** A member of a group. */
export interface Member {
  id: string
  readonly instanceId: string | null
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly JoinProtocol[]
  assignment: Uint8Array
  /** Answers its JoinGroup, while it waits for the rebalance. */
  answerJoin: ((response: JoinGroupResponse) => void) | undefined
  /** Answers its SyncGroup, while it waits for the leader. */
  answerSync: ((response: SyncGroupResponse) => void) | undefined
  /** Ends the timer of its session. */
  cancelSession: () => void
}

/** The subscription of a member to a protocol. */
export function metadataOf(member: Member, protocol: string | null): Uint8Array {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? Buffer.alloc(0)
}

/** Whether two lists of protocols are the same, so that a member that joins again changes nothing. */
export function sameProtocols(one: readonly JoinProtocol[], other: readonly JoinProtocol[]): boolean {
  if (one.length !== other.length) return false
  return one.every(({ name, metadata }, index) => {
    const match = other[index]!
    return match.name === name && Buffer.compare(metadata, match.metadata) === 0
  })
}

/** The protocol that all members know and most of them prefer. */
export function chooseProtocol(members: readonly Member[]): string {
  const common = members[0]!.protocols
    .map(({ name }) => name)
    .filter((name) => members.every(({ protocols }) => protocols.some((one) => one.name === name)))
  const votes = new Map<string, number>()
  for (const { protocols } of members) {
    const vote = protocols.find(({ name }) => common.includes(name))!.name
    votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  return [...votes].sort(([, one], [, other]) => other - one)[0]![0]
}
