import {
  type Api,
  boolean,
  bytes,
  defineApi,
  int16,
  int32,
  listOf,
  listOfStructs,
  nullableString,
  since,
  string,
} from '../schema'

export interface DescribeGroupsRequest {
  readonly groups: readonly string[]
  readonly includeAuthorizedOperations: boolean
}

export interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly memberMetadata: Uint8Array
  /** For `protocolType` "consumer": the assignment, as {@link readAssignment} reads it. */
  readonly memberAssignment: Uint8Array
}

export interface DescribedGroup {
  readonly errorCode: number
  readonly group: string
  /** `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable`, or `Dead` (unknown to this coordinator). */
  readonly state: string
  readonly protocolType: string
  readonly protocolData: string
  readonly members: readonly DescribedMember[]
  readonly authorizedOperations: number
}

export interface DescribeGroupsResponse {
  readonly throttleTimeMs: number
  readonly groups: readonly DescribedGroup[]
}

/** To the coordinator of the groups. */
export const describeGroups: Api<DescribeGroupsRequest, DescribeGroupsResponse> = defineApi<
  DescribeGroupsRequest,
  DescribeGroupsResponse
>({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 4],
  request: { groups: listOf(string), includeAuthorizedOperations: since(3, boolean, false) },
  response: {
    throttleTimeMs: since(1, int32, 0),
    groups: listOfStructs<DescribedGroup>({
      errorCode: int16,
      group: string,
      state: string,
      protocolType: string,
      protocolData: string,
      members: listOfStructs<DescribedMember>({
        memberId: string,
        groupInstanceId: since(4, nullableString, null),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: since(3, int32, -2147483648),
    }),
  },
})
