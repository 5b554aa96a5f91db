import {
  type Api,
  boolean,
  defineApi,
  int16,
  int32,
  listOf,
  listOfStructs,
  nullableListOfStructs,
  nullableString,
  string,
} from '../schema'

export interface NewPartitionAssignment {
  readonly brokerIds: readonly number[]
}

export interface TopicToGrow {
  readonly name: string
  /** Partitions in all, afterwards. */
  readonly count: number
  /** One entry a new partition, or `null`: the controller chooses. */
  readonly assignments: readonly NewPartitionAssignment[] | null
}

export interface CreatePartitionsRequest {
  readonly topics: readonly TopicToGrow[]
  readonly timeoutMs: number
  readonly validateOnly: boolean
}

export interface PartitionCreationResult {
  readonly name: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

export interface CreatePartitionsResponse {
  readonly throttleTimeMs: number
  readonly results: readonly PartitionCreationResult[]
}

/** To the controller. */
export const createPartitions: Api<CreatePartitionsRequest, CreatePartitionsResponse> = defineApi<
  CreatePartitionsRequest,
  CreatePartitionsResponse
>({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 1],
  request: {
    topics: listOfStructs<TopicToGrow>({
      name: string,
      count: int32,
      assignments: nullableListOfStructs<NewPartitionAssignment>({ brokerIds: listOf(int32) }),
    }),
    timeoutMs: int32,
    validateOnly: boolean,
  },
  response: {
    throttleTimeMs: int32,
    results: listOfStructs<PartitionCreationResult>({ name: string, errorCode: int16, errorMessage: nullableString }),
  },
})
