import type { BatchHeader } from '@pipe/kafka-wire'
import type { PartitionState } from './cluster-image'
import { createLeaderEpochs, type LeaderEpochs } from './log/leader-epochs'
import { createPartitionLog, type PartitionLog } from './log/partition-log'
import { createProducerStates, type ProducerStates } from './log/producer-states'
import { type StoredBatch, storeBatch } from './log/stored-batch'
import type { SettingValues } from './settings'
import type { Timeline } from './timeline'

/** What a leader knows of a follower. */
interface FollowerProgress {
  /** Where it fetched last; −1 = not yet. */
  endOffset: number
  /** When it last had everything, in milliseconds of real time. */
  caughtUpAt: number
}

/** What a replica is to its partition now. */
export type ReplicaRole =
  | { readonly kind: 'none' }
  | { readonly kind: 'follower'; readonly leader: number; readonly leaderEpoch: number; isReconciled: boolean }
  | {
      readonly kind: 'leader'
      readonly leaderEpoch: number
      /** Where the log ended when it became leader. */
      readonly epochStart: number
      readonly replicas: readonly number[]
      inSync: readonly number[]
      readonly followers: ReadonlyMap<number, FollowerProgress>
    }

/** What a replica needs of its broker. */
export interface ReplicaHost {
  readonly brokerId: number
  readonly timeline: Timeline
  readonly lagMs: number
  /** Settings of the topic. */
  settings(topic: string): SettingValues
  /** The log of a replica, filled with what was kept of it. */
  openLog(topic: string, partition: number, empty: PartitionLog): PartitionLog
  isAlive(broker: number): boolean
  /** Whether the follower's requests reach this broker now. */
  isFollowing(follower: number): boolean
  wakeFollower(follower: number, topic: string, partition: number): void
  /** A batch was appended by this broker as leader. */
  appended(replica: Replica): void
  /** Asks the controllers; false when they cannot be reached or know of a newer leader. */
  changeInSync(topic: string, partition: number, leaderEpoch: number, inSync: readonly number[]): boolean
}

/** The copy of a partition that one broker has. */
export interface Replica {
  readonly topic: string
  readonly partition: number
  readonly log: PartitionLog
  readonly epochs: LeaderEpochs
  readonly producers: ProducerStates
  readonly role: ReplicaRole
  /** Everything before it is committed, as far as this replica knows. */
  readonly highWatermark: number
  /** Everything before it survives a power cut. */
  readonly flushedOffset: number
  /** Takes the role that the controllers decided. Returns whether it is another one than before. */
  become(state: PartitionState): boolean
  /** As leader: appends a checked batch. `appendTime` for topics that stamp by it. */
  append(batch: Uint8Array, header: BatchHeader, appendTime?: number): StoredBatch
  /** As leader: answers a follower that has everything before `offset`. */
  serveFollower(follower: number, offset: number, maxBytes: number): readonly StoredBatch[]
  /** As leader: takes followers that lag out of the in-sync set. */
  checkLag(): void
  /** As follower: appends what the leader sent. */
  copy(
    batches: readonly StoredBatch[],
    leader: { readonly id: number; readonly highWatermark: number; readonly startOffset: number },
  ): void
  /** Drops everything from an offset on. */
  truncate(offset: number): void
  moveStart(offset: number): void
  /** How many replicas must be in sync for `acks=all`. */
  minInSync(): number
  flush(): void
  /** Calls when end, high watermark or role changed. Returns a function that ends it. */
  onChange(listener: () => void): () => void
  changed(): void
}

