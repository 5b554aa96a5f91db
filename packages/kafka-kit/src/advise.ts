import { type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { count, percent, rate, seconds } from './figures'
import type { GroupLag, PartitionLag } from './lag-window'
import { partitionKey } from './leader-request'
import { movedShare } from './partition-growth'

/** Options of {@link adviseLag}. */
export interface AdviseOptions {
  /** In what time the lag should be gone. Default `'1 hour'`. */
  readonly catchUpWithin?: Duration | undefined
  /** Records a second that one consumer can handle. Default: what the members read now, as long as they have lag. */
  readonly recordsPerConsumerPerSecond?: number | undefined
  /** Records that expire unread within this time are worth a word. Default `'24 hours'`. */
  readonly expiryHorizon?: Duration | undefined
}

/** One piece of advice. */
export interface LagFinding {
  readonly kind:
    | 'consumers'
    | 'partitions'
    | 'catch-up'
    | 'hot-partition'
    | 'expires'
    | 'expired'
    | 'stopped'
    | 'stalled'
    | 'beyond-end'
    | 'unavailable'
    | 'idle-members'
    | 'unknown-rate'
  readonly severity: 'info' | 'warning' | 'critical'
  readonly topic?: string
  readonly partition?: number
  readonly text: string
  /** The arithmetic, one step a line. */
  readonly working: readonly string[]
}

/** What to do about a lag. */
export interface LagAdvice {
  readonly group: string
  readonly consumers: {
    /** Members of the group. */
    readonly now: number
    /** So many read fast enough; not bounded by the partitions. `undefined` while the speed of a consumer is not known. */
    readonly needed: number | undefined
    /** One consumer a partition: more would be idle. */
    readonly most: number
  }
  /** Partitions that are missing for `consumers.needed`; 0 when there are enough. */
  readonly partitionsToAdd: number
  /** Milliseconds until nothing is unread at the speed of now; `Infinity` when the lag does not shrink, `undefined` when not known. */
  readonly catchUpMs: number | undefined
  /** Critical ones first. */
  readonly findings: readonly LagFinding[]
}

/**
 * What a lag calls for: consumers, partitions, time to catch up, hot partitions, records about to expire unread. Pure arithmetic, which each
 * finding shows.
 *
 * Speeds come from the lag: with the single look of `lagOf` nothing is known of the speed of the readers, so take one of `watchLag`, or give
 * `recordsPerConsumerPerSecond`.
 */
export function adviseLag(lag: GroupLag, options: AdviseOptions = {}): LagAdvice {
  checkOptions('adviseLag', options, { optional: ['catchUpWithin', 'recordsPerConsumerPerSecond', 'expiryHorizon'] })
  const findings: LagFinding[] = []
  const speed = consumerSpeed(lag, options.recordsPerConsumerPerSecond)
  const capacity = adviseCapacity(lag, speed, durationMs(options.catchUpWithin ?? '1 hour') / 1000, findings)
  const catchUpMs = adviseCatchUp(lag, findings)
  adviseHotPartitions(lag, speed?.perSecond, findings)
  adviseExpiry(lag, durationMs(options.expiryHorizon ?? '24 hours') / 1000, findings)
  adviseStanding(lag, findings)
  const order = { critical: 0, warning: 1, info: 2 } as const
  findings.sort((a, b) => order[a.severity] - order[b.severity])
  return { group: lag.group, ...capacity, catchUpMs, findings }
}

interface ConsumerSpeed {
  readonly perSecond: number
  readonly working: string
}

function consumerSpeed(lag: GroupLag, given: number | undefined): ConsumerSpeed | undefined {
  if (given !== undefined)
    return given > 0 ? { perSecond: given, working: `one consumer handles ${rate(given)} (given)` } : undefined
  const { consumedPerSecond, messages } = lag
  const members = lag.members.length
  // Without lag the members read what arrives, which says nothing of what they could.
  if (!consumedPerSecond || members === 0 || messages === 0) return undefined
  const busy = Math.max(1, Math.min(members, lag.partitions.length))
  return {
    perSecond: consumedPerSecond / busy,
    working: `one consumer reads ${rate(consumedPerSecond)} ÷ ${busy} = ${rate(consumedPerSecond / busy)}`,
  }
}

function adviseCapacity(
  lag: GroupLag,
  speed: ConsumerSpeed | undefined,
  withinSeconds: number,
  findings: LagFinding[],
): Pick<LagAdvice, 'consumers' | 'partitionsToAdd'> {
  const now = lag.members.length
  const most = lag.partitions.length
  if (now > most && most > 0) {
    findings.push({
      kind: 'idle-members',
      severity: 'info',
      text: `${now - most} of ${now} consumers have nothing to do: there are ${most} partitions.`,
      working: [`${now} members − ${most} partitions = ${now - most}`],
    })
  }
  if (!speed) {
    if (lag.messages > 0) {
      findings.push({
        kind: 'unknown-rate',
        severity: 'info',
        text: 'How many consumers are needed cannot be told: nothing is known of their speed.',
        working: [
          lag.consumedPerSecond === undefined
            ? 'there is one sample only: take a lag from watchLag, or give recordsPerConsumerPerSecond'
            : 'nothing was read within the window: give recordsPerConsumerPerSecond',
        ],
      })
    }
    return { consumers: { now, needed: undefined, most }, partitionsToAdd: 0 }
  }
  const needRate = lag.producedPerSecond + lag.messages / withinSeconds
  const needed = Math.max(1, ceil(needRate / speed.perSecond))
  const working = [
    `needed: ${rate(lag.producedPerSecond)} arrive + ${count(lag.messages)} unread ÷ ${seconds(withinSeconds)} = ${rate(needRate)}`,
    speed.working,
    `${rate(needRate)} ÷ ${rate(speed.perSecond)}, rounded up = ${needed} ${needed === 1 ? 'consumer' : 'consumers'}; ${most} partitions allow ${most}`,
  ]
  const useful = Math.min(needed, most)
  if (useful > now) {
    findings.push({
      kind: 'consumers',
      severity: lag.messages > 0 ? 'warning' : 'info',
      text: `Run ${useful} consumers instead of ${now} to catch up within ${seconds(withinSeconds)}.`,
      working,
    })
  }
  const partitionsToAdd = Math.max(0, needed - most)
  if (partitionsToAdd > 0) findings.push(partitionFinding(lag, { needed, most, partitionsToAdd, working }))
  return { consumers: { now, needed, most }, partitionsToAdd }
}

function partitionFinding(
  lag: GroupLag,
  from: { readonly needed: number; readonly most: number; readonly partitionsToAdd: number; readonly working: readonly string[] },
): LagFinding {
  const { needed, most, partitionsToAdd } = from
  const byTopic = new Map<string, { partitions: number; messages: number }>()
  for (const { topic, messages } of lag.partitions) {
    const sum = byTopic.get(topic) ?? { partitions: 0, messages: 0 }
    byTopic.set(topic, { partitions: sum.partitions + 1, messages: sum.messages + messages })
  }
  const [topic, { partitions }] = [...byTopic].sort(([, a], [, b]) => b.messages - a.messages)[0]!
  const share = movedShare(partitions, partitions + partitionsToAdd)
  return {
    kind: 'partitions',
    severity: 'warning',
    topic,
    text: `${needed} consumers need ${needed} partitions, there are ${most}: add ${partitionsToAdd} to ${topic} (${partitions} → ${partitions + partitionsToAdd}; ${percent(share)} of its keys move), or make the handler faster.`,
    working: [
      ...from.working,
      `${needed} − ${most} = ${partitionsToAdd} partitions`,
      `keys that move: 1 − min(${partitions}, ${partitions + partitionsToAdd}) ÷ lcm = ${percent(share)}`,
    ],
  }
}

function adviseCatchUp(lag: GroupLag, findings: LagFinding[]): number | undefined {
  const { consumedPerSecond: consumed, producedPerSecond: produced, messages } = lag
  if (messages === 0) return 0
  if (consumed === undefined) return undefined
  const net = consumed - produced
  if (net <= 0) {
    findings.push({
      kind: 'catch-up',
      severity: 'warning',
      text: `The lag does not shrink: ${rate(consumed)} are read, ${rate(produced)} arrive.`,
      working: [`${rate(consumed)} − ${rate(produced)} = ${rate(net)}`],
    })
    return Number.POSITIVE_INFINITY
  }
  const left = messages / net
  findings.push({
    kind: 'catch-up',
    severity: 'info',
    text: `Caught up in ${seconds(left)} at the speed of now.`,
    working: [
      `${rate(consumed)} read − ${rate(produced)} arrive = ${rate(net)}`,
      `${count(messages)} ÷ ${rate(net)} = ${seconds(left)}`,
    ],
  })
  return left * 1000
}

/** Twice the even share is hot. */
const hotFactor = 2
/** Below this many records shares say nothing. */
const enoughRecords = 100

function adviseHotPartitions(lag: GroupLag, perConsumer: number | undefined, findings: LagFinding[]): void {
  for (const [topic, partitions] of grouped(lag.partitions)) {
    if (partitions.length < 2) continue
    const windowSeconds = Math.max(1, lag.windowMs / 1000)
    const arrived = sumOf(partitions, ({ producedPerSecond }) => producedPerSecond)
    const unread = sumOf(partitions, ({ messages }) => messages)
    const byArrival = arrived * windowSeconds >= enoughRecords
    const [total, amountOf, unit] = byArrival
      ? ([arrived, (one: PartitionLag) => one.producedPerSecond, rate] as const)
      : ([unread, (one: PartitionLag) => one.messages, count] as const)
    if (!byArrival && unread < enoughRecords) continue
    for (const one of partitions) {
      const share = amountOf(one) / total
      if (share * partitions.length < hotFactor) continue
      const tooFast = perConsumer !== undefined && one.producedPerSecond > perConsumer
      findings.push({
        kind: 'hot-partition',
        severity: tooFast ? 'critical' : 'warning',
        topic,
        partition: one.partition,
        text: `${partitionKey(one)} ${byArrival ? 'gets' : 'holds'} ${percent(share)} of the ${byArrival ? 'records' : 'lag'} of ${topic}; an even share of ${partitions.length} is ${percent(1 / partitions.length)}. ${tooFast ? 'One consumer reads a partition, and it is too slow for this one: more consumers do not help.' : 'More consumers do not help it.'} Spread its busiest key over several, or key by something finer.`,
        working: [
          `${unit(amountOf(one))} ÷ ${unit(total)} = ${percent(share)}; hot from ${hotFactor} × ${percent(1 / partitions.length)} on`,
          ...(tooFast ? [`${rate(one.producedPerSecond)} arrive there, one consumer reads ${rate(perConsumer)}`] : []),
        ],
      })
    }
  }
}

function adviseExpiry(lag: GroupLag, horizonSeconds: number, findings: LagFinding[]): void {
  for (const one of lag.partitions) {
    const { messages, seconds: age, retentionMs, consumedPerSecond, topic, partition } = one
    if (one.expiredMessages > 0) {
      findings.push({
        kind: 'expired',
        severity: 'critical',
        topic,
        partition,
        text: `${partitionKey(one)}: ${count(one.expiredMessages)} were deleted before the group read them.`,
        working: [`the log starts at ${one.startOffset}, the group stands at ${one.committedOffset}`],
      })
    }
    if (messages === 0 || age === undefined || age <= 0 || retentionMs === undefined) continue
    const left = retentionMs / 1000 - age
    // The reader moves through the time of the log at this many seconds a second.
    const density = messages / age
    const pace = (consumedPerSecond ?? 0) / density
    if (pace >= 1) continue
    const expiresIn = Math.max(0, left) / (1 - pace)
    if (expiresIn > horizonSeconds) continue
    const working = [`kept ${seconds(retentionMs / 1000)} − oldest unread ${seconds(age)} old = ${seconds(Math.max(0, left))}`]
    if (pace > 0) {
      working.push(
        `the reader gets through ${rate(consumedPerSecond!)} ÷ ${rate(density)} = ${pace.toFixed(2)} s of the log a second`,
        `${seconds(Math.max(0, left))} ÷ (1 − ${pace.toFixed(2)}) = ${seconds(expiresIn)}`,
      )
    } else {
      working.push(consumedPerSecond === undefined ? 'as long as nothing is read (no speed is known)' : 'nothing is read')
    }
    findings.push({
      kind: 'expires',
      severity: expiresIn < Math.min(3600, horizonSeconds / 4) ? 'critical' : 'warning',
      topic,
      partition,
      text: `${partitionKey(one)} expires unread in ${seconds(expiresIn)}: ${count(messages)} wait there. Read faster, or lengthen retention.ms now.`,
      working,
    })
  }
}

function adviseStanding(lag: GroupLag, findings: LagFinding[]): void {
  const named = (status: PartitionLag['status']) => lag.partitions.filter((one) => one.status === status)
  const list = (ones: readonly PartitionLag[]) =>
    ones.slice(0, 5).map(partitionKey).join(', ') + (ones.length > 5 ? ` and ${ones.length - 5} more` : '')
  const stopped = named('stopped')
  if (stopped.length > 0) {
    findings.push({
      kind: 'stopped',
      severity: 'critical',
      text: `The group has no consumers, and ${count(sumOf(stopped, ({ messages }) => messages))} wait on ${list(stopped)}. Start them.`,
      working: [`${lag.members.length} members`],
    })
  }
  const stalled = named('stalled')
  if (stalled.length > 0) {
    findings.push({
      kind: 'stalled',
      severity: 'critical',
      text: `Nothing moves on ${list(stalled)}, though there are records and a consumer: its handler hangs, or fails on one record over and over.`,
      working: stalled.slice(0, 5).map((one) => `${partitionKey(one)} stands at ${one.committedOffset} of ${one.stableOffset}`),
    })
  }
  const beyond = named('beyond-end')
  if (beyond.length > 0) {
    findings.push({
      kind: 'beyond-end',
      severity: 'critical',
      text: `The offsets of ${list(beyond)} lie after the end of the log: the topic was deleted and created again, or the log was cut. Set them with planReplay.`,
      working: beyond
        .slice(0, 5)
        .map((one) => `${partitionKey(one)} stands at ${one.committedOffset}, the log ends at ${one.endOffset}`),
    })
  }
  if (lag.unavailable.length > 0) {
    findings.push({
      kind: 'unavailable',
      severity: 'critical',
      text: `Nobody answers for ${lag.unavailable.length} ${lag.unavailable.length === 1 ? 'partition' : 'partitions'}. See clusterView.`,
      working: lag.unavailable.slice(0, 5).map(({ reason }) => reason),
    })
  }
}

function grouped(partitions: readonly PartitionLag[]): Map<string, PartitionLag[]> {
  const topics = new Map<string, PartitionLag[]>()
  for (const partition of partitions) topics.set(partition.topic, [...(topics.get(partition.topic) ?? []), partition])
  return topics
}

function sumOf(partitions: readonly PartitionLag[], amount: (one: PartitionLag) => number): number {
  return partitions.reduce((sum, one) => sum + amount(one), 0)
}

/** Rounds up, but not for what binary fractions add: 3.0000000001 is 3. */
function ceil(value: number): number {
  return Math.ceil(value - 1e-9)
}
