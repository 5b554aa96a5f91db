import type { GroupMember, GroupState } from './group-state'
import { partitionKey, type TopicPartition } from './leader-request'

/**
 * How a group stands with a partition.
 * - `caught-up`: nothing is unread. `keeping-up`: it was caught up within the window.
 * - `catching-up`, `falling-behind`: the lag shrank, or grew, over the window. `behind`: it has lag, and the samples do not tell more yet.
 * - `stalled`: it has a member, lag, and for `stalledAfter` no progress. `stopped`: it has lag and no member.
 * - `rewound`: its offset went back within the window. `not-started`: it has committed nothing yet.
 * - `expired`: records that it had not read were deleted. `beyond-end`: its offset lies after the end, as when the topic was made anew.
 */
export type LagStatus =
  | 'caught-up'
  | 'keeping-up'
  | 'catching-up'
  | 'behind'
  | 'falling-behind'
  | 'not-started'
  | 'rewound'
  | 'stalled'
  | 'stopped'
  | 'beyond-end'
  | 'expired'

/** From harmless to worst: the status of a group is the worst of its partitions. */
export const lagStatuses: readonly LagStatus[] = [
  'caught-up',
  'keeping-up',
  'catching-up',
  'behind',
  'not-started',
  'falling-behind',
  'rewound',
  'stopped',
  'stalled',
  'beyond-end',
  'expired',
]

/** One look at a partition of a group. */
export interface PartitionSample extends TopicPartition {
  /** Offset of the oldest record that is kept. */
  readonly startOffset: bigint
  /** End of what readers of committed data get. */
  readonly stableOffset: bigint
  /** End of the log (the high watermark). */
  readonly endOffset: bigint
  /** The next offset that the group reads; `undefined` when it has committed none. */
  readonly committedOffset: bigint | undefined
  /** Offsets from the first unread record to `stableOffset`: an upper bound of the records, as transactions and compaction leave gaps. */
  readonly messages: number
  /** The same up to `endOffset`, with what open transactions hold back. */
  readonly messagesToEnd: number
  /** Age of the first unread record by its timestamp, in seconds; 0 when nothing is unread, `undefined` when it could not be read. */
  readonly seconds: number | undefined
  /** Unread offsets that were deleted. */
  readonly expiredMessages: number
  /** Records a second that arrived in the window, by their timestamps. */
  readonly arrivedPerSecond: number
  /** The member that reads it. */
  readonly memberId: string | undefined
  /** After how long records are deleted; `undefined` = not by age. */
  readonly retentionMs: number | undefined
}

/** One look at a group. */
export interface LagSample {
  readonly group: string
  readonly state: GroupState
  readonly members: readonly GroupMember[]
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly partitions: readonly PartitionSample[]
  /** Partitions that nobody could answer for, and why. */
  readonly unavailable: readonly (TopicPartition & { readonly reason: string })[]
}

/** The lag of a group on one partition. */
export interface PartitionLag extends Omit<PartitionSample, 'arrivedPerSecond'> {
  /** Records a second that arrive: over the samples of the window, or by the timestamps of the log when there is only one. */
  readonly producedPerSecond: number
  /** Offsets a second that the group moves on; `undefined` with one sample. */
  readonly consumedPerSecond: number | undefined
  readonly status: LagStatus
}

/** The lag of a group. */
export interface GroupLag extends Omit<LagSample, 'partitions'> {
  /** Time between the first and the last sample of the window; 0 with one sample. */
  readonly windowMs: number
  readonly partitions: readonly PartitionLag[]
  /** Sum over the partitions. */
  readonly messages: number
  /** Largest of the partitions. */
  readonly seconds: number | undefined
  readonly producedPerSecond: number
  readonly consumedPerSecond: number | undefined
  /** Worst of the partitions. */
  readonly status: LagStatus
}

/** How {@link lagOver} judges. */
export interface LagJudgement {
  /** Without progress for this long a partition with lag is `stalled`. */
  readonly stalledAfterMs: number
}

/**
 * The lag at the last of some samples of one group, with rates and status over all of them. Pure.
 *
 * The status has no thresholds of lag, only of time: what counts is whether a group gets on (as Burrow judges).
 *
 * @param samples oldest first, at least one.
 */
