import type { BatchHeader } from '@pipe/kafka-wire'
import { errorCode } from './error-code'
import type { Replica } from './replica'
import { waitForChange } from './wait-for-change'

/** What became of records that a leader appended in an epoch: an error code (0 = committed), or `undefined` while that is open. */
export function commitState(replica: Replica, leaderEpoch: number, endOffset: number): number | undefined {
  const { role } = replica
  if (role.kind !== 'leader' || role.leaderEpoch !== leaderEpoch) return errorCode.notLeaderOrFollower
  if (replica.highWatermark < endOffset) return undefined
  return role.inSync.length < replica.minInSync() ? errorCode.notEnoughReplicasAfterAppend : errorCode.none
}

/** offsets.commit.timeout.ms */
const internalTimeoutMs = 5000

/** Appends records of a coordinator's own topic as `acks=all` does. Resolves with an error code, 0 when they are committed. */
export async function appendCommitted(replica: Replica, batch: Buffer, header: BatchHeader): Promise<number> {
  const { role } = replica
  if (role.kind !== 'leader') return errorCode.notLeaderOrFollower
  if (role.inSync.length < replica.minInSync()) return errorCode.notEnoughReplicas
  const { lastOffset } = replica.append(batch, header)
  let code: number | undefined
  const isDone = () => {
    code = commitState(replica, role.leaderEpoch, lastOffset + 1)
    return code !== undefined
  }
  await waitForChange([replica], isDone, { maxMs: internalTimeoutMs })
  return code ?? errorCode.requestTimedOut
}
