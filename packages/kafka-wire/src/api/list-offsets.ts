import { type Api, defineApi, int8, int16, int32, int64, listOfStructs, since, string } from '../schema'

/** Times with a meaning of their own: the end of the log (of what is committed, with isolation 1), and its start. */
export const offsetAt: { readonly end: -1n; readonly start: -2n } = { end: -1n, start: -2n }

export interface ListOffsetsPartition {
  readonly partition: number
  /** −1 = not known. */
  readonly currentLeaderEpoch: number
  /** Milliseconds since the epoch, or one of {@link offsetAt}. */
  readonly timestamp: bigint
}

export interface ListOffsetsTopic {
  readonly name: string
  readonly partitions: readonly ListOffsetsPartition[]
}

export interface ListOffsetsRequest {
  /** −1 for clients. */
  readonly replicaId: number
  /** 0 = everything up to the high watermark, 1 = up to the last stable offset. */
  readonly isolationLevel: number
  readonly topics: readonly ListOffsetsTopic[]
}

export interface ListOffsetsPartitionResult {
  readonly partition: number
  readonly errorCode: number
  /** −1 when no record is that young. */
  readonly timestamp: bigint
  /** Offset of the first record at that time or after it; −1 when there is none. */
  readonly offset: bigint
  readonly leaderEpoch: number
}

export interface ListOffsetsTopicResult {
  readonly name: string
  readonly partitions: readonly ListOffsetsPartitionResult[]
}

export interface ListOffsetsResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly ListOffsetsTopicResult[]
}

/** To the leader of each partition. */
export const listOffsets: Api<ListOffsetsRequest, ListOffsetsResponse> = defineApi<ListOffsetsRequest, ListOffsetsResponse>({
  key: 2,
  name: 'ListOffsets',
  versions: [2, 5],
  request: {
    replicaId: int32,
    isolationLevel: int8,
    topics: listOfStructs<ListOffsetsTopic>({
      name: string,
      partitions: listOfStructs<ListOffsetsPartition>({
        partition: int32,
        currentLeaderEpoch: since(4, int32, -1),
        timestamp: int64,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: listOfStructs<ListOffsetsTopicResult>({
      name: string,
      partitions: listOfStructs<ListOffsetsPartitionResult>({
        partition: int32,
        errorCode: int16,
        timestamp: int64,
        offset: int64,
        leaderEpoch: since(4, int32, -1),
      }),
    }),
  },
})
