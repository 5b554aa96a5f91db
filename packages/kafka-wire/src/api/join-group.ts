import { type Api, boolean, bytes, defineApi, int16, int32, listOfStructs, nullableString, since, string } from '../schema'

export interface JoinProtocol {
  /** Name of an assignment strategy. */
  readonly name: string
  /** For `protocolType` "consumer": the subscription. */
  readonly metadata: Uint8Array
}

export interface JoinGroupRequest {
  readonly group: string
  readonly sessionTimeoutMs: number
  /** How long a rebalance waits for this member; −1 (version 0) = the session timeout. */
  readonly rebalanceTimeoutMs: number
  /** Empty for a new member. */
  readonly memberId: string
  /** Of a static member (version 5). */
  readonly groupInstanceId: string | null
  readonly protocolType: string
  readonly protocols: readonly JoinProtocol[]
  readonly reason: string | null
}

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Uint8Array
}

export interface JoinGroupResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  /** Tells a static leader that nothing changed (version 9). */
  readonly skipAssignment: boolean
  readonly memberId: string
  /** For the leader: all members. Empty for the others. */
  readonly members: readonly JoinedMember[]
}

/** To the coordinator of the group. From version 4 on a new member is first given its id (MEMBER_ID_REQUIRED). */
export const joinGroup: Api<JoinGroupRequest, JoinGroupResponse> = defineApi<JoinGroupRequest, JoinGroupResponse>({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleFrom: 6,
  request: {
    group: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: since(1, int32, -1),
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    protocolType: string,
    protocols: listOfStructs<JoinProtocol>({ name: string, metadata: bytes }),
    reason: since(8, nullableString, null),
  },
  response: {
    throttleTimeMs: since(2, int32, 0),
    errorCode: int16,
    generationId: int32,
    protocolType: since(7, nullableString, null),
    protocolName: nullableString,
    leader: string,
    skipAssignment: since(9, boolean, false),
    memberId: string,
    members: listOfStructs<JoinedMember>({
      memberId: string,
      groupInstanceId: since(5, nullableString, null),
      metadata: bytes,
    }),
  },
})
