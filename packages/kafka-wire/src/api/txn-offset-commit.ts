import { type Api, defineApi, int16, int32, int64, listOfStructs, nullableString, since, string } from '../schema'
import type { TransactionPartitionResult, TransactionTopicResult } from './add-partitions-to-txn'
import type { OffsetCommitPartition, OffsetCommitTopic } from './offset-commit'

export interface TxnOffsetCommitRequest {
  readonly transactionalId: string
  readonly group: string
  readonly producerId: bigint
  readonly producerEpoch: number
  /** With −1 and no member, the coordinator does not ask who commits. */
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly OffsetCommitTopic[]
}

export interface TxnOffsetCommitResponse {
  readonly throttleTimeMs: number
  readonly topics: readonly TransactionTopicResult[]
}

/** To the coordinator of the group. Version 3 is the first that says who commits (KIP-447). */
export const txnOffsetCommit: Api<TxnOffsetCommitRequest, TxnOffsetCommitResponse> = defineApi<
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponse
>({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 3],
  flexibleFrom: 3,
  request: {
    transactionalId: string,
    group: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: since(3, int32, -1),
    memberId: since(3, string, ''),
    groupInstanceId: since(3, nullableString, null),
    topics: listOfStructs<OffsetCommitTopic>({
      name: string,
      partitions: listOfStructs<OffsetCommitPartition>({
        partition: int32,
        offset: int64,
        leaderEpoch: since(2, int32, -1),
        metadata: nullableString,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: listOfStructs<TransactionTopicResult>({
      name: string,
      partitions: listOfStructs<TransactionPartitionResult>({ partition: int32, errorCode: int16 }),
    }),
  },
})
