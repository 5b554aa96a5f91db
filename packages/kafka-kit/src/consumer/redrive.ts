import { checkOptions } from '@pipe/core/internal'
import type { BatchRecord } from '@pipe/kafka-wire'
import { type Kafka, resourcesOf } from '../connect'
import { KafkaError } from '../errors'
import { commitFromOutside, committedOffsets } from '../group-state'
import { existingTopics, partitionKey } from '../leader-request'
import { answerOf, logOffsets } from '../offsets'
import { checkTopicName } from '../topic'
import { deadLetterHeaders, originOf, withoutOrigin } from './dead-letter'
import { readPartition } from './partition-reader'
import { type PlacedWrite, partitionCount, partitionFor, rawProducer, rawTopic } from './raw-write'

/** What {@link planRedrive} takes. */
export interface RedriveOptions {
  /** The dead-letter topic. */
  readonly from: string
  /** Where to. Default: the topic that each letter came from. */
  readonly to?: string | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
  /** Told how far the work is. */
  readonly onProgress?: ((progress: RedriveProgress) => void) | undefined
}

/** How far a redrive, or the reading for its plan, has come. */
export interface RedriveProgress {
  readonly phase: 'read' | 'redrive'
  readonly done: number
  /** Not known while the plan is made. */
  readonly total?: number
  readonly unit: 'letters'
}

/** Letters of one partition of the dead-letter topic. */
export interface RedriveRange {
  readonly partition: number
  /** Everything below was redriven before, or is gone by retention. */
  readonly from: bigint
  /** One past the last letter of the plan. */
  readonly to: bigint
}

/** What a redrive would do. Reading it changes nothing. */
export interface RedrivePlan {
  readonly deadLetterTopic: string
  /** `undefined`: each to where it came from. */
  readonly to: string | undefined
  /** The group whose offsets say how far the topic was redriven. */
  readonly progressGroup: string
  readonly ranges: readonly RedriveRange[]
  readonly letters: number
  /** Records that are no dead letters of this kit: they stay where they are and are passed over. */
  readonly foreign: number
  /** Letters by target topic and error, the most frequent first. */
  readonly causes: readonly {
    readonly topic: string
    readonly errorCode: string
    readonly count: number
    /** The message of the first one. */
    readonly example: string
  }[]
}

/** What a redrive has done. */
export interface RedriveResult {
  readonly redriven: number
  readonly foreign: number
}

const waitMs = 30_000

/**
 * Reads the letters of a dead-letter topic that were not redriven yet, and says what a redrive would do: the dry run.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_TOPIC` when there is no such topic.
 */
export async function planRedrive(kafka: Kafka, options: RedriveOptions): Promise<RedrivePlan> {
  checkOptions('planRedrive', options, { required: ['from'], optional: ['to', 'signal', 'onProgress'] })
  const { from: deadLetterTopic, to, signal, onProgress } = options
  checkTopicName(deadLetterTopic)
  if (to !== undefined) checkTopicName(to)
  const cluster = resourcesOf(kafka).cluster()
  const progressGroup = `pipe-redrive.${deadLetterTopic}`
  const { partitions } = (await existingTopics(cluster, [deadLetterTopic], signal)).get(deadLetterTopic)!
  const items = partitions.map(({ partition }) => ({ topic: deadLetterTopic, partition }))
  const progress = await committedOffsets(cluster, progressGroup, items, { requireStable: false, signal })
  const offsets = await logOffsets(cluster, items, { waitMs, signal })
  const causes = new Map<string, { topic: string; errorCode: string; count: number; example: string }>()
  const ranges: RedriveRange[] = []
  let letters = 0
  let foreign = 0
  for (const item of items) {
    const { start, stable } = answerOf(offsets, item)
    const done = progress.get(partitionKey(item))?.offset ?? start
    // Retention may have taken letters that were never redriven.
    let from = start
    if (done > start) from = done
    if (from >= stable) continue
    ranges.push({ partition: item.partition, from, to: stable })
    for await (const { records } of readPartition(cluster, item, { from, to: stable }, { waitMs, signal })) {
      for (const record of records) {
        const origin = originOf(record.headers)
        if (!origin) {
          foreign++
          continue
        }
        letters++
        const topic = to ?? origin.topic
        const key = `${topic} ${origin.errorCode}`
        const cause = causes.get(key)
        if (cause) cause.count++
        else causes.set(key, { topic, errorCode: origin.errorCode, count: 1, example: origin.errorMessage })
      }
      onProgress?.({ phase: 'read', done: letters, unit: 'letters' })
    }
  }
  const sorted = [...causes.values()].sort((a, b) => b.count - a.count)
  return { deadLetterTopic, to, progressGroup, ranges, letters, foreign, causes: sorted }
}

