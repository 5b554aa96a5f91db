import {
  type AbortedTransaction,
  controlKind,
  coordinatorKind,
  decodeRecordBatch,
  type FetchPartitionResult,
  fetchRecords,
  findCoordinator,
  listOffsets,
  metadata,
  noTopicId,
  offsetAt,
  offsetCommit,
  offsetFetch,
  splitRecordBatches,
} from '@pipe/kafka-wire'
import { type KafkaConnection, openKafkaConnection, sourceError } from './kafka-connection'

/** A record of a topic, with its place. */
export interface SourceRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly isLogAppendTime: boolean
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

/** Where to begin when the group has committed nothing. */
export type StartingPosition = 'TRIM_HORIZON' | 'LATEST' | { readonly timestampMs: number }

/** Reads a topic, as a consumer that has all its partitions for itself. */
export interface KafkaSource {
  /** What comes next, in order of each partition; waits up to `waitMs` when there is nothing. @throws PipeError `PIPE_LOCAL_KAFKA_SOURCE` */
  read(waitMs: number): Promise<readonly SourceRecord[]>
  /** Keeps for the group that everything up to these records is done. @throws PipeError `PIPE_LOCAL_KAFKA_SOURCE` */
  commit(next: ReadonlyMap<number, number>): Promise<void>
  close(): void
}

/** What is read, and for whom. */
export interface KafkaSourceOptions {
  /** `host:port` of some brokers. */
  readonly bootstrap: readonly string[]
  readonly topic: string
  readonly group: string
  readonly start: StartingPosition
}

const maxPartitionBytes = 1_048_576
const maxAnswerBytes = 16 * 1_048_576
const offsetOutOfRange = 1

/**
 * Connects and finds the place of the group in every partition. Reads committed transactions only.
 *
 * @throws PipeError `PIPE_LOCAL_KAFKA_SOURCE` when no broker answers, or the topic does not exist.
 */
