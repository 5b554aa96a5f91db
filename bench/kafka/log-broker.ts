import { once } from 'node:events'
import { createServer } from 'node:net'
import { sleep } from '@pipe/core'
import {
  type Api,
  apiVersions,
  encodeRecordBatch,
  type FetchRequest,
  fetchRecords,
  findCoordinator,
  heartbeat,
  type JoinGroupRequest,
  joinGroup,
  type ListOffsetsRequest,
  leaveGroup,
  listOffsets,
  metadata,
  noTopicId,
  type OffsetCommitRequest,
  type OffsetFetchRequest,
  offsetAt,
  offsetCommit,
  offsetFetch,
  type SyncGroupRequest,
  syncGroup,
} from '@pipe/kafka-wire'
import { type StubReply, type StubRequest, serveStubConnection } from '@pipe/testkit'
import { makeValues } from './messages'

/** One broker with one topic, whose log is made as it is read: every batch is the same one under another offset. */
export interface LogBroker {
  readonly address: string
  /** What groups have committed, over all partitions. */
  committed(): number
  /** The furthest that was handed out, over all partitions. */
  fetched(): number
}

/** Records of each batch in the log. */
export const logBatchRecords = 100

const servedApis: readonly (readonly [Api<never, never>, number, number])[] = [
  [fetchRecords as Api<never, never>, 4, 11],
  [listOffsets as Api<never, never>, 2, 3],
  [metadata as Api<never, never>, 1, 6],
  [offsetCommit as Api<never, never>, 2, 5],
  [offsetFetch as Api<never, never>, 2, 4],
  [findCoordinator as Api<never, never>, 0, 2],
  [joinGroup as Api<never, never>, 1, 1],
  [heartbeat as Api<never, never>, 0, 0],
  [leaveGroup as Api<never, never>, 0, 0],
  [syncGroup as Api<never, never>, 0, 0],
  [apiVersions as Api<never, never>, 0, 2],
]

/** What is in the log of a broker, and how it is given out. */
export interface LogOptions {
  readonly topic: string
  readonly partitions: number
  /** Of each partition, a multiple of {@link logBatchRecords}. */
  readonly records: number
  /** Batches of a partition in one answer, whatever else fits. Default: all that fit. */
  readonly answerBatches?: number
}