export function lagOver(samples: readonly LagSample[], { stalledAfterMs }: LagJudgement): GroupLag {
  const last = samples.at(-1)!
  const { atMs, state } = last
  const byKey = samples.map((sample) => ({
    atMs: sample.atMs,
    partitions: new Map(sample.partitions.map((partition) => [partitionKey(partition), partition])),
  }))
  const partitions = last.partitions.map((current): PartitionLag => {
    const series: Point[] = byKey.flatMap(({ atMs: at, partitions: known }) => {
      const sample = known.get(partitionKey(current))
      return sample ? [{ atMs: at, sample }] : []
    })
    const { arrivedPerSecond, ...rest } = current
    const spanMs = atMs - series[0]!.atMs
    return {
      ...rest,
      producedPerSecond: spanMs > 0 ? perSecond(series[0]!.sample.endOffset, current.endOffset, spanMs) : arrivedPerSecond,
      consumedPerSecond: consumedOf(series),
      status: statusOf(series, state, stalledAfterMs),
    }
  })
  const consumed = partitions.map(({ consumedPerSecond }) => consumedPerSecond)
  const ages = partitions.map(({ seconds }) => seconds).filter((seconds) => seconds !== undefined)
  return {
    ...last,
    windowMs: atMs - samples[0]!.atMs,
    partitions,
    messages: partitions.reduce((sum, partition) => sum + partition.messages, 0),
    seconds: ages.length === 0 ? undefined : Math.max(...ages),
    producedPerSecond: partitions.reduce((sum, partition) => sum + partition.producedPerSecond, 0),
    consumedPerSecond: consumed.every((rate) => rate === undefined)
      ? undefined
      : consumed.reduce<number>((sum, rate) => sum + (rate ?? 0), 0),
    status: partitions.reduce<LagStatus>(
      (worst, { status }) => (lagStatuses.indexOf(status) > lagStatuses.indexOf(worst) ? status : worst),
      'caught-up',
    ),
  }
}

interface Point {
  readonly atMs: number
  readonly sample: PartitionSample
}

function perSecond(from: bigint, to: bigint, spanMs: number): number {
  return Math.max(0, Number(to - from)) / (spanMs / 1000)
}

/** From the first sample with a commit on; what a rewind took back does not count against it. */
function consumedOf(series: readonly Point[]): number | undefined {
  const committed = series.filter(({ sample }) => sample.committedOffset !== undefined)
  if (committed.length < 2) return undefined
  let read = 0n
  for (let at = 1; at < committed.length; at++) {
    const step = committed[at]!.sample.committedOffset! - committed[at - 1]!.sample.committedOffset!
    if (step > 0n) read += step
  }
  const spanMs = committed.at(-1)!.atMs - committed[0]!.atMs
  return spanMs > 0 ? Number(read) / (spanMs / 1000) : undefined
}

function statusOf(series: readonly Point[], state: GroupState, stalledAfterMs: number): LagStatus {
  const { atMs, sample: current } = series.at(-1)!
  if (current.committedOffset === undefined) return current.messages === 0 ? 'caught-up' : 'not-started'
  if (current.expiredMessages > 0) return 'expired'
  if (current.committedOffset > current.endOffset) return 'beyond-end'
  const offsets = series.map(({ sample }) => sample.committedOffset).filter((offset) => offset !== undefined)
  if (offsets.some((offset, at) => at > 0 && offset < offsets[at - 1]!)) return 'rewound'
  if (current.messages === 0) return 'caught-up'
  if (state === 'empty' && current.memberId === undefined) return 'stopped'
  const since = series.findLastIndex(({ sample }) => sample.committedOffset !== current.committedOffset) + 1
  // Caught up at the start of the pause: what is unread came since, and the group may just be about to read it.
  const unreadSince = series.findLastIndex(({ sample }) => sample.messages === 0) + 1
  const stuckFromMs = series[Math.max(since, unreadSince)]!.atMs
  if (atMs - stuckFromMs >= stalledAfterMs) return 'stalled'
  if (unreadSince > 0) return 'keeping-up'
  const first = series[0]!.sample
  if (series.length < 2) return 'behind'
  if (current.messages > first.messages) return 'falling-behind'
  return current.messages < first.messages ? 'catching-up' : 'behind'
}
