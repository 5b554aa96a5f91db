import { type Api, boolean, defineApi, int16, int32, int64, string } from '../schema'

export interface EndTxnRequest {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  /** `false` aborts. */
  readonly isCommit: boolean
}

export interface EndTxnResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
}

/** To the coordinator of the transaction. From version 5 on every end bumps the epoch (KIP-890); not described here. */
export const endTxn: Api<EndTxnRequest, EndTxnResponse> = defineApi<EndTxnRequest, EndTxnResponse>({
  key: 26,
  name: 'EndTxn',
  versions: [0, 3],
  flexibleFrom: 3,
  request: { transactionalId: string, producerId: int64, producerEpoch: int16, isCommit: boolean },
  response: { throttleTimeMs: int32, errorCode: int16 },
})
