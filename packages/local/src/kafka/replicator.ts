import type { Replica } from './replica'

/** Largest part of a log that one pull takes (replica.fetch.max.bytes). */
const pullBytes = 1_048_576

/** What the followers of a broker need of their leaders. */
export interface ReplicatorHost {
  readonly brokerId: number
  isUp(): boolean
  replica(topic: string, partition: number): Replica | undefined
  /** The leader's copy, as long as it can be reached. */
  leaderReplica(leader: number, topic: string, partition: number): Replica | undefined
}

/** Copies what leaders have to the followers of one broker. A pull is a step of its own: between two of them anything can be killed. */
export interface Replicator {
  /** There may be something to pull. */
  wake(topic: string, partition: number): void
  /** The same for every follower, after a pause or a cut way. */
  wakeAll(replicas: Iterable<Replica>): void
}

/** Pulls nothing before it is woken. */
export function createReplicator(host: ReplicatorHost): Replicator {
  const awake = new Set<Replica>()
  let isScheduled = false

  const schedule = () => {
    if (isScheduled || awake.size === 0) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      const due = [...awake]
      awake.clear()
      if (!host.isUp()) return
      for (const replica of due) if (pull(host, replica)) awake.add(replica)
      schedule()
    })
  }
  const add = (replica: Replica | undefined) => {
    if (replica?.role.kind === 'follower') awake.add(replica)
  }
  return {
    wake(topic, partition) {
      add(host.replica(topic, partition))
      schedule()
    },
    wakeAll(replicas) {
      for (const replica of replicas) add(replica)
      schedule()
    },
  }
}

/** One request of a follower. Returns whether there may be more. */
function pull(host: ReplicatorHost, replica: Replica): boolean {
  const { role, topic, partition } = replica
  if (role.kind !== 'follower' || host.replica(topic, partition) !== replica) return false
  const leader = host.leaderReplica(role.leader, topic, partition)
  if (leader?.role.kind !== 'leader' || leader.role.leaderEpoch !== role.leaderEpoch) return false
  if (!role.isReconciled) {
    replica.truncate(divergence(replica, leader))
    role.isReconciled = true
  }
  // Behind the start of the leader's log, after retention: the follower begins anew there.
  if (replica.log.endOffset < leader.log.startOffset) replica.moveStart(leader.log.startOffset)
  const batches = leader.serveFollower(host.brokerId, replica.log.endOffset, pullBytes)
  replica.copy(batches, { id: role.leader, highWatermark: leader.highWatermark, startOffset: leader.log.startOffset })
  return batches.length > 0
}

/** Where a follower's log leaves the leader's: behind the end, at the leader, of the latest epoch that both know (KIP-101, KIP-279). */
function divergence(follower: Replica, leader: Replica): number {
  let epoch = follower.epochs.latest
  while (epoch >= 0) {
    const theirs = leader.epochs.endOf(epoch, leader.log.endOffset)
    // The leader's log begins with later epochs: nothing of the follower's is known to be right.
    if (theirs.epoch < 0) break
    const ours = follower.epochs.endOf(theirs.epoch, follower.log.endOffset)
    if (ours.epoch === theirs.epoch) return Math.min(ours.endOffset, theirs.endOffset)
    epoch = ours.epoch
  }
  return follower.log.startOffset
}
