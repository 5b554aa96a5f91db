import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type Kafka, resourcesOf } from './connect'
import { KafkaError } from './errors'
import { committedOffsets, describeGroup, type GroupState } from './group-state'
import type { Cluster } from './internals'
import { existingTopics, partitionKey, type TopicPartition } from './leader-request'
import {
  answerOf,
  logOffsets,
  offsetsAtTime,
  type PartitionOffsets,
  recordTimes,
  type TimedAnswer,
  type TimedOffset,
} from './offsets'
import { readConfigs } from './topic-state'

/** Where a replay begins: the start of the log, an offset (one for all partitions, or by partition number), or a moment of the record timestamps. */
export type ReplayFrom =
  | 'beginning'
  | { readonly offset: bigint | number | Readonly<Record<number, bigint | number>> }
  | { readonly timestamp: Date }

/** Options of {@link planReplay}. */
export interface ReplayOptions {
  /** The consumer group whose offsets are looked at, and moved unless `as` is given. */
  readonly group: string
  /** The topic, or its name. */
  readonly topic: string | { readonly name: string }
  /** Where the group shall stand: the beginning, offsets, or the first record at or after an instant. */
  readonly from: ReplayFrom
  /** Replay into this new group, and leave the offsets of `group` alone. */
  readonly as?: string | undefined
  /** Only these partitions. Default all (with offsets by partition number: those). */
  readonly partitions?: readonly number[] | undefined
  /** Records a second that the group will read, for the time it takes. Default: no time is told. */
  readonly recordsPerSecond?: number | undefined
  /** Over which time arrivals are counted. Default `'5 minutes'`. */
  readonly window?: Duration | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** The part of a replay on one partition. */
export interface ReplayPartition {
  readonly partition: number
  /** What the group has committed today (of `as`: nothing); `undefined` = nothing. */
  readonly committed: bigint | undefined
  /** What was asked for; `undefined` when it was a time. */
  readonly requested: bigint | undefined
  /** Where reading begins. */
  readonly from: bigint
  /** The end of the log at the time of planning. */
  readonly to: bigint
  /** `to − from`: records to read, as an upper bound (transactions and compaction leave gaps). */
  readonly messages: number
  /** Of them, how many the group had read already: it will see them again. */
  readonly again: number
  /** Unread ones that are skipped, as `from` lies after `committed`. */
  readonly skipped: number
  /** Records that were asked for and are deleted: exact by offset, at most so many by time. */
  readonly retentionTook: number
  /** Whether `retentionTook` is an upper bound. */
  readonly retentionTookAtMost: boolean
}

/** What a replay will do. Data; `applyReplay` carries it out. */
export interface ReplayPlan {
  readonly kind: 'replay-plan'
  /** The group whose offsets are set. */
  readonly group: string
  /** The group that it was planned for, when `group` is a new one. */
  readonly insteadOf: string | undefined
  readonly topic: string
  readonly topicId: string
  /** Milliseconds since the epoch. */
  readonly plannedAtMs: number
  readonly groupState: GroupState
  readonly partitions: readonly ReplayPartition[]
  readonly messages: number
  readonly again: number
  readonly skipped: number
  readonly retentionTook: number
  /** Records a second that arrive meanwhile, by the timestamps of the log. */
  readonly producedPerSecond: number
  /** Milliseconds until the group is at the end; `Infinity` when it never gets there; `undefined` without `recordsPerSecond`. */
  readonly etaMs: number | undefined
  /** Consequences to know of, one sentence each. */
  readonly notes: readonly string[]
}

/**
 * Plans that a group reads records of a topic again (or skips some). Reads only.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for offsets or partitions that cannot be. {@link KafkaError} `PIPE_KAFKA_TOPIC` for an unknown
 * topic, `PIPE_KAFKA_GROUP_EXISTS` when the new group has offsets on the topic already.
 * @example
 * ```ts
 * const plan = await planReplay(kafka, { group: 'billing', topic: orders, from: { timestamp: new Date('2026-11-24T00:00:00Z') } })
 * const receipt = await applyReplay(kafka, plan)     // only while billing has no members
 * await undoReplay(kafka, receipt)
 * ```
 */
export async function planReplay(kafka: Kafka, options: ReplayOptions): Promise<ReplayPlan> {
  checkOptions('planReplay', options, {
    required: ['group', 'topic', 'from'],
    optional: ['as', 'partitions', 'recordsPerSecond', 'window', 'signal'],
  })
  const from = checkFrom(options.from)
  const { group, as, signal, recordsPerSecond } = options
  for (const id of as === undefined ? [group] : [group, as]) {
    if (typeof id !== 'string' || id === '') throw new ConfigError('planReplay: group and as must be ids of groups.')
  }
  if (as === group) throw new ConfigError('planReplay: as names the group itself. Leave it out to replay in place.')
  if (recordsPerSecond !== undefined && !(recordsPerSecond > 0))
    throw new ConfigError(`planReplay: recordsPerSecond must be more than 0, not ${recordsPerSecond}.`)
  const topic = typeof options.topic === 'string' ? options.topic : options.topic.name
  const cluster = resourcesOf(kafka).cluster()
  const found = (await existingTopics(cluster, [topic], signal)).get(topic)!
  const items = chosenPartitions(
    topic,
    found.partitions.map(({ partition }) => partition),
    from,
    options.partitions,
  )
  const target = as ?? group
  const { state } = await describeGroup(cluster, target, signal)
  const committed = await committedOffsets(cluster, target, items, { requireStable: true, signal })
  if (as !== undefined && committed.size > 0) {
    throw new KafkaError('PIPE_KAFKA_GROUP_EXISTS', `Group ${as} has offsets on ${topic} already.`, {
      hint: 'Choose an id that nobody uses, or replay in place without as.',
      details: { group: as, topic },
    })
  }
  const log = await readLog(cluster, items, from, durationMs(options.window ?? '5 minutes'), signal)
  const configs = await readConfigs(cluster, [{ name: topic, configNames: [] }], signal)
  return {
    ...arrangeReplay({
      group: target,
      insteadOf: as === undefined ? undefined : group,
      topic,
      topicId: found.topicId,
      from,
      partitions: items.map((item) => ({
        ...log.get(partitionKey(item))!,
        committed: committed.get(partitionKey(item))?.offset,
      })),
      isCompacted: configs.get(topic)?.['cleanup.policy']?.includes('compact') ?? false,
      recordsPerSecond,
    }),
    plannedAtMs: Date.now(),
    groupState: state,
  }
}

function checkFrom(from: ReplayFrom): ReplayFrom {
  if (from === 'beginning') return from
  if (typeof from === 'object' && from !== null) {
    if ('timestamp' in from && from.timestamp instanceof Date && !Number.isNaN(from.timestamp.getTime())) return from
    if ('offset' in from) {
      const { offset } = from
      const all = typeof offset === 'object' && offset !== null ? Object.values(offset) : [offset]
      const wrong = all.find((value) => !(typeof value === 'bigint' ? value >= 0n : Number.isSafeInteger(value) && value >= 0))
      if (all.length > 0 && wrong === undefined) return from
    }
  }
  throw new ConfigError('planReplay: from is not a place to begin.', {
    hint: "Give 'beginning', { offset: 42n }, { offset: { 0: 42n, 1: 7n } } or { timestamp: new Date(…) }.",
  })
}

function chosenPartitions(
  topic: string,
  existing: readonly number[],
  from: ReplayFrom,
  chosen: readonly number[] | undefined,
): readonly TopicPartition[] {
  const named =
    typeof from === 'object' && 'offset' in from && typeof from.offset === 'object'
      ? Object.keys(from.offset).map(Number)
      : undefined
  if (named && chosen?.some((partition) => !named.includes(partition)))
    throw new ConfigError('planReplay: partitions names one that offset has no entry for.')
  const wanted = chosen ?? named ?? existing
  const unknown = wanted.filter((partition) => !existing.includes(partition))
  if (unknown.length > 0) {
    throw new ConfigError(`planReplay: ${topic} has no partition ${unknown.join(', ')}.`, {
      hint: `It has 0 to ${existing.length - 1}.`,
    })
  }
  if (wanted.length === 0) throw new ConfigError('planReplay: partitions is empty.')
  return [...new Set(wanted)].sort((a, b) => a - b).map((partition) => ({ topic, partition }))
}

/** What the log says about one partition. */
export interface ReplayLog {
  readonly partition: number
  /** Start, and end of what readers of committed data get. */
  readonly start: bigint
  readonly end: bigint
  /** Offset of the first record at the wanted time; `undefined` when it was not asked for, or none is that young. */
  readonly atTime: bigint | undefined
  /** When the first record that is kept was written. */
  readonly firstAtMs: number | undefined
  readonly arrivedPerSecond: number
}

async function readLog(
  cluster: Cluster,
  items: readonly TopicPartition[],
  from: ReplayFrom,
  windowMs: number,
  signal: AbortSignal | undefined,
): Promise<Map<string, ReplayLog>> {
  const wait = { waitMs: 15_000, signal }
  const logs = await logOffsets(cluster, items, wait)
  const arrived = await offsetsAtTime(cluster, items, Date.now() - windowMs, wait)
  const isTime = typeof from === 'object' && 'timestamp' in from
  const times = isTime ? await offsetsAtTime(cluster, items, from.timestamp.getTime(), wait) : undefined
  const starts = items.map((item) => ({ ...item, offset: answerOf<PartitionOffsets>(logs, item).start }))
  const first = isTime ? await recordTimes(cluster, starts, wait) : new Map<string, TimedOffset | undefined | KafkaError>()
  return new Map(
    items.map((item) => {
      const { start, stable, end } = answerOf<PartitionOffsets>(logs, item)
      const { offset: since } = answerOf<TimedAnswer>(arrived, item)
      const at = times && answerOf<TimedAnswer>(times, item).offset
      const firstRecord = first.get(partitionKey(item))
      if (firstRecord instanceof KafkaError) throw firstRecord
      const log = {
        partition: item.partition,
        start,
        end: stable,
        atTime: at === undefined || at < 0n ? undefined : at,
        firstAtMs: firstRecord?.timestampMs,
        arrivedPerSecond: since < 0n || since >= end ? 0 : Number(end - since) / (windowMs / 1000),
      }
      return [partitionKey(item), log] as const
    }),
  )
}

/** What {@link arrangeReplay} works with. */
export interface ReplayFacts {
  readonly group: string
  readonly insteadOf: string | undefined
  readonly topic: string
  readonly topicId: string
  readonly from: ReplayFrom
  readonly partitions: readonly (ReplayLog & { readonly committed: bigint | undefined })[]
  readonly isCompacted: boolean
  readonly recordsPerSecond: number | undefined
}

/** The pure part of {@link planReplay}. */
export function arrangeReplay(facts: ReplayFacts): Omit<ReplayPlan, 'plannedAtMs' | 'groupState'> {
  const { group, insteadOf, topic, topicId, from, recordsPerSecond } = facts
  const partitions = facts.partitions.map((one) => arrangePartition(one, from))
  const sum = (amount: (one: ReplayPartition) => number) => partitions.reduce((total, one) => total + amount(one), 0)
  const messages = sum((one) => one.messages)
  const again = sum((one) => one.again)
  const skipped = sum((one) => one.skipped)
  const producedPerSecond = facts.partitions.reduce((total, { arrivedPerSecond }) => total + arrivedPerSecond, 0)
  const notes: string[] = []
  const beyond = partitions.filter(({ requested, to }) => requested !== undefined && requested > to)
  if (beyond.length > 0) {
    notes.push(
      `${beyond.map(({ partition }) => partitionKey({ topic, partition })).join(', ')}: the offset asked for lies after the end; reading begins at the end.`,
    )
  }
  if (skipped > 0) notes.push(`${skipped} records that the group has not read are skipped.`)
  if (facts.isCompacted) notes.push(`${topic} is compacted: of each key only the newest records are still there to be read.`)
  if (again > 0 && insteadOf === undefined)
    notes.push(`The group sees ${again} records again: what it does with them must bear that.`)
  return {
    kind: 'replay-plan',
    group,
    insteadOf,
    topic,
    topicId,
    partitions,
    messages,
    again,
    skipped,
    retentionTook: sum((one) => one.retentionTook),
    producedPerSecond,
    etaMs: etaOf(messages, recordsPerSecond, producedPerSecond),
    notes,
  }
}

function etaOf(messages: number, recordsPerSecond: number | undefined, producedPerSecond: number): number | undefined {
  if (messages === 0) return 0
  if (recordsPerSecond === undefined) return undefined
  const net = recordsPerSecond - producedPerSecond
  return net <= 0 ? Number.POSITIVE_INFINITY : (messages / net) * 1000
}

function arrangePartition(log: ReplayFacts['partitions'][number], from: ReplayFrom): ReplayPartition {
  const { partition, committed, start, end } = log
  const requested = requestedOffset(log, from)
  const begin = requested ?? log.atTime ?? end
  const at = clamped(begin, start, end)
  const position = clamped(committed ?? start, start, end)
  // Older than the oldest record that is kept: what lay between is gone, and nobody knows how much of it there was.
  const lostByTime =
    typeof from === 'object' &&
    'timestamp' in from &&
    at === start &&
    start > 0n &&
    (log.firstAtMs === undefined || log.firstAtMs > from.timestamp.getTime())
  const lostByOffset = requested !== undefined && requested < start
  return {
    partition,
    committed,
    requested,
    from: at,
    to: end,
    messages: Number(end - at),
    again: committed !== undefined && at < position ? Number(position - at) : 0,
    skipped: committed !== undefined && at > position ? Number(at - position) : 0,
    retentionTook: lostByOffset ? Number(start - requested) : lostByTime ? Number(start) : 0,
    retentionTookAtMost: lostByTime,
  }
}

function clamped(value: bigint, low: bigint, high: bigint): bigint {
  if (value < low) return low
  if (value > high) return high
  return value
}

function requestedOffset({ partition }: ReplayLog, from: ReplayFrom): bigint | undefined {
  if (from === 'beginning') return 0n
  if ('timestamp' in from) return undefined
  const { offset } = from
  return BigInt(typeof offset === 'object' ? offset[partition]! : offset)
}
