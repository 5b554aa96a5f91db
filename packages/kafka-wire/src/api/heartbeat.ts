import { type Api, defineApi, int16, int32, nullableString, since, string } from '../schema'

export interface HeartbeatRequest {
  readonly group: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface HeartbeatResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
}

/** To the coordinator of the group. */
export const heartbeat: Api<HeartbeatRequest, HeartbeatResponse> = defineApi<HeartbeatRequest, HeartbeatResponse>({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleFrom: 4,
  request: { group: string, generationId: int32, memberId: string, groupInstanceId: since(3, nullableString, null) },
  response: { throttleTimeMs: since(1, int32, 0), errorCode: int16 },
})
