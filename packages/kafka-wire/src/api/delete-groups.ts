import { type Api, defineApi, int16, int32, listOf, listOfStructs, string } from '../schema'

export interface DeleteGroupsRequest {
  readonly groups: readonly string[]
}

export interface DeletedGroup {
  readonly group: string
  readonly errorCode: number
}

export interface DeleteGroupsResponse {
  readonly throttleTimeMs: number
  readonly results: readonly DeletedGroup[]
}

/** To the coordinator of the groups. */
export const deleteGroups: Api<DeleteGroupsRequest, DeleteGroupsResponse> = defineApi<DeleteGroupsRequest, DeleteGroupsResponse>({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexibleFrom: 2,
  request: { groups: listOf(string) },
  response: { throttleTimeMs: int32, results: listOfStructs<DeletedGroup>({ group: string, errorCode: int16 }) },
})
