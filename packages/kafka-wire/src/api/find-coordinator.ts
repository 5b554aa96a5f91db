import { type Api, between, defineApi, int8, int16, int32, nullableString, since, string } from '../schema'

/** Whom a coordinator serves. */
export const coordinatorKind: { readonly group: 0; readonly transaction: 1 } = { group: 0, transaction: 1 }

export interface FindCoordinatorRequest {
  /** Group id or transactional id. */
  readonly key: string
  /** One of {@link coordinatorKind}. */
  readonly keyType: number
}

export interface FindCoordinatorResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** Version 4 and later ask for many keys at once; they are not described here. */
export const findCoordinator: Api<FindCoordinatorRequest, FindCoordinatorResponse> = defineApi<
  FindCoordinatorRequest,
  FindCoordinatorResponse
>({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 3],
  flexibleFrom: 3,
  request: { key: string, keyType: since(1, int8, 0) },
  response: {
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    errorMessage: between(1, 3, nullableString, null),
    nodeId: int32,
    host: string,
    port: int32,
  },
})
