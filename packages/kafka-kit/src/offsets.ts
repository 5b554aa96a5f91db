import {
  decodeRecordBatch,
  fetchRecords,
  listOffsets,
  offsetAt,
  readBatchHeader,
  splitRecordBatches,
  WireError,
} from '@pipe/kafka-wire'
import { KafkaError } from './errors'
import type { Cluster, DriverBroker } from './internals'
import { askLeaders, byTopic, type LeaderWait, type PartitionAnswer, partitionKey, type TopicPartition } from './leader-request'

/** Where the log of a partition begins and ends. */
export interface PartitionOffsets extends TopicPartition {
  /** Offset of the oldest record that is kept. */
  readonly start: bigint
  /** End of what readers of committed data get: the first offset of an open transaction, or `end`. */
  readonly stable: bigint
  /** One past the last record that all in-sync replicas have (the high watermark). */
  readonly end: bigint
}

/** A position in time: the first record at or after it. */
export interface TimedOffset {
  readonly offset: bigint
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
}

/** The value of a partition, thrown when it is an error. */
export function answerOf<Value extends object>(answers: ReadonlyMap<string, Value | KafkaError>, item: TopicPartition): Value {
  const answer = answers.get(partitionKey(item))
  if (answer === undefined) throw new KafkaError('PIPE_KAFKA_PROTOCOL', `${partitionKey(item)}: no broker answered for it.`)
  if (answer instanceof KafkaError) throw answer
  return answer
}

/** Start, stable end and end of partitions: three questions to each leader. */
export async function logOffsets(
  cluster: Cluster,
  items: readonly TopicPartition[],
  wait: LeaderWait,
): Promise<Map<string, PartitionOffsets | KafkaError>> {
  const all = new Map<string, PartitionOffsets | KafkaError>()
  // Waited for a leader once is enough: who did not answer the first question is not asked the next one.
  const ask = async (timestamp: bigint, isolationLevel: number) => {
    const open = items.filter((item) => !all.has(partitionKey(item)))
    const answers = await askLeaders(cluster, open, wait, (broker, led) =>
      listAt(cluster, broker, led, () => timestamp, isolationLevel, wait.signal),
    )
    for (const [key, answer] of answers) if (answer instanceof KafkaError) all.set(key, answer)
    return answers
  }
  // In this order: what grows meanwhile must not make the stable end lie beyond the end, or the start beyond both.
  const starts = await ask(offsetAt.start, 0)
  const stables = await ask(offsetAt.end, 1)
  const ends = await ask(offsetAt.end, 0)
  for (const item of items) {
    if (all.has(partitionKey(item))) continue
    const offset = (answers: ReadonlyMap<string, TimedAnswer | KafkaError>) => answerOf(answers, item).offset
    all.set(partitionKey(item), { ...plain(item), start: offset(starts), stable: offset(stables), end: offset(ends) })
  }
  return all
}

function plain({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

/** The answer of ListOffsets: −1 twice when there is no such record. */
export interface TimedAnswer {
  readonly offset: bigint
  readonly timestampMs: number
}

/** The first record of each partition at `timestampMs` or after it; offset −1 when there is none. */
export function offsetsAtTime(
  cluster: Cluster,
  items: readonly TopicPartition[],
  timestampMs: number,
  wait: LeaderWait,
): Promise<Map<string, TimedAnswer | KafkaError>> {
  return askLeaders(cluster, items, wait, (broker, led) =>
    listAt(cluster, broker, led, () => BigInt(Math.max(0, Math.floor(timestampMs))), 0, wait.signal),
  )
}

async function listAt<Item extends TopicPartition>(
  cluster: Cluster,
  broker: DriverBroker,
  items: readonly Item[],
  timestampOf: (item: Item) => bigint,
  isolationLevel: number,
  signal: AbortSignal | undefined,
): Promise<PartitionAnswer<TimedAnswer>[]> {
  const topics = byTopic(items, (item) => ({ partition: item.partition, currentLeaderEpoch: -1, timestamp: timestampOf(item) }))
  const answer = await cluster.call(broker, listOffsets, { replicaId: -1, isolationLevel, topics }, { signal })
  return answer.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partition, errorCode, offset, timestamp }) => ({
      topic: name,
      partition,
      errorCode,
      value: { offset, timestampMs: Number(timestamp) },
    })),
  )
}

