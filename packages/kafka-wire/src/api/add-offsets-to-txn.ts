import { type Api, defineApi, int16, int32, int64, string } from '../schema'

export interface AddOffsetsToTxnRequest {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly group: string
}

export interface AddOffsetsToTxnResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
}

/** To the coordinator of the transaction, before TxnOffsetCommit. */
export const addOffsetsToTxn: Api<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse> = defineApi<
  AddOffsetsToTxnRequest,
  AddOffsetsToTxnResponse
>({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 3],
  flexibleFrom: 3,
  request: { transactionalId: string, producerId: int64, producerEpoch: int16, group: string },
  response: { throttleTimeMs: int32, errorCode: int16 },
})
