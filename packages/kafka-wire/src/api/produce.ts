import { type Api, defineApi, int16, int32, int64, listOfStructs, nullableBytes, nullableString, since, string } from '../schema'

export interface ProducePartition {
  readonly partition: number
  /** One record batch. */
  readonly records: Uint8Array | null
}

export interface ProduceTopic {
  readonly name: string
  readonly partitions: readonly ProducePartition[]
}

export interface ProduceRequest {
  readonly transactionalId: string | null
  /** 0, 1 or −1 (all in-sync replicas). With 0 the broker sends no response. */
  readonly acks: number
  readonly timeoutMs: number
  readonly topics: readonly ProduceTopic[]
}

export interface ProduceRecordError {
  readonly batchIndex: number
  readonly message: string | null
}

export interface ProducePartitionResult {
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: bigint
  /** −1 when the topic keeps the producer's timestamps. */
  readonly logAppendTimeMs: bigint
  readonly logStartOffset: bigint
  readonly recordErrors: readonly ProduceRecordError[]
  readonly errorMessage: string | null
}

export interface ProduceTopicResult {
  readonly name: string
  readonly partitions: readonly ProducePartitionResult[]
}

export interface ProduceResponse {
  readonly topics: readonly ProduceTopicResult[]
  readonly throttleTimeMs: number
}

/** Version 3 is the first with record batches (magic 2), 7 the first that may carry zstd, 8 names the records that were refused. */
export const produce: Api<ProduceRequest, ProduceResponse> = defineApi<ProduceRequest, ProduceResponse>({
  key: 0,
  name: 'Produce',
  versions: [3, 9],
  flexibleFrom: 9,
  request: {
    transactionalId: nullableString,
    acks: int16,
    timeoutMs: int32,
    topics: listOfStructs<ProduceTopic>({
      name: string,
      partitions: listOfStructs<ProducePartition>({ partition: int32, records: nullableBytes }),
    }),
  },
  response: {
    topics: listOfStructs<ProduceTopicResult>({
      name: string,
      partitions: listOfStructs<ProducePartitionResult>({
        partition: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64,
        logStartOffset: since(5, int64, -1n),
        recordErrors: since(8, listOfStructs<ProduceRecordError>({ batchIndex: int32, message: nullableString }), []),
        errorMessage: since(8, nullableString, null),
      }),
    }),
    throttleTimeMs: int32,
  },
})
