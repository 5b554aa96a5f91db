import { type Api, defineApi, int16, int32, listOf, listOfStructs, string } from '../schema'

export interface OffsetDeleteTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface OffsetDeleteRequest {
  readonly group: string
  readonly topics: readonly OffsetDeleteTopic[]
}

export interface OffsetDeletePartitionResult {
  readonly partition: number
  readonly errorCode: number
}

export interface OffsetDeleteTopicResult {
  readonly name: string
  readonly partitions: readonly OffsetDeletePartitionResult[]
}

export interface OffsetDeleteResponse {
  readonly errorCode: number
  readonly throttleTimeMs: number
  readonly topics: readonly OffsetDeleteTopicResult[]
}

// The request lists its partitions as structs of one field, which is the same on the wire as plain numbers.
/** To the coordinator of the group. */
export const offsetDelete: Api<OffsetDeleteRequest, OffsetDeleteResponse> = defineApi<OffsetDeleteRequest, OffsetDeleteResponse>({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  request: { group: string, topics: listOfStructs<OffsetDeleteTopic>({ name: string, partitions: listOf(int32) }) },
  response: {
    errorCode: int16,
    throttleTimeMs: int32,
    topics: listOfStructs<OffsetDeleteTopicResult>({
      name: string,
      partitions: listOfStructs<OffsetDeletePartitionResult>({ partition: int32, errorCode: int16 }),
    }),
  },
})
