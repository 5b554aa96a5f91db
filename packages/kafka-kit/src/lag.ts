import { ConfigError, type Duration, durationMs, sleep } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type Kafka, resourcesOf } from './connect'
import { KafkaError } from './errors'
import { type CommittedOffset, committedOffsets, describeGroup, type GroupDescription } from './group-state'
import type { Cluster } from './internals'
import { type GroupLag, type LagSample, lagOver, type PartitionSample } from './lag-window'
import { partitionKey, type TopicPartition } from './leader-request'
import { logOffsets, offsetsAtTime, type PartitionOffsets, recordTimes, type TimedAnswer, type TimedOffset } from './offsets'
import { readConfigs } from './topic-state'

/** Options of {@link lagOf}. */
export interface LagOptions {
  /** Only these topics. Default: all on which the group has committed or that its members read. */
  readonly topics?: readonly (string | { readonly name: string })[] | undefined
  /** Over which time arrivals are counted, and samples kept. Default `'5 minutes'`. */
  readonly window?: Duration | undefined
  /** Without progress for this long a partition with lag is `stalled`. Longer than the group's commit interval. Default `'30 seconds'`. */
  readonly stalledAfter?: Duration | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** Options of {@link watchLag}. */
export interface WatchLagOptions extends LagOptions {
  /** Time between samples. Default `'5 seconds'`. */
  readonly every?: Duration | undefined
}

/** How long a partition without a leader holds a sample up. */
const leaderWaitMs = 3000

/**
 * The lag of a consumer group, partition by partition: where the log ends, where committed data ends, where the group stands, and how old
 * the first unread record is. One look: rates of arrival come from the timestamps in the log, rates of reading and a status over time from
 * {@link watchLag}.
 *
 * Timestamps are those of the records: where producers set event times of their own, `seconds` is in event time.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_GROUP` when the group has neither offsets nor members (on the given topics).
 */
export async function lagOf(kafka: Kafka, group: string, options: LagOptions = {}): Promise<GroupLag> {
  checkOptions('lagOf', options, { optional: ['topics', 'window', 'stalledAfter', 'signal'] })
  const settings = settingsOf('lagOf', group, options)
  return lagOver([await sampleLag(resourcesOf(kafka).cluster(), group, settings)], settings)
}

/**
 * The lag of a consumer group over and over, with rates and status over a sliding window of samples. Breaking the loop, or the signal, ends it.
 * A sample that fails for a passing reason (a coordinator that moves) is left out; the next one follows.
 *
 * @throws the reason of the signal, and what {@link lagOf} throws.
 * @example
 * ```ts
 * for await (const lag of watchLag(kafka, 'billing')) console.log(lag.messages, lag.status, adviseLag(lag).findings)
 * ```
 */
export async function* watchLag(kafka: Kafka, group: string, options: WatchLagOptions = {}): AsyncGenerator<GroupLag, void> {
  checkOptions('watchLag', options, { optional: ['topics', 'window', 'stalledAfter', 'signal', 'every'] })
  const settings = settingsOf('watchLag', group, options)
  const everyMs = durationMs(options.every ?? '5 seconds')
  if (everyMs < 100) throw new ConfigError(`watchLag: every ${options.every} would only keep the brokers busy.`)
  const cluster = resourcesOf(kafka).cluster()
  const samples: LagSample[] = []
  let failures = 0
  for (let next = Date.now(); ; next += everyMs) {
    await sleep(Math.max(0, next - Date.now()), options.signal)
    next = Math.max(next, Date.now() - everyMs)
    try {
      samples.push(await sampleLag(cluster, group, settings))
      failures = 0
    } catch (error) {
      options.signal?.throwIfAborted()
      // A coordinator that has just taken a group over may answer for a moment as if it knew nothing of it.
      const mayPass =
        error instanceof KafkaError && (error.retryable || (samples.length > 0 && error.code === 'PIPE_KAFKA_GROUP'))
      if (!mayPass || ++failures >= 10) throw error
      continue
    }
    const oldest = samples.at(-1)!.atMs - settings.windowMs
    while (samples.length > 2 && samples[0]!.atMs < oldest) samples.shift()
    yield lagOver(samples, settings)
  }
}

interface LagSettings {
  readonly topics: readonly string[] | undefined
  readonly windowMs: number
  readonly stalledAfterMs: number
  readonly signal: AbortSignal | undefined
}

function settingsOf(where: string, group: string, options: LagOptions): LagSettings {
  if (typeof group !== 'string' || group === '') throw new ConfigError(`${where} needs the id of a group.`)
  return {
    topics: options.topics?.map((topic) => (typeof topic === 'string' ? topic : topic.name)),
    windowMs: durationMs(options.window ?? '5 minutes'),
    stalledAfterMs: durationMs(options.stalledAfter ?? '30 seconds'),
    signal: options.signal,
  }
}

async function sampleLag(cluster: Cluster, group: string, settings: LagSettings): Promise<LagSample> {
  const { signal, windowMs } = settings
  const description = await describeGroup(cluster, group, signal)
  const committed = await committedOffsets(cluster, group, null, { requireStable: false, signal })
  const { partitions, configs } = await partitionsOf(cluster, group, description, committed, settings)
  const wait = { waitMs: leaderWaitMs, signal }
  const atMs = Date.now()
  const logs = await logOffsets(cluster, partitions, wait)
  const known = partitions.filter((item) => !(logs.get(partitionKey(item)) instanceof KafkaError))
  const arrived = await offsetsAtTime(cluster, known, atMs - windowMs, wait)
  const positions = known.flatMap((item) => {
    const log = logs.get(partitionKey(item))
    if (!log || log instanceof KafkaError) return []
    const offset = positionOf(log, committed.get(partitionKey(item))?.offset)
    return offset < log.stable ? [{ ...item, offset }] : []
  })
  const unread = await recordTimes(cluster, positions, wait)
  const readers = new Map(
    description.members.flatMap((member) => member.partitions.map((item) => [partitionKey(item), member.memberId] as const)),
  )
  const samples: PartitionSample[] = []
  const unavailable: LagSample['unavailable'][number][] = []
  for (const item of partitions) {
    const key = partitionKey(item)
    const log = logs.get(key)!
    if (log instanceof KafkaError) {
      unavailable.push({ ...item, reason: log.message })
      continue
    }
    samples.push({
      ...positionIn(log, committed.get(key)?.offset, { asked: unread.has(key), first: unread.get(key) }, atMs),
      arrivedPerSecond: arrivalsOf(arrived.get(key), log, windowMs),
      memberId: readers.get(key),
      retentionMs: retentionOf(configs.get(item.topic)),
    })
  }
  return { group, state: description.state, members: description.members, atMs, partitions: samples, unavailable }
}

async function partitionsOf(
  cluster: Cluster,
  group: string,
  { members }: GroupDescription,
  committed: ReadonlyMap<string, CommittedOffset>,
  { topics, signal }: LagSettings,
): Promise<{
  readonly partitions: readonly TopicPartition[]
  readonly configs: ReadonlyMap<string, Record<string, string | null>>
}> {
  const used = new Set([...committed.values(), ...members.flatMap((member) => member.partitions)].map(({ topic }) => topic))
  const names = [...used].filter((name) => !topics || topics.includes(name)).sort()
  if (names.length === 0) {
    const where = topics ? ` on ${topics.join(', ')}` : ''
    throw new KafkaError('PIPE_KAFKA_GROUP', `Group ${group} has neither offsets nor members${where}.`, {
      hint: 'Check its name. Offsets of a group without members are forgotten after offsets.retention.minutes (7 days by default).',
      details: { group },
    })
  }
  const answer = await cluster.metadata(names, { signal })
  // Topics that were deleted while the group still has offsets on them have no lag.
  const partitions = answer.topics
    .filter(({ errorCode }) => errorCode !== 3)
    .flatMap((topic) => topic.partitions.map(({ partition }) => ({ topic: topic.name!, partition })))
    .sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
  const existing = [...new Set(partitions.map(({ topic }) => topic))]
  const configs = await readConfigs(
    cluster,
    existing.map((name) => ({ name, configNames: ['retention.ms'] })),
    signal,
  )
  return { partitions, configs }
}

/** Where a reader with this offset would go on: what it has not read may be deleted by now. */
function positionOf({ start }: PartitionOffsets, committedOffset: bigint | undefined): bigint {
  return committedOffset === undefined || committedOffset < start ? start : committedOffset
}

function positionIn(
  log: PartitionOffsets,
  committedOffset: bigint | undefined,
  unread: { readonly asked: boolean; readonly first: TimedOffset | undefined | KafkaError },
  atMs: number,
): Omit<PartitionSample, 'arrivedPerSecond' | 'memberId' | 'retentionMs'> {
  const { topic, partition, start, stable, end } = log
  const position = positionOf(log, committedOffset)
  const { asked, first } = unread
  // Asked and nothing found: only marks of transactions follow, which nobody reads.
  const next = !asked || first === undefined ? stable : first instanceof KafkaError ? position : first.offset
  const messages = Number(stable > next ? stable - next : 0n)
  let seconds: number | undefined = 0
  if (messages > 0) seconds = first instanceof KafkaError || !first ? undefined : Math.max(0, atMs - first.timestampMs) / 1000
  return {
    topic,
    partition,
    startOffset: start,
    stableOffset: stable,
    endOffset: end,
    committedOffset,
    messages,
    messagesToEnd: messages === 0 && end === stable ? 0 : Number(end > position ? end - position : 0n),
    seconds,
    expiredMessages: Number(committedOffset !== undefined && committedOffset < start ? start - committedOffset : 0n),
  }
}

function arrivalsOf(answer: TimedAnswer | KafkaError | undefined, log: PartitionOffsets, windowMs: number): number {
  if (!answer || answer instanceof KafkaError || answer.offset < 0n || log.end <= answer.offset) return 0
  return Number(log.end - answer.offset) / (windowMs / 1000)
}

/** After how long records are deleted by age: not at all in a topic that is only compacted. */
function retentionOf(config: Readonly<Record<string, string | null>> | undefined): number | undefined {
  const value = config?.['retention.ms']
  if (!value || value === '-1' || !config?.['cleanup.policy']?.includes('delete')) return undefined
  return Number(value)
}
