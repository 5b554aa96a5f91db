import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { noTopicId } from '@pipe/kafka-wire'
import { type Kafka, resourcesOf } from './connect'
import { KafkaError } from './errors'
import { commitFromOutside, committedOffsets, deleteOffsets, describeGroup, groupActive } from './group-state'
import type { Cluster } from './internals'
import { existingTopics, partitionKey } from './leader-request'
import { answerOf, logOffsets } from './offsets'
import type { ReplayPlan } from './replay-plan'

/** Options of {@link applyReplay} and {@link undoReplay}. */
export interface ReplayApplyOptions {
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** What {@link applyReplay} did; with it {@link undoReplay} takes it back. Data. */
export interface ReplayReceipt {
  readonly kind: 'replay-receipt'
  readonly group: string
  readonly topic: string
  readonly topicId: string
  /** Milliseconds since the epoch. */
  readonly appliedAtMs: number
  readonly partitions: readonly {
    readonly partition: number
    /** `undefined`: the group had committed nothing. */
    readonly before: bigint | undefined
    readonly after: bigint
  }[]
}

/** What {@link undoReplay} did. */
export interface UndoneReplay {
  readonly group: string
  readonly topic: string
  /** Partitions whose old offset stands again (`undefined`: none, as before). */
  readonly restored: readonly { readonly partition: number; readonly offset: bigint | undefined }[]
  /** Partitions that were left alone: the group has read on to the old offset, or past it, so going back would show it records once more. */
  readonly kept: readonly { readonly partition: number; readonly offset: bigint }[]
}

/**
 * Sets the offsets of a group as planned: all partitions in one request to the coordinator, which takes it only while the group has no
 * members. Then it reads them back.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_GROUP_ACTIVE` (retryable) when the group has members; `PIPE_KAFKA_PLAN_STALE` when the topic was made
 * anew, the group has committed since, or retention has taken records of the plan. Nothing is changed then.
 */
export async function applyReplay(kafka: Kafka, plan: ReplayPlan, options: ReplayApplyOptions = {}): Promise<ReplayReceipt> {
  checkOptions('applyReplay', options, { optional: ['signal'] })
  if (plan?.kind !== 'replay-plan') throw new ConfigError('applyReplay takes a plan made by planReplay.')
  const { group, topic, topicId } = plan
  const { signal } = options
  const cluster = resourcesOf(kafka).cluster()
  const items = plan.partitions.map(({ partition }) => ({ topic, partition }))
  await checkEmpty(cluster, group, 'its offsets cannot be set', signal)
  await checkSameTopic(cluster, topic, topicId, signal)
  const committed = await committedOffsets(cluster, group, items, { requireStable: true, signal })
  const logs = await logOffsets(cluster, items, { waitMs: 15_000, signal })
  for (const { partition, committed: planned, from } of plan.partitions) {
    const at = { topic, partition }
    const now = committed.get(partitionKey(at))?.offset
    if (now !== planned) {
      throw stale(`group ${group} stood at ${planned ?? 'no offset'} on ${partitionKey(at)} and now stands at ${now ?? 'none'}`)
    }
    const { start, end } = answerOf(logs, at)
    if (from < start) throw stale(`the log of ${partitionKey(at)} now starts at ${start}, after ${from}: retention took records`)
    if (from > end) throw stale(`the log of ${partitionKey(at)} now ends at ${end}, before ${from}`)
  }
  const offsets = plan.partitions.map(({ partition, from }) => ({ topic, partition, offset: from }))
  await commitFromOutside(cluster, group, offsets, signal)
  await checkCommitted(cluster, group, offsets, signal)
  return {
    kind: 'replay-receipt',
    group,
    topic,
    topicId,
    appliedAtMs: Date.now(),
    partitions: plan.partitions.map(({ partition, committed: before, from }) => ({ partition, before, after: from })),
  }
}

/**
 * Takes a replay back: the offsets from before stand again, and where there were none, none does. A partition on which the group has read on
 * past its old offset is left alone.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_GROUP_ACTIVE` (retryable) when the group has members, `PIPE_KAFKA_PLAN_STALE` when the topic was made
 * anew.
 */
export async function undoReplay(kafka: Kafka, receipt: ReplayReceipt, options: ReplayApplyOptions = {}): Promise<UndoneReplay> {
  checkOptions('undoReplay', options, { optional: ['signal'] })
  if (receipt?.kind !== 'replay-receipt') throw new ConfigError('undoReplay takes a receipt of applyReplay.')
  const { group, topic, topicId } = receipt
  const { signal } = options
  const cluster = resourcesOf(kafka).cluster()
  const items = receipt.partitions.map(({ partition }) => ({ topic, partition }))
  await checkEmpty(cluster, group, 'its offsets cannot be set back', signal)
  await checkSameTopic(cluster, topic, topicId, signal)
  const committed = await committedOffsets(cluster, group, items, { requireStable: true, signal })
  const restored: { partition: number; offset: bigint | undefined }[] = []
  const kept: { partition: number; offset: bigint }[] = []
  for (const { partition, before, after } of receipt.partitions) {
    const now = committed.get(partitionKey({ topic, partition }))?.offset
    // A replay that skipped ahead is taken back even so: that was its whole point.
    const wentBack = before !== undefined && after <= before
    if (wentBack && now !== undefined && now >= before) kept.push({ partition, offset: now })
    else restored.push({ partition, offset: before })
  }
  const toCommit = restored.flatMap(({ partition, offset }) => (offset === undefined ? [] : [{ topic, partition, offset }]))
  const toDelete = restored.filter(({ offset }) => offset === undefined).map(({ partition }) => ({ topic, partition }))
  if (toCommit.length > 0) {
    await commitFromOutside(cluster, group, toCommit, signal)
    await checkCommitted(cluster, group, toCommit, signal)
  }
  if (toDelete.length > 0) await deleteOffsets(cluster, group, toDelete, signal)
  return { group, topic, restored, kept }
}

function stale(what: string): KafkaError {
  return new KafkaError('PIPE_KAFKA_PLAN_STALE', `The plan does not fit any more: ${what}. Nothing was changed.`, {
    hint: 'Plan again.',
  })
}

async function checkEmpty(cluster: Cluster, group: string, what: string, signal: AbortSignal | undefined): Promise<void> {
  const description = await describeGroup(cluster, group, signal)
  if (description.state === 'stable' || description.state === 'rebalancing' || description.members.length > 0) {
    throw groupActive(group, what, description)
  }
}

async function checkSameTopic(cluster: Cluster, topic: string, topicId: string, signal: AbortSignal | undefined): Promise<void> {
  const now = (await existingTopics(cluster, [topic], signal)).get(topic)!.topicId
  // Brokers before Kafka 2.8 have no topic ids; there the offsets of the log have to do.
  if (now !== topicId && now !== noTopicId && topicId !== noTopicId) throw stale(`${topic} was deleted and created again`)
}

async function checkCommitted(
  cluster: Cluster,
  group: string,
  offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: bigint }[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const committed = await committedOffsets(cluster, group, offsets, { requireStable: true, signal })
  for (const wanted of offsets) {
    const now = committed.get(partitionKey(wanted))?.offset
    if (now === wanted.offset) continue
    throw new KafkaError(
      'PIPE_KAFKA_GROUP_ACTIVE',
      `The offset of group ${group} on ${partitionKey(wanted)} was set to ${wanted.offset} and reads ${now ?? 'none'}: somebody else commits for the group.`,
      { hint: 'Find out who does, and plan again.', details: { group, topic: wanted.topic, partition: wanted.partition } },
    )
  }
}
