import { type Api, defineApi, int16, int32, listOf, listOfStructs, nullableString, since, string } from '../schema'

export interface DeleteTopicsRequest {
  readonly topics: readonly string[]
  readonly timeoutMs: number
}

export interface TopicDeletionResult {
  readonly name: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

export interface DeleteTopicsResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly TopicDeletionResult[]
}

/** To the controller. Version 6 and later also delete by topic id; they are not described here. */
export const deleteTopics: Api<DeleteTopicsRequest, DeleteTopicsResponse> = defineApi<DeleteTopicsRequest, DeleteTopicsResponse>({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 5],
  flexibleFrom: 4,
  request: { topics: listOf(string), timeoutMs: int32 },
  response: {
    throttleTimeMs: int32,
    topics: listOfStructs<TopicDeletionResult>({
      name: string,
      errorCode: int16,
      errorMessage: since(5, nullableString, null),
    }),
  },
})
