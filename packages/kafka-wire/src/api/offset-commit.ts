import { type Api, between, defineApi, int16, int32, int64, listOfStructs, nullableString, since, string } from '../schema'

export interface OffsetCommitPartition {
  readonly partition: number
  /** The next offset to read. */
  readonly offset: bigint
  /** −1 = not known. */
  readonly leaderEpoch: number
  readonly metadata: string | null
}

export interface OffsetCommitTopic {
  readonly name: string
  readonly partitions: readonly OffsetCommitPartition[]
}

export interface OffsetCommitRequest {
  readonly group: string
  /** −1 for a commit from outside: accepted only while the group has no members. */
  readonly generationId: number
  /** Empty for a commit from outside. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** −1 = the broker's (versions 2 to 4). */
  readonly retentionTimeMs: bigint
  readonly topics: readonly OffsetCommitTopic[]
}

export interface OffsetCommitPartitionResult {
  readonly partition: number
  readonly errorCode: number
}

export interface OffsetCommitTopicResult {
  readonly name: string
  readonly partitions: readonly OffsetCommitPartitionResult[]
}

export interface OffsetCommitResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly OffsetCommitTopicResult[]
}

/** To the coordinator of the group. */
export const offsetCommit: Api<OffsetCommitRequest, OffsetCommitResponse> = defineApi<OffsetCommitRequest, OffsetCommitResponse>({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 8],
  flexibleFrom: 8,
  request: {
    group: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(7, nullableString, null),
    retentionTimeMs: between(2, 4, int64, -1n),
    topics: listOfStructs<OffsetCommitTopic>({
      name: string,
      partitions: listOfStructs<OffsetCommitPartition>({
        partition: int32,
        offset: int64,
        leaderEpoch: since(6, int32, -1),
        metadata: nullableString,
      }),
    }),
  },
  response: {
    throttleTimeMs: since(3, int32, 0),
    topics: listOfStructs<OffsetCommitTopicResult>({
      name: string,
      partitions: listOfStructs<OffsetCommitPartitionResult>({ partition: int32, errorCode: int16 }),
    }),
  },
})
