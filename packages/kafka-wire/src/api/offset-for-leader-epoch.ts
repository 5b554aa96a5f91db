import { type Api, defineApi, int16, int32, int64, listOfStructs, since, string } from '../schema'

export interface LeaderEpochPartition {
  readonly partition: number
  /** −1 = not known. */
  readonly currentLeaderEpoch: number
  /** The epoch whose end is asked for. */
  readonly leaderEpoch: number
}

export interface LeaderEpochTopic {
  readonly topic: string
  readonly partitions: readonly LeaderEpochPartition[]
}

export interface OffsetForLeaderEpochRequest {
  /** −1 for clients. */
  readonly replicaId: number
  readonly topics: readonly LeaderEpochTopic[]
}

export interface LeaderEpochPartitionResult {
  readonly errorCode: number
  readonly partition: number
  /** The largest epoch that is not larger than the one asked for; −1 when there is none. */
  readonly leaderEpoch: number
  /** Where that epoch ends. An offset read under it that lies beyond was truncated away. */
  readonly endOffset: bigint
}

export interface LeaderEpochTopicResult {
  readonly topic: string
  readonly partitions: readonly LeaderEpochPartitionResult[]
}

export interface OffsetForLeaderEpochResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly LeaderEpochTopicResult[]
}

/** To the leader of each partition. */
export const offsetForLeaderEpoch: Api<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> = defineApi<
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse
>({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 3],
  request: {
    replicaId: since(3, int32, -1),
    topics: listOfStructs<LeaderEpochTopic>({
      topic: string,
      partitions: listOfStructs<LeaderEpochPartition>({
        partition: int32,
        currentLeaderEpoch: int32,
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: listOfStructs<LeaderEpochTopicResult>({
      topic: string,
      partitions: listOfStructs<LeaderEpochPartitionResult>({
        errorCode: int16,
        partition: int32,
        leaderEpoch: int32,
        endOffset: int64,
      }),
    }),
  },
})
