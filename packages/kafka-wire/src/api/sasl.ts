import { type Api, bytes, defineApi, int16, int64, listOf, nullableString, since, string } from '../schema'

export interface SaslHandshakeRequest {
  readonly mechanism: string
}

export interface SaslHandshakeResponse {
  readonly errorCode: number
  /** Names of the mechanisms that the broker accepts. */
  readonly mechanisms: readonly string[]
}

/** The first request of a connection that authenticates. After version 1 the exchange goes on in {@link saslAuthenticate}. */
export const saslHandshake: Api<SaslHandshakeRequest, SaslHandshakeResponse> = defineApi<
  SaslHandshakeRequest,
  SaslHandshakeResponse
>({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  request: { mechanism: string },
  response: { errorCode: int16, mechanisms: listOf(string) },
})

export interface SaslAuthenticateRequest {
  readonly authBytes: Uint8Array
}

export interface SaslAuthenticateResponse {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly authBytes: Uint8Array
  /** 0 = as long as the connection. */
  readonly sessionLifetimeMs: bigint
}

/** One step of the exchange of the mechanism. */
export const saslAuthenticate: Api<SaslAuthenticateRequest, SaslAuthenticateResponse> = defineApi<
  SaslAuthenticateRequest,
  SaslAuthenticateResponse
>({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleFrom: 2,
  request: { authBytes: bytes },
  response: {
    errorCode: int16,
    errorMessage: nullableString,
    authBytes: bytes,
    sessionLifetimeMs: since(1, int64, 0n),
  },
})