/** Starts it. Groups have one member at a time. */
export async function startLogBroker(options: LogOptions): Promise<LogBroker> {
  const { topic, partitions, records, answerBatches = Number.POSITIVE_INFINITY } = options
  const committed = new Map<number, bigint>()
  const fetched = new Map<number, bigint>()
  const timestampMs = Date.UTC(2026, 10, 24)
  const batch = encodeRecordBatch(
    makeValues(logBatchRecords).map((value, i) => ({ key: `key-${i}`, value, headers: [], timestampMs })),
  )
  let generation = 0
  let port = 0

  /** Batches from the one with `offset` on, as many as fit, one at least. Offset and checksum of a batch do not depend on each other. */
  function readLog(offset: bigint, maxBytes: number): Buffer {
    const first = Number(offset) - (Number(offset) % logBatchRecords)
    const left = (records - first) / logBatchRecords
    const count = Math.min(left, answerBatches, Math.max(1, Math.floor(maxBytes / batch.length)))
    const answer = Buffer.allocUnsafe(count * batch.length)
    for (let i = 0; i < count; i++) {
      answer.set(batch, i * batch.length)
      answer.writeBigInt64BE(BigInt(first + i * logBatchRecords), i * batch.length)
    }
    return answer
  }

  async function fetch({ topics, maxBytes, maxWaitMs }: FetchRequest): Promise<object> {
    let room = maxBytes
    const answers = topics.map(({ name, partitions: wanted }) => ({
      name,
      partitions: wanted.map(({ partition, fetchOffset, maxBytes: most }) => {
        const isEmpty = room <= 0 || fetchOffset >= BigInt(records)
        const bytes = isEmpty ? Buffer.alloc(0) : readLog(fetchOffset, Math.min(room, most))
        room -= bytes.length
        const until =
          fetchOffset - (fetchOffset % BigInt(logBatchRecords)) + BigInt((bytes.length / batch.length) * logBatchRecords)
        if (!isEmpty) fetched.set(partition, until)
        return {
          partition,
          errorCode: 0,
          highWatermark: BigInt(records),
          lastStableOffset: BigInt(records),
          logStartOffset: 0n,
          abortedTransactions: null,
          preferredReadReplica: -1,
          records: bytes,
        }
      }),
    }))
    if (room === maxBytes) await sleep(maxWaitMs)
    return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, topics: answers }
  }

  const offsetsOf = ({ topics }: ListOffsetsRequest) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions: wanted }) => ({
      name,
      partitions: wanted.map(({ partition, timestamp }) => {
        const offset = timestamp === offsetAt.start ? 0n : BigInt(records)
        return { partition, errorCode: 0, timestamp: -1n, offset, leaderEpoch: -1 }
      }),
    })),
  })

  function commit({ topics }: OffsetCommitRequest): object {
    for (const { partitions: wanted } of topics) for (const { partition, offset } of wanted) committed.set(partition, offset)
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions: wanted }) => ({
        name,
        partitions: wanted.map(({ partition }) => ({ partition, errorCode: 0 })),
      })),
    }
  }

  const committedOf = ({ topics }: OffsetFetchRequest) => ({
    throttleTimeMs: 0,
    errorCode: 0,
    topics: (topics ?? []).map(({ name, partitions: wanted }) => ({
      name,
      partitions: wanted.map((partition) => ({
        partition,
        offset: committed.get(partition) ?? -1n,
        leaderEpoch: -1,
        metadata: '',
        errorCode: 0,
      })),
    })),
  })

  function join({ memberId: known, protocols }: JoinGroupRequest): object {
    generation++
    const memberId = known || `member-${generation}`
    const { name, metadata: bytes } = protocols[0]!
    return {
      errorCode: 0,
      generationId: generation,
      protocolName: name,
      leader: memberId,
      memberId,
      members: [{ memberId, metadata: bytes }],
    }
  }

  const describe = () => ({
    throttleTimeMs: 0,
    brokers: [{ nodeId: 0, host: '127.0.0.1', port, rack: null }],
    clusterId: 'log',
    controllerId: 0,
    clusterAuthorizedOperations: 0,
    topics: [
      {
        errorCode: 0,
        name: topic,
        topicId: noTopicId,
        isInternal: false,
        authorizedOperations: 0,
        partitions: Array.from({ length: partitions }, (_, partition) => {
          return { errorCode: 0, partition, leader: 0, leaderEpoch: 0, replicas: [0], isr: [0], offlineReplicas: [] }
        }),
      },
    ],
  })

  function answerTo(key: number, request: object): object | Promise<object> {
    switch (key) {
      case fetchRecords.key:
        return fetch(request as FetchRequest)
      case listOffsets.key:
        return offsetsOf(request as ListOffsetsRequest)
      case metadata.key:
        return describe()
      case offsetCommit.key:
        return commit(request as OffsetCommitRequest)
      case offsetFetch.key:
        return committedOf(request as OffsetFetchRequest)
      case findCoordinator.key:
        return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, nodeId: 0, host: '127.0.0.1', port }
      case joinGroup.key:
        return join(request as JoinGroupRequest)
      case syncGroup.key:
        return { errorCode: 0, assignment: (request as SyncGroupRequest).assignments[0]!.assignment }
      case apiVersions.key: {
        const apiKeys = servedApis.map(([api, minVersion, maxVersion]) => ({ apiKey: api.key, minVersion, maxVersion }))
        return { errorCode: 0, apiKeys, throttleTimeMs: 0 }
      }
      default:
        return { errorCode: 0 }
    }
  }

  async function handle({ apiKey, apiVersion, body }: StubRequest): Promise<StubReply> {
    const api = servedApis.find(([served]) => served.key === apiKey)?.[0] as Api<object, object> | undefined
    if (!api) return 'close'
    return api.encodeResponse(await answerTo(apiKey, api.decodeRequest(body, apiVersion)), apiVersion)
  }

  const server = createServer({ noDelay: true }, (socket) => {
    serveStubConnection(socket, handle).then(
      () => socket.end(),
      () => socket.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as { port: number }).port
  const sum = (offsets: ReadonlyMap<number, bigint>) => [...offsets.values()].reduce((all, offset) => all + Number(offset), 0)
  return { address: `127.0.0.1:${port}`, committed: () => sum(committed), fetched: () => sum(fetched) }
}