/** A replica without a role, empty or with the log that was kept. */
export function createReplica(host: ReplicaHost, topic: string, partition: number, replicas: () => number): Replica {
  const { brokerId, timeline } = host
  const empty = createPartitionLog(() => {
    const settings = host.settings(topic)
    return { segmentBytes: settings.number('segment.bytes'), segmentMs: settings.number('segment.ms') }
  })
  const log = host.openLog(topic, partition, empty)
  const epochs = createLeaderEpochs()
  const producers = createProducerStates()
  const listeners = new Set<() => void>()
  let role: ReplicaRole = { kind: 'none' }
  let highWatermark = log.startOffset
  let flushedOffset = log.endOffset
  for (const { leaderEpoch, baseOffset } of allBatches(log)) epochs.begin(leaderEpoch, baseOffset)
  producers.rebuild(allBatches(log))

  const changed = () => {
    for (const listener of [...listeners]) listener()
  }
  const wakeFollowers = () => {
    if (role.kind === 'leader') for (const id of role.followers.keys()) host.wakeFollower(id, topic, partition)
  }
  const minInSync = () => Math.min(host.settings(topic).number('min.insync.replicas'), replicas())
  const isCaughtUp = ({ endOffset, caughtUpAt }: FollowerProgress) =>
    endOffset === log.endOffset || performance.now() - caughtUpAt <= host.lagMs

  /** The lowest end of those that are in sync, or about to be; not while they are too few (KIP-966). */
  function advance(): void {
    if (role.kind !== 'leader' || role.inSync.length < minInSync()) return
    let committed = log.endOffset
    for (const [id, progress] of role.followers) {
      if (role.inSync.includes(id) || (progress.endOffset >= 0 && isCaughtUp(progress) && host.isAlive(id))) {
        committed = Math.min(committed, progress.endOffset)
      }
    }
    if (committed <= highWatermark) return
    highWatermark = committed
    timeline.record({ kind: 'commit', broker: brokerId, topic, partition, to: committed })
    changed()
    wakeFollowers()
  }

  function lead(state: PartitionState): void {
    epochs.begin(state.leaderEpoch, log.endOffset)
    const now = performance.now()
    const followers = new Map<number, FollowerProgress>()
    for (const id of state.replicas) {
      // A follower in sync has until the lag time to fetch for the first time.
      if (id !== brokerId)
        followers.set(id, { endOffset: -1, caughtUpAt: state.inSync.includes(id) ? now : Number.NEGATIVE_INFINITY })
    }
    const { leaderEpoch, inSync, replicas: all } = state
    role = { kind: 'leader', leaderEpoch, epochStart: log.endOffset, replicas: all, inSync, followers }
  }

  const replica: Replica = {
    topic,
    partition,
    log,
    epochs,
    producers,
    get role() {
      return role
    },
    get highWatermark() {
      return highWatermark
    },
    get flushedOffset() {
      return flushedOffset
    },
    become(state) {
      const before = role
      if (state.leader === brokerId) {
        const isSame = before.kind === 'leader' && before.leaderEpoch === state.leaderEpoch
        if (isSame && sameList(before.replicas, state.replicas)) before.inSync = state.inSync
        else lead(state)
        advance()
        if (isSame) changed()
        else wakeFollowers()
      } else if (state.leader < 0) role = { kind: 'none' }
      else if (before.kind !== 'follower' || before.leaderEpoch !== state.leaderEpoch) {
        role = { kind: 'follower', leader: state.leader, leaderEpoch: state.leaderEpoch, isReconciled: false }
      }
      if (role !== before) changed()
      return role !== before
    },
    append(batch, header, appendTime) {
      if (role.kind !== 'leader') throw new Error(`Broker ${brokerId} does not lead ${topic}[${partition}].`)
      const stored = storeBatch(batch, header, { baseOffset: log.endOffset, leaderEpoch: role.leaderEpoch, appendTime })
      log.append(stored)
      producers.appended(stored)
      flushWhenDue()
      timeline.record({
        kind: 'append',
        broker: brokerId,
        topic,
        partition,
        from: stored.baseOffset,
        to: log.endOffset,
        leaderEpoch: stored.leaderEpoch,
      })
      host.appended(replica)
      advance()
      changed()
      wakeFollowers()
      return stored
    },
    serveFollower(follower, offset, maxBytes) {
      const progress = role.kind === 'leader' ? role.followers.get(follower) : undefined
      if (role.kind !== 'leader' || progress === undefined) return []
      if (offset >= log.endOffset) progress.caughtUpAt = performance.now()
      progress.endOffset = offset
      const joins = !role.inSync.includes(follower) && offset >= highWatermark && offset >= role.epochStart
      if (joins && host.isAlive(follower)) host.changeInSync(topic, partition, role.leaderEpoch, [...role.inSync, follower])
      advance()
      return log.read(Math.max(offset, log.startOffset), maxBytes, Number.MAX_SAFE_INTEGER)
    },
    checkLag() {
      if (role.kind !== 'leader') return
      const now = performance.now()
      const late: number[] = []
      for (const [id, progress] of role.followers) {
        // An idle follower is caught up as long as its requests arrive: they wait at the leader.
        if (progress.endOffset === log.endOffset && host.isFollowing(id)) progress.caughtUpAt = now
        else if (role.inSync.includes(id) && now - progress.caughtUpAt > host.lagMs) late.push(id)
      }
      if (late.length === 0) return
      host.changeInSync(
        topic,
        partition,
        role.leaderEpoch,
        role.inSync.filter((id) => !late.includes(id)),
      )
    },
    copy(batches, leader) {
      const from = log.endOffset
      for (const batch of batches) {
        epochs.begin(batch.leaderEpoch, batch.baseOffset)
        log.append(batch)
        producers.appended(batch)
      }
      if (batches.length > 0) {
        timeline.record({ kind: 'replicate', broker: brokerId, leader: leader.id, topic, partition, from, to: log.endOffset })
        flushWhenDue()
      }
      if (leader.startOffset > log.startOffset) replica.moveStart(leader.startOffset)
      highWatermark = Math.max(highWatermark, Math.min(leader.highWatermark, log.endOffset))
    },
    truncate(offset) {
      if (offset >= log.endOffset) return
      timeline.record({ kind: 'truncate', broker: brokerId, topic, partition, from: log.endOffset, to: offset })
      if (offset <= log.startOffset) log.restartAt(offset)
      else log.truncate(offset)
      epochs.truncate(offset)
      producers.rebuild(allBatches(log))
      highWatermark = Math.min(highWatermark, offset)
      flushedOffset = Math.min(flushedOffset, offset)
      changed()
    },
    moveStart(offset) {
      if (offset <= log.startOffset) return
      timeline.record({ kind: 'delete', broker: brokerId, topic, partition, from: log.startOffset, to: offset })
      if (offset > log.endOffset) log.restartAt(offset)
      else log.moveStart(offset)
      epochs.moveStart(offset)
      producers.forgetBefore(offset)
      highWatermark = Math.max(highWatermark, log.startOffset)
      changed()
      wakeFollowers()
    },
    minInSync,
    flush() {
      flushedOffset = log.endOffset
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    changed,
  }

  function flushWhenDue(): void {
    if (log.endOffset - flushedOffset >= host.settings(topic).number('flush.messages')) replica.flush()
  }
  return replica
}

function* allBatches(log: PartitionLog): Generator<StoredBatch> {
  for (const { batches } of log.segments) yield* batches
}

function sameList(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index])
}
