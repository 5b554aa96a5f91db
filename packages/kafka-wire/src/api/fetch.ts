import {
  type Api,
  defineApi,
  int8,
  int16,
  int32,
  int64,
  listOf,
  listOfStructs,
  nullableBytes,
  nullableListOfStructs,
  since,
  string,
} from '../schema'

export interface FetchPartition {
  readonly partition: number
  /** −1 = not known. */
  readonly currentLeaderEpoch: number
  readonly fetchOffset: bigint
  /** −1 for clients. */
  readonly logStartOffset: bigint
  readonly maxBytes: number
}

export interface FetchTopic {
  readonly name: string
  readonly partitions: readonly FetchPartition[]
}

export interface ForgottenTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface FetchRequest {
  /** −1 for clients. */
  readonly replicaId: number
  readonly maxWaitMs: number
  readonly minBytes: number
  /** The first batch of the answer is whole even when it is larger. */
  readonly maxBytes: number
  /** 0 = everything, 1 = up to the last stable offset, with the list of aborted transactions. */
  readonly isolationLevel: number
  /** 0 with epoch −1 = without a fetch session. */
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: readonly FetchTopic[]
  readonly forgottenTopics: readonly ForgottenTopic[]
  readonly rackId: string
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

export interface FetchPartitionResult {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  /** −1 = the leader. */
  readonly preferredReadReplica: number
  /** Batches as they lie in the log; begins with the batch that contains the offset, and may end in a cut one. */
  readonly records: Uint8Array | null
}

export interface FetchTopicResult {
  readonly name: string
  readonly partitions: readonly FetchPartitionResult[]
}

export interface FetchResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly sessionId: number
  readonly topics: readonly FetchTopicResult[]
}

/** To the leader of each partition. Version 12 is flexible and 13 has topic ids; they are not described here. */
export const fetchRecords: Api<FetchRequest, FetchResponse> = defineApi<FetchRequest, FetchResponse>({
  key: 1,
  name: 'Fetch',
  versions: [4, 11],
  request: {
    replicaId: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32,
    isolationLevel: int8,
    sessionId: since(7, int32, 0),
    sessionEpoch: since(7, int32, -1),
    topics: listOfStructs<FetchTopic>({
      name: string,
      partitions: listOfStructs<FetchPartition>({
        partition: int32,
        currentLeaderEpoch: since(9, int32, -1),
        fetchOffset: int64,
        logStartOffset: since(5, int64, -1n),
        maxBytes: int32,
      }),
    }),
    forgottenTopics: since(7, listOfStructs<ForgottenTopic>({ name: string, partitions: listOf(int32) }), []),
    rackId: since(11, string, ''),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: since(7, int16, 0),
    sessionId: since(7, int32, 0),
    topics: listOfStructs<FetchTopicResult>({
      name: string,
      partitions: listOfStructs<FetchPartitionResult>({
        partition: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: int64,
        logStartOffset: since(5, int64, -1n),
        abortedTransactions: nullableListOfStructs<AbortedTransaction>({ producerId: int64, firstOffset: int64 }),
        preferredReadReplica: since(11, int32, -1),
        records: nullableBytes,
      }),
    }),
  },
})
