import {
  decodeRecordBatch,
  type LeaderEpochPartitionResult,
  type ListOffsetsPartition,
  type ListOffsetsPartitionResult,
  listOffsets,
  offsetAt,
  offsetForLeaderEpoch,
} from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import type { StoredBatch } from '../log/stored-batch'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'
import { leaderReplica } from './leader-replica'

/** ListOffsets: start, end, or the first record of a time. */
export const listOffsetsApi: ServedApi = serve(listOffsets, (request, context) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((asked) => offsetOf(name, asked, request.isolationLevel, context)),
  })),
}))

function offsetOf(
  topic: string,
  { partition, timestamp, currentLeaderEpoch }: ListOffsetsPartition,
  isolationLevel: number,
  { broker, refusal, version }: RequestContext,
): ListOffsetsPartitionResult {
  const none = { partition, timestamp: -1n, offset: -1n, leaderEpoch: -1 }
  const refused = refusal({ topic, partition })
  if (refused !== 0) return { ...none, errorCode: refused }
  const { replica, errorCode: code } = leaderReplica(broker, topic, partition, currentLeaderEpoch)
  if (replica === undefined) return { ...none, errorCode: code }
  const { log, highWatermark, role } = replica
  // A new leader does not know yet what was committed before it (KIP-207).
  if (timestamp !== offsetAt.start && role.kind === 'leader' && highWatermark < role.epochStart) {
    return { ...none, errorCode: version >= 5 ? errorCode.offsetNotAvailable : errorCode.leaderNotAvailable }
  }
  const end = isolationLevel === 1 ? replica.producers.lastStableOffset(highWatermark) : highWatermark
  const leaderEpoch = role.kind === 'leader' ? role.leaderEpoch : -1
  const found = { ...none, errorCode: errorCode.none }
  if (timestamp === offsetAt.start) return { ...found, offset: BigInt(log.startOffset), leaderEpoch }
  if (timestamp === offsetAt.end) return { ...found, offset: BigInt(end), leaderEpoch }
  if (timestamp < 0n) return { ...none, errorCode: errorCode.unsupportedVersion }
  const batch = log.firstSince(Number(timestamp), end)
  return batch === undefined
    ? found
    : { ...found, ...placeIn(batch, Number(timestamp), log.startOffset), leaderEpoch: batch.leaderEpoch }
}

/** The first record of that time in a batch; of a batch that cannot be unpacked here, its beginning: no record of the time is skipped. */
function placeIn(batch: StoredBatch, timestamp: number, startOffset: number): { timestamp: bigint; offset: bigint } {
  try {
    const { records } = decodeRecordBatch(batch.bytes, { checkCrc: false })
    const record = records.find(({ timestampMs, offset }) => timestampMs >= timestamp && offset >= BigInt(startOffset))
    if (record) return { timestamp: BigInt(record.timestampMs), offset: record.offset }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'PIPE_KAFKA_WIRE') throw error
  }
  return { timestamp: BigInt(batch.maxTimestamp), offset: BigInt(batch.baseOffset) }
}

/** OffsetForLeaderEpoch: where an epoch ended, so that a consumer can tell a truncated log (KIP-320). */
export const leaderEpochApi: ServedApi = serve(offsetForLeaderEpoch, (request, { broker, refusal }) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, leaderEpoch, currentLeaderEpoch }): LeaderEpochPartitionResult => {
      const none = { partition, leaderEpoch: -1, endOffset: -1n }
      const refused = refusal({ topic, partition })
      if (refused !== 0) return { ...none, errorCode: refused }
      const { replica, errorCode: code } = leaderReplica(broker, topic, partition, currentLeaderEpoch)
      if (replica === undefined) return { ...none, errorCode: code }
      const end = replica.epochs.endOf(leaderEpoch, replica.log.endOffset)
      return { partition, errorCode: errorCode.none, leaderEpoch: end.epoch, endOffset: BigInt(end.endOffset) }
    }),
  })),
}))