export async function openKafkaSource({ bootstrap, topic, group, start }: KafkaSourceOptions): Promise<KafkaSource> {
  const connections = new Map<string, KafkaConnection>()
  const close = () => {
    for (const connection of connections.values()) connection.close()
  }
  const to = async (host: string, port: number, use = 'asks'): Promise<KafkaConnection> => {
    const id = `${host}:${port} ${use}`
    const connection = connections.get(id) ?? (await openKafkaConnection(host, port))
    connections.set(id, connection)
    return connection
  }
  try {
    const first = await firstOf(bootstrap, to)
    const { leaders, brokers } = await partitionsOf(first, topic)
    const { errorCode, host, port } = await first.ask(findCoordinator, 1, { key: group, keyType: coordinatorKind.group })
    if (errorCode !== 0) throw sourceError(`The coordinator of group ${group} is not available (Kafka error ${errorCode}).`)
    const coordinator = await to(host, port)
    const positions = await committedOffsets(coordinator, group, topic, [...leaders.keys()])
    const byLeader = groupByLeader(leaders)
    const addressOf = (node: number) => {
      const found = brokers.find(({ nodeId }) => nodeId === node)
      if (!found) throw sourceError(`A partition of ${topic} has no leader.`)
      return found
    }
    for (const [node, partitions] of byLeader) {
      const missing = partitions.filter((partition) => !positions.has(partition))
      if (missing.length === 0) continue
      const leader = addressOf(node)
      const asked = await startOffsets(await to(leader.host, leader.port), topic, missing, start)
      for (const [partition, offset] of asked) positions.set(partition, offset)
    }

    const readFrom = async (node: number, partitions: readonly number[], waitMs: number): Promise<SourceRecord[]> => {
      const leader = addressOf(node)
      // A connection of its own: Kafka answers in order, and a long wait would hold up the commits.
      const connection = await to(leader.host, leader.port, 'reads')
      const answer = await connection.ask(fetchRecords, 4, fetchRequest(topic, partitions, positions, waitMs))
      const records: SourceRecord[] = []
      for (const result of answer.topics.flatMap((one) => one.partitions)) {
        if (result.errorCode === offsetOutOfRange) {
          const restarted = await startOffsets(connection, topic, [result.partition], 'TRIM_HORIZON')
          positions.set(result.partition, restarted.get(result.partition)!)
          continue
        }
        if (result.errorCode !== 0)
          throw sourceError(`Partition ${topic}-${result.partition} cannot be read (Kafka error ${result.errorCode}).`)
        const { found, next } = recordsOf(topic, result, positions.get(result.partition)!)
        positions.set(result.partition, next)
        records.push(...found)
      }
      return records
    }
    return {
      async read(waitMs) {
        // A leader without records must not hold up what another one has.
        const wait = byLeader.size > 1 ? Math.min(waitMs, 50) : waitMs
        const found = await Promise.all([...byLeader].map(([node, partitions]) => readFrom(node, partitions, wait)))
        return found.flat()
      },
      async commit(next) {
        const partitions = [...next].map(([partition, offset]) => ({
          partition,
          offset: BigInt(offset),
          leaderEpoch: -1,
          metadata: null,
        }))
        const request = { group, generationId: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1n }
        const answer = await coordinator.ask(offsetCommit, 3, { ...request, topics: [{ name: topic, partitions }] })
        const failed = answer.topics.flatMap((one) => one.partitions).find((one) => one.errorCode !== 0)
        if (failed) throw sourceError(`Group ${group} cannot commit its place in ${topic} (Kafka error ${failed.errorCode}).`)
      },
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

async function firstOf(
  bootstrap: readonly string[],
  to: (host: string, port: number) => Promise<KafkaConnection>,
): Promise<KafkaConnection> {
  const errors: unknown[] = []
  for (const address of bootstrap) {
    const at = address.lastIndexOf(':')
    try {
      return await to(address.slice(0, at), Number(address.slice(at + 1)))
    } catch (error) {
      errors.push(error)
    }
  }
  throw sourceError(`No broker of ${bootstrap.join(', ')} answers.`, new AggregateError(errors))
}

async function partitionsOf(connection: KafkaConnection, topic: string) {
  const { brokers, topics } = await connection.ask(metadata, 4, {
    topics: [{ topicId: noTopicId, name: topic }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  const found = topics.find(({ name }) => name === topic)
  if (found?.errorCode !== 0) throw sourceError(`The topic ${topic} does not exist, or may not be read.`)
  const leaders = new Map(found.partitions.map(({ partition, leader }) => [partition, leader]))
  return { brokers, leaders }
}

function groupByLeader(leaders: ReadonlyMap<number, number>): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const [partition, leader] of leaders) groups.set(leader, [...(groups.get(leader) ?? []), partition])
  return groups
}

async function committedOffsets(
  coordinator: KafkaConnection,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, number>> {
  const answer = await coordinator.ask(offsetFetch, 3, { group, topics: [{ name: topic, partitions }], requireStable: false })
  if (answer.errorCode !== 0)
    throw sourceError(`The place of group ${group} in ${topic} is not known (Kafka error ${answer.errorCode}).`)
  const known = answer.topics.flatMap((one) => one.partitions).filter(({ offset }) => offset >= 0n)
  return new Map(known.map(({ partition, offset }) => [partition, Number(offset)]))
}

async function startOffsets(
  connection: KafkaConnection,
  topic: string,
  partitions: readonly number[],
  start: StartingPosition,
): Promise<Map<number, number>> {
  const ask = async (wanted: readonly number[], timestamp: bigint) => {
    const list = wanted.map((partition) => ({ partition, currentLeaderEpoch: -1, timestamp }))
    const request = { replicaId: -1, isolationLevel: 1, topics: [{ name: topic, partitions: list }] }
    const { topics } = await connection.ask(listOffsets, 2, request)
    const results = topics.flatMap((one) => one.partitions)
    const failed = results.find(({ errorCode }) => errorCode !== 0)
    if (failed) throw sourceError(`The offsets of ${topic}-${failed.partition} are not known (Kafka error ${failed.errorCode}).`)
    return new Map(results.map(({ partition, offset }) => [partition, Number(offset)]))
  }
  if (start === 'TRIM_HORIZON') return ask(partitions, offsetAt.start)
  if (start === 'LATEST') return ask(partitions, offsetAt.end)
  const found = await ask(partitions, BigInt(start.timestampMs))
  // No record is that young: it begins with the next one.
  const none = partitions.filter((partition) => found.get(partition) === -1)
  return none.length === 0 ? found : new Map([...found, ...(await ask(none, offsetAt.end))])
}

function fetchRequest(topic: string, partitions: readonly number[], positions: ReadonlyMap<number, number>, maxWaitMs: number) {
  return {
    replicaId: -1,
    maxWaitMs,
    minBytes: 1,
    maxBytes: maxAnswerBytes,
    isolationLevel: 1,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        name: topic,
        partitions: partitions.map((partition) => ({
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(positions.get(partition)!),
          logStartOffset: -1n,
          maxBytes: maxPartitionBytes,
        })),
      },
    ],
    forgottenTopics: [],
    rackId: '',
  }
}

/** The records from `position` on that were not aborted, and where to go on: marks of transactions have offsets, too. */
function recordsOf(topic: string, { partition, records, abortedTransactions }: FetchPartitionResult, position: number) {
  const found: SourceRecord[] = []
  let next = position
  const aborted: AbortedTransaction[] = [...(abortedTransactions ?? [])]
  const ongoing = new Set<bigint>()
  for (const bytes of splitRecordBatches(records ?? Buffer.alloc(0))) {
    const batch = decodeRecordBatch(bytes)
    const last = batch.baseOffset + BigInt(batch.lastOffsetDelta)
    for (const { producerId, firstOffset } of aborted) if (firstOffset <= last) ongoing.add(producerId)
    next = Math.max(next, Number(last) + 1)
    if (batch.isControl) {
      if (batch.records[0] && controlKind(batch.records[0]) === 'abort') {
        ongoing.delete(batch.producerId)
        const ended = aborted.findIndex(({ producerId }) => producerId === batch.producerId)
        if (ended >= 0) aborted.splice(ended, 1)
      }
      continue
    }
    if (batch.isTransactional && ongoing.has(batch.producerId)) continue
    for (const { offset, timestampMs, key, value, headers } of batch.records) {
      if (Number(offset) < position) continue
      const { isLogAppendTime } = batch
      found.push({ topic, partition, offset: Number(offset), timestampMs, isLogAppendTime, key, value, headers })
    }
  }
  return { found, next }
}
