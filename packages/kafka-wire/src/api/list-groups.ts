import { type Api, defineApi, int16, int32, listOfStructs, since, string } from '../schema'

export interface ListedGroup {
  readonly group: string
  /** `consumer` for consumer groups; empty for groups that only hold offsets. */
  readonly protocolType: string
}

export interface ListGroupsResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly groups: readonly ListedGroup[]
}

/** Each broker answers for the groups that it coordinates. */
export const listGroups: Api<object, ListGroupsResponse> = defineApi<object, ListGroupsResponse>({
  key: 16,
  name: 'ListGroups',
  versions: [0, 2],
  request: {},
  response: {
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    groups: listOfStructs<ListedGroup>({ group: string, protocolType: string }),
  },
})
