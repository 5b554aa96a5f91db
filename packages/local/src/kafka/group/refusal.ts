import type { JoinGroupResponse, SyncGroupResponse } from '@pipe/kafka-wire'

/** No assignment. */
export const noBytes: Buffer = Buffer.alloc(0)
/** An answer to JoinGroup that says nothing yet. */
export const noJoin: JoinGroupResponse = {
  throttleTimeMs: 0,
  errorCode: 0,
  generationId: -1,
  protocolType: null,
  protocolName: '',
  leader: '',
  skipAssignment: false,
  memberId: '',
  members: [],
}
/** An answer to SyncGroup that says nothing yet. */
export const noSync: SyncGroupResponse = {
  throttleTimeMs: 0,
  errorCode: 0,
  protocolType: null,
  protocolName: null,
  assignment: noBytes,
}

/** The answer to a member that may not join. */
export function refuseJoin(code: number, memberId = ''): JoinGroupResponse {
  return { ...noJoin, errorCode: code, memberId }
}

/** The answer to a member that may not sync. */
export function refuseSync(code: number): SyncGroupResponse {
  return { ...noSync, errorCode: code }
}
