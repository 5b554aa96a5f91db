import {
  type Api,
  defineApi,
  int8,
  int16,
  int32,
  listOf,
  listOfStructs,
  nullableListOfStructs,
  nullableString,
  since,
  string,
} from '../schema'

/** Preferred: the first replica, when it is in sync. Unclean: any live replica, which loses records. */
export const electionType: { readonly preferred: 0; readonly unclean: 1 } = { preferred: 0, unclean: 1 }

export interface ElectionTopic {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface ElectLeadersRequest {
  /** One of {@link electionType}. */
  readonly electionType: number
  /** `null` = all. */
  readonly topics: readonly ElectionTopic[] | null
  readonly timeoutMs: number
}

export interface ElectionPartitionResult {
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

export interface ElectionTopicResult {
  readonly topic: string
  readonly partitions: readonly ElectionPartitionResult[]
}

export interface ElectLeadersResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly topics: readonly ElectionTopicResult[]
}

/** To the controller. */
export const electLeaders: Api<ElectLeadersRequest, ElectLeadersResponse> = defineApi<ElectLeadersRequest, ElectLeadersResponse>({
  key: 43,
  name: 'ElectLeaders',
  versions: [1, 1],
  request: {
    electionType: int8,
    topics: nullableListOfStructs<ElectionTopic>({ topic: string, partitions: listOf(int32) }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: since(1, int16, 0),
    topics: listOfStructs<ElectionTopicResult>({
      topic: string,
      partitions: listOfStructs<ElectionPartitionResult>({ partition: int32, errorCode: int16, errorMessage: nullableString }),
    }),
  },
})
