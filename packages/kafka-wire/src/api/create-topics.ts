import { type Api, boolean, defineApi, int16, int32, listOf, listOfStructs, nullableString, string } from '../schema'

export interface ReplicaAssignment {
  readonly partition: number
  readonly brokerIds: readonly number[]
}

export interface TopicConfig {
  readonly name: string
  readonly value: string | null
}

export interface TopicToCreate {
  readonly name: string
  /** −1 with assignments. */
  readonly partitions: number
  /** −1 with assignments. */
  readonly replicationFactor: number
  readonly assignments: readonly ReplicaAssignment[]
  readonly configs: readonly TopicConfig[]
}

export interface CreateTopicsRequest {
  readonly topics: readonly TopicToCreate[]
  readonly timeoutMs: number
  readonly validateOnly: boolean
}

export interface TopicCreationResult {
  readonly name: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

export interface CreateTopicsResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly TopicCreationResult[]
}

/** To the controller. */
export const createTopics: Api<CreateTopicsRequest, CreateTopicsResponse> = defineApi<CreateTopicsRequest, CreateTopicsResponse>({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 4],
  request: {
    topics: listOfStructs<TopicToCreate>({
      name: string,
      partitions: int32,
      replicationFactor: int16,
      assignments: listOfStructs<ReplicaAssignment>({ partition: int32, brokerIds: listOf(int32) }),
      configs: listOfStructs<TopicConfig>({ name: string, value: nullableString }),
    }),
    timeoutMs: int32,
    validateOnly: boolean,
  },
  response: {
    throttleTimeMs: int32,
    topics: listOfStructs<TopicCreationResult>({ name: string, errorCode: int16, errorMessage: nullableString }),
  },
})
