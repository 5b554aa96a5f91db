import { type Api, between, defineApi, int16, int32, listOfStructs, nullableString, since, string } from '../schema'

export interface LeavingMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly reason: string | null
}

export interface LeaveGroupRequest {
  readonly group: string
  /** The one member of versions 0 to 2. */
  readonly memberId: string
  /** Version 3 and later. */
  readonly members: readonly LeavingMember[]
}

export interface LeftMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly errorCode: number
}

export interface LeaveGroupResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly members: readonly LeftMember[]
}

/** To the coordinator of the group. */
export const leaveGroup: Api<LeaveGroupRequest, LeaveGroupResponse> = defineApi<LeaveGroupRequest, LeaveGroupResponse>({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    group: string,
    memberId: between(0, 2, string, ''),
    members: since(
      3,
      listOfStructs<LeavingMember>({
        memberId: string,
        groupInstanceId: nullableString,
        reason: since(5, nullableString, null),
      }),
      [],
    ),
  },
  response: {
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    members: since(3, listOfStructs<LeftMember>({ memberId: string, groupInstanceId: nullableString, errorCode: int16 }), []),
  },
})
