import {
  type Api,
  defineApi,
  int16,
  int32,
  listOf,
  listOfStructs,
  nullableListOf,
  nullableListOfStructs,
  nullableString,
  string,
} from '../schema'

export interface ReassignedPartition {
  readonly partition: number
  /** Broker ids; `null` takes a reassignment that is under way back. */
  readonly replicas: readonly number[] | null
}

export interface ReassignedTopic {
  readonly name: string
  readonly partitions: readonly ReassignedPartition[]
}

export interface AlterPartitionReassignmentsRequest {
  readonly timeoutMs: number
  readonly topics: readonly ReassignedTopic[]
}

export interface ReassignmentResult {
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

export interface ReassignmentTopicResult {
  readonly name: string
  readonly partitions: readonly ReassignmentResult[]
}

export interface AlterPartitionReassignmentsResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly topics: readonly ReassignmentTopicResult[]
}

/** To the controller. Answered when the reassignment has begun; new replicas catch up after that. */
export const alterPartitionReassignments: Api<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse> =
  defineApi<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>({
    key: 45,
    name: 'AlterPartitionReassignments',
    versions: [0, 0],
    flexibleFrom: 0,
    request: {
      timeoutMs: int32,
      topics: listOfStructs<ReassignedTopic>({
        name: string,
        partitions: listOfStructs<ReassignedPartition>({ partition: int32, replicas: nullableListOf(int32) }),
      }),
    },
    response: {
      throttleTimeMs: int32,
      errorCode: int16,
      errorMessage: nullableString,
      topics: listOfStructs<ReassignmentTopicResult>({
        name: string,
        partitions: listOfStructs<ReassignmentResult>({ partition: int32, errorCode: int16, errorMessage: nullableString }),
      }),
    },
  })

export interface ListedReassignmentTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface ListPartitionReassignmentsRequest {
  readonly timeoutMs: number
  /** `null` = all. */
  readonly topics: readonly ListedReassignmentTopic[] | null
}

export interface OngoingReassignment {
  readonly partition: number
  /** All of them, those that come and those that go. */
  readonly replicas: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
}

export interface OngoingReassignmentTopic {
  readonly name: string
  readonly partitions: readonly OngoingReassignment[]
}

export interface ListPartitionReassignmentsResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly topics: readonly OngoingReassignmentTopic[]
}

/** To the controller: the reassignments that are under way. */
export const listPartitionReassignments: Api<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse> = defineApi<
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse
>({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    timeoutMs: int32,
    topics: nullableListOfStructs<ListedReassignmentTopic>({ name: string, partitions: listOf(int32) }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullableString,
    topics: listOfStructs<OngoingReassignmentTopic>({
      name: string,
      partitions: listOfStructs<OngoingReassignment>({
        partition: int32,
        replicas: listOf(int32),
        adding: listOf(int32),
        removing: listOf(int32),
      }),
    }),
  },
})