const firstFetchBytes = 64 * 1024
const maxFetchBytes = 128 * 1024 * 1024

interface RecordPosition extends TopicPartition {
  readonly offset: bigint
}

/**
 * When the first record at an offset, or after it, was written: read from the log itself. Marks of transactions are stepped over.
 *
 * @returns by {@link partitionKey}; `undefined` where no record follows or the offset is not in the log; an error where there is no leader.
 */
export async function recordTimes(
  cluster: Cluster,
  positions: readonly RecordPosition[],
  wait: LeaderWait,
): Promise<Map<string, TimedOffset | undefined | KafkaError>> {
  const times = new Map<string, TimedOffset | undefined | KafkaError>()
  let pending = positions
  let maxBytes = firstFetchBytes
  while (pending.length > 0) {
    const answers = await askLeaders(cluster, pending, wait, (broker, led) =>
      fetchOnce(cluster, broker, led, maxBytes, wait.signal),
    )
    const next: RecordPosition[] = []
    let progress = false
    for (const position of pending) {
      const key = partitionKey(position)
      const answer = answers.get(key)!
      if (answer instanceof KafkaError) times.set(key, answer.details.errorCode === 1 ? undefined : answer)
      else if (answer.kind === 'found') times.set(key, answer.at)
      else if (answer.kind === 'end') times.set(key, undefined)
      else {
        progress ||= answer.from > position.offset
        next.push({ ...position, offset: answer.from })
        continue
      }
      progress = true
    }
    // A broker fills its answer from the front: what got nothing goes first now.
    pending = next.length > 1 ? [...next.slice(1), next[0]!] : next
    if (progress) continue
    if (maxBytes >= maxFetchBytes) {
      for (const position of pending) times.set(partitionKey(position), undefined)
      break
    }
    maxBytes *= 8
  }
  return times
}

type FetchStep =
  | { readonly kind: 'found'; readonly at: TimedOffset }
  /** No record yet: go on from here. */
  | { readonly kind: 'more'; readonly from: bigint }
  | { readonly kind: 'end' }

async function fetchOnce(
  cluster: Cluster,
  broker: DriverBroker,
  positions: readonly RecordPosition[],
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<PartitionAnswer<FetchStep>[]> {
  const topics = byTopic(positions, ({ partition, offset }) => ({
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    logStartOffset: -1n,
    maxBytes,
  }))
  const request = {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: Math.max(maxBytes, 1024 * 1024),
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics,
    forgottenTopics: [],
    rackId: '',
  }
  const answer = await cluster.call(broker, fetchRecords, request, { signal })
  const offsets = new Map(positions.map((position) => [partitionKey(position), position.offset]))
  return answer.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partition, errorCode, records, highWatermark }) => {
      const at = { topic: name, partition }
      const offset = offsets.get(partitionKey(at))!
      return { ...at, errorCode, value: errorCode === 0 ? stepOf(records, offset, highWatermark) : { kind: 'end' as const } }
    }),
  )
}

function stepOf(records: Uint8Array | null, offset: bigint, highWatermark: bigint): FetchStep {
  if (offset >= highWatermark) return { kind: 'end' }
  let from = offset
  for (const batch of splitRecordBatches(records ?? new Uint8Array())) {
    const header = readBatchHeader(batch)
    const last = header.baseOffset + BigInt(header.lastOffsetDelta)
    if (last < from) continue
    if (header.isControl || header.recordCount === 0) {
      from = last + 1n
      continue
    }
    const record = firstRecord(batch, from)
    if (record) return { kind: 'found', at: record }
    from = last + 1n
  }
  return from >= highWatermark ? { kind: 'end' } : { kind: 'more', from }
}

function firstRecord(batch: Buffer, from: bigint): TimedOffset | undefined {
  try {
    const record = decodeRecordBatch(batch, { checkCrc: false }).records.find(({ offset }) => offset >= from)
    return record && { offset: record.offset, timestampMs: record.timestampMs }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    // Packed in a way that this Node cannot unpack, or damaged: the header still tells when the batch was written.
    const { baseOffset, baseTimestampMs, maxTimestampMs, isLogAppendTime } = readBatchHeader(batch)
    return { offset: from > baseOffset ? from : baseOffset, timestampMs: isLogAppendTime ? maxTimestampMs : baseTimestampMs }
  }
}
