import { type Api, defineApi, int16, int32, int64, nullableString, since } from '../schema'

export interface InitProducerIdRequest {
  readonly transactionalId: string | null
  readonly transactionTimeoutMs: number
  /** The id and epoch held so far, −1 for none: the broker then only bumps the epoch. */
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface InitProducerIdResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly producerId: bigint
  readonly producerEpoch: number
}

export const initProducerId: Api<InitProducerIdRequest, InitProducerIdResponse> = defineApi<
  InitProducerIdRequest,
  InitProducerIdResponse
>({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 4],
  flexibleFrom: 2,
  request: {
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: since(3, int64, -1n),
    producerEpoch: since(3, int16, -1),
  },
  response: { throttleTimeMs: int32, errorCode: int16, producerId: int64, producerEpoch: int16 },
})