/**
 * Writes the letters of a plan back, in the order of each key, without their origin headers and with `pipe-redriven` counted up. Letters stay in the
 * dead-letter topic. They are written by an idempotent producer, and the progress is committed piece by piece: an interrupted redrive goes on
 * where it was, and may write its last piece (about 1 MiB) twice.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_PLAN_STALE` when the topic was redriven since the plan was made; `PIPE_KAFKA_TOPIC` when a target is
 * not there, before anything of that piece was written.
 */
export async function applyRedrive(
  kafka: Kafka,
  plan: RedrivePlan,
  options: {
    readonly signal?: AbortSignal | undefined
    readonly onProgress?: ((progress: RedriveProgress) => void) | undefined
  } = {},
): Promise<RedriveResult> {
  checkOptions('applyRedrive', options, { optional: ['signal', 'onProgress'] })
  const { deadLetterTopic, progressGroup } = plan
  const { signal, onProgress } = options
  const cluster = resourcesOf(kafka).cluster()
  const producer = rawProducer(resourcesOf(kafka))
  const counts = new Map<string, Promise<number>>()
  const countOf = (topic: string) => {
    const known = counts.get(topic) ?? partitionCount(cluster, topic, signal)
    counts.set(topic, known)
    return known
  }
  let redriven = 0
  let foreign = 0
  try {
    const items = plan.ranges.map(({ partition }) => ({ topic: deadLetterTopic, partition }))
    const progress = await committedOffsets(cluster, progressGroup, items, { requireStable: false, signal })
    for (const { partition, from } of plan.ranges) {
      const done = progress.get(partitionKey({ topic: deadLetterTopic, partition }))?.offset
      if (done !== undefined && done > from) {
        throw new KafkaError(
          'PIPE_KAFKA_PLAN_STALE',
          `${deadLetterTopic}[${partition}] was redriven up to ${done} since this plan was made (from ${from}).`,
          {
            hint: 'Make a new plan with planRedrive.',
            details: { topic: deadLetterTopic, partition, group: progressGroup },
          },
        )
      }
    }
    for (const { partition, from, to } of plan.ranges) {
      const item = { topic: deadLetterTopic, partition }
      for await (const { records, endOffset } of readPartition(
        cluster,
        item,
        { from: BigInt(from), to: BigInt(to) },
        { waitMs, signal },
      )) {
        const targets = new Map<string, PlacedWrite[]>()
        for (const record of records) {
          const origin = originOf(record.headers)
          if (!origin) {
            foreign++
            continue
          }
          const topic = plan.to ?? origin.topic
          const target = partitionFor(record.key, origin.partition, await countOf(topic))
          const writes = targets.get(topic) ?? []
          writes.push(letterToRecord(record, target, origin.timestampMs))
          targets.set(topic, writes)
        }
        for (const [topic, writes] of targets) {
          await producer.sendMany(rawTopic(topic), writes, { signal })
          redriven += writes.length
        }
        await commitFromOutside(cluster, progressGroup, [{ ...item, offset: endOffset }], signal)
        onProgress?.({ phase: 'redrive', done: redriven, total: plan.letters, unit: 'letters' })
      }
    }
  } finally {
    await producer.close()
  }
  return { redriven, foreign }
}

function letterToRecord(
  { key, value, headers, timestampMs }: BatchRecord,
  partition: number,
  originTimestampMs: number,
): PlacedWrite {
  const times = headers.findLast(({ key: name }) => name === deadLetterHeaders.redriven)?.value?.toString()
  const before = Number(times ?? 0)
  return {
    key,
    value,
    headers: [
      ...withoutOrigin(headers).filter(({ key: name }) => name !== deadLetterHeaders.redriven),
      { key: deadLetterHeaders.redriven, value: Buffer.from(String((Number.isSafeInteger(before) ? before : 0) + 1)) },
    ],
    partition,
    timestamp: new Date(Number.isFinite(originTimestampMs) ? originTimestampMs : timestampMs),
  }
}
