import { describeLogDirs, electionType, electLeaders, type LogDirTopic } from '@pipe/kafka-wire'
import type { Broker } from '../broker-node'
import { errorCode } from '../error-code'
import { type ServedApi, serve } from '../wire/served-api'

/** DescribeLogDirs: bytes and lag of the copies that lie on this broker. */
export const describeLogDirsApi: ServedApi = serve(describeLogDirs, (request, { broker, refusal }) => {
  const code = refusal()
  const wanted = request.topics && new Map(request.topics.map(({ name, partitions }) => [name, partitions]))
  const topics = new Map<string, LogDirTopic['partitions'][number][]>()
  for (const { topic, partition, log } of broker.replicas) {
    if (wanted && !wanted.get(topic)?.includes(partition)) continue
    const leaderEnd = leaderEndOffset(broker, topic, partition) ?? log.endOffset
    const offsetLag = BigInt(Math.max(0, leaderEnd - log.endOffset))
    const one = { partition, sizeBytes: BigInt(log.sizeBytes), offsetLag, isFuture: false }
    topics.set(topic, [...(topics.get(topic) ?? []), one])
  }
  const dir = {
    errorCode: code,
    path: `/kafka/broker-${broker.id}`,
    topics: code === 0 ? [...topics].map(([name, partitions]) => ({ name, partitions })) : [],
    totalBytes: -1n,
    usableBytes: -1n,
  }
  return { throttleTimeMs: 0, errorCode: code, logDirs: [dir] }
})

function leaderEndOffset(broker: Broker, topic: string, partition: number): number | undefined {
  const leader = broker.partitionState(topic, partition)?.leader ?? -1
  return broker.host.broker(leader)?.replica(topic, partition)?.log.endOffset
}

/** ElectLeaders: preferred leaders, or, where there is no leader, any replica that is alive. */
export const electLeadersApi: ServedApi = serve(electLeaders, (request, { broker, refusal }) => {
  const { controller } = broker.host
  const code = broker.reachesController() ? refusal() : errorCode.requestTimedOut
  if (code !== 0) return { throttleTimeMs: 0, errorCode: code, topics: [] }
  const kind = request.electionType === electionType.unclean ? 'unclean' : 'preferred'
  const wanted =
    request.topics ??
    [...controller.topics.values()].map(({ name, partitions }) => ({ topic: name, partitions: [...partitions.keys()] }))
  const topics = wanted.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions
      .map((partition) => ({ partition, errorCode: controller.elect(topic, partition, kind), errorMessage: null }))
      // Asked for all: only those where something happened or failed are listed.
      .filter((one) => request.topics !== null || one.errorCode !== errorCode.electionNotNeeded),
  }))
  return { throttleTimeMs: 0, errorCode: errorCode.none, topics: topics.filter(({ partitions }) => partitions.length > 0) }
})
