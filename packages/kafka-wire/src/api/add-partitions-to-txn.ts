import { type Api, defineApi, int16, int32, int64, listOf, listOfStructs, string } from '../schema'

export interface TransactionTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface AddPartitionsToTxnRequest {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly topics: readonly TransactionTopic[]
}

export interface TransactionPartitionResult {
  readonly partition: number
  readonly errorCode: number
}

export interface TransactionTopicResult {
  readonly name: string
  readonly partitions: readonly TransactionPartitionResult[]
}

export interface AddPartitionsToTxnResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly TransactionTopicResult[]
}

/** To the coordinator of the transaction, before the first Produce to a partition. Version 4 and later are for brokers; they are not described here. */
export const addPartitionsToTxn: Api<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse> = defineApi<
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse
>({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 3],
  flexibleFrom: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    topics: listOfStructs<TransactionTopic>({ name: string, partitions: listOf(int32) }),
  },
  response: {
    throttleTimeMs: int32,
    topics: listOfStructs<TransactionTopicResult>({
      name: string,
      partitions: listOfStructs<TransactionPartitionResult>({ partition: int32, errorCode: int16 }),
    }),
  },
})
