import type { Assignment } from './assignment'

/** One partition as it stands. */
export interface Leftover {
  readonly topic: string
  readonly partition: number
  /** What the group has; `undefined` when this member has committed nothing yet. */
  readonly committed: bigint | undefined
  /** Everything below is done. Above `committed` only when the commit failed. */
  readonly done: bigint | undefined
  /** Records that were handed to lanes and are not done: waiting, running, or between attempts. */
  readonly open: number
  /** Records that wait in the retry topic. */
  readonly parked: number
  /** Bytes in memory. */
  readonly bytes: number
  /** The next offset to fetch. */
  readonly position: bigint | undefined
  /** End of the log as of the last fetch. */
  readonly logEnd: bigint | undefined
}

/** What a consumer left when it stopped. Whatever is not committed is read again by the next member. */
export interface StopReport {
  readonly elapsedMs: number
  /** No handler was aborted, everything that is done is committed, and the group was left (a static member keeps its place). */
  readonly isClean: boolean
  readonly isCommitted: boolean
  /** Otherwise the group waits for the session timeout before it gives the partitions to others. */
  readonly hasLeftGroup: boolean
  /** Handlers that were running at the deadline and were aborted. */
  readonly abortedHandlers: number
  /** Handlers that did not listen to that. Nothing can end them; what they do no longer counts. */
  readonly runningHandlers: number
  readonly partitions: readonly Leftover[]
}

/** How a partition stands. */
export function leftoverOf({ topic, partition, committed, log, position, logEnd }: Assignment, parked: number): Leftover {
  return {
    topic: topic.name,
    partition,
    committed,
    done: log?.tracker.committable,
    open: log?.tracker.open ?? 0,
    parked,
    bytes: log?.queue.bytes ?? 0,
    position,
    logEnd,
  }
}
