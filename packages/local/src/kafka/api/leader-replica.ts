import type { Broker } from '../broker-node'
import { errorCode } from '../error-code'
import type { Replica } from '../replica'

/** The leader's copy of a partition on this broker, or the error code that sends the client elsewhere. */
export type LeaderReplica =
  | { readonly replica: Replica; readonly errorCode: 0 }
  | { readonly replica: undefined; readonly errorCode: number }

/** `leaderEpoch` is what the client believes; −1 = it does not say (KIP-320). */
export function leaderReplica(broker: Broker, topic: string, partition: number, leaderEpoch = -1): LeaderReplica {
  if (broker.partitionState(topic, partition) === undefined)
    return { replica: undefined, errorCode: errorCode.unknownTopicOrPartition }
  const replica = broker.replica(topic, partition)
  if (replica?.role.kind !== 'leader') return { replica: undefined, errorCode: errorCode.notLeaderOrFollower }
  if (leaderEpoch >= 0 && leaderEpoch < replica.role.leaderEpoch)
    return { replica: undefined, errorCode: errorCode.fencedLeaderEpoch }
  if (leaderEpoch > replica.role.leaderEpoch) return { replica: undefined, errorCode: errorCode.unknownLeaderEpoch }
  return { replica, errorCode: 0 }
}
