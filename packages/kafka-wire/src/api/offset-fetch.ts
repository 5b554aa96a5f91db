import {
  type Api,
  boolean,
  defineApi,
  int16,
  int32,
  int64,
  listOf,
  listOfStructs,
  nullableListOfStructs,
  nullableString,
  since,
  string,
} from '../schema'

export interface OffsetFetchTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface OffsetFetchRequest {
  readonly group: string
  /** `null` = all that the group has committed. */
  readonly topics: readonly OffsetFetchTopic[] | null
  /** Answers UNSTABLE_OFFSET_COMMIT while a transaction has offsets of the group pending (version 7). */
  readonly requireStable: boolean
}

export interface OffsetFetchPartitionResult {
  readonly partition: number
  /** −1 when the group has committed none. */
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string | null
  readonly errorCode: number
}

export interface OffsetFetchTopicResult {
  readonly name: string
  readonly partitions: readonly OffsetFetchPartitionResult[]
}

export interface OffsetFetchResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly OffsetFetchTopicResult[]
  readonly errorCode: number
}

/** To the coordinator of the group. Version 8 and later ask for many groups at once; they are not described here. */
export const offsetFetch: Api<OffsetFetchRequest, OffsetFetchResponse> = defineApi<OffsetFetchRequest, OffsetFetchResponse>({
  key: 9,
  name: 'OffsetFetch',
  versions: [2, 7],
  flexibleFrom: 6,
  request: {
    group: string,
    topics: nullableListOfStructs<OffsetFetchTopic>({ name: string, partitions: listOf(int32) }),
    requireStable: since(7, boolean, false),
  },
  response: {
    throttleTimeMs: since(3, int32, 0),
    topics: listOfStructs<OffsetFetchTopicResult>({
      name: string,
      partitions: listOfStructs<OffsetFetchPartitionResult>({
        partition: int32,
        offset: int64,
        leaderEpoch: since(5, int32, -1),
        metadata: nullableString,
        errorCode: int16,
      }),
    }),
    errorCode: int16,
  },
})
