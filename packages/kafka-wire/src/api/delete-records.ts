import { type Api, defineApi, int16, int32, int64, listOfStructs, string } from '../schema'

export interface DeleteRecordsPartition {
  readonly partition: number
  /** The first offset that stays; −1 = the high watermark. */
  readonly offset: bigint
}

export interface DeleteRecordsTopic {
  readonly name: string
  readonly partitions: readonly DeleteRecordsPartition[]
}

export interface DeleteRecordsRequest {
  readonly topics: readonly DeleteRecordsTopic[]
  readonly timeoutMs: number
}

export interface DeleteRecordsPartitionResult {
  readonly partition: number
  /** Where the log starts now. */
  readonly lowWatermark: bigint
  readonly errorCode: number
}

export interface DeleteRecordsTopicResult {
  readonly name: string
  readonly partitions: readonly DeleteRecordsPartitionResult[]
}

export interface DeleteRecordsResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly DeleteRecordsTopicResult[]
}

/** To the leader of each partition. */
export const deleteRecords: Api<DeleteRecordsRequest, DeleteRecordsResponse> = defineApi<
  DeleteRecordsRequest,
  DeleteRecordsResponse
>({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    topics: listOfStructs<DeleteRecordsTopic>({
      name: string,
      partitions: listOfStructs<DeleteRecordsPartition>({ partition: int32, offset: int64 }),
    }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: listOfStructs<DeleteRecordsTopicResult>({
      name: string,
      partitions: listOfStructs<DeleteRecordsPartitionResult>({ partition: int32, lowWatermark: int64, errorCode: int16 }),
    }),
  },
})
