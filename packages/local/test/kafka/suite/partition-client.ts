import {
  type BatchOptions,
  decodeRecordBatch,
  encodeRecordBatch,
  type FetchPartitionResult,
  fetchRecords,
  listOffsets,
  type ProducePartitionResult,
  produce,
  splitRecordBatches,
} from '@pipe/kafka-wire'
import { type RawClient, rawClient } from '../raw-client'
import type { KafkaTarget } from './target'

/** What stands around the records of {@link batchOf}; keys are `k-VALUE` unless given. */
export interface TestBatchOptions extends BatchOptions {
  readonly timestampMs?: number
  readonly key?: string
  readonly keys?: readonly string[]
}

/** Values become records of now. */
export function batchOf(values: readonly (string | null)[], options: TestBatchOptions = {}): Buffer {
  const { timestampMs = Date.now(), key, keys, ...rest } = options
  return encodeRecordBatch(
    values.map((value, index) => ({ key: keys?.[index] ?? key ?? `k-${value}`, value, headers: [], timestampMs })),
    rest,
  )
}

/** Raw requests about one partition, at its leader. */
export interface PartitionClient {
  readonly topic: string
  readonly raw: RawClient
  produce(
    records: Uint8Array | null,
    options?: { acks?: number; timeoutMs?: number; version?: number; transactionalId?: string | null },
  ): Promise<ProducePartitionResult>
  fetch(
    offset: bigint,
    options?: { maxWaitMs?: number; minBytes?: number; maxBytes?: number; isolationLevel?: number; leaderEpoch?: number },
  ): Promise<FetchPartitionResult>
  /** Values from an offset on, as consumers see them. */
  values(offset?: bigint): Promise<string[]>
  offsetAt(timestamp: bigint, isolationLevel?: number): Promise<{ errorCode: number; offset: bigint }>
  close(): void
}

/** Connects to the leader of a partition, or to the broker that is named. */
export async function partitionClient(
  target: KafkaTarget,
  topic: string,
  partition = 0,
  broker?: number,
): Promise<PartitionClient> {
  const leader = broker ?? (await target.partitions(topic))[partition]!.leader
  const raw = await rawClient(target.address(leader))
  const client: PartitionClient = {
    topic,
    raw,
    async produce(records, { acks = -1, timeoutMs = 5000, version = 8, transactionalId = null } = {}) {
      const answer = await raw.ask(produce, version, {
        transactionalId,
        acks,
        timeoutMs,
        topics: [{ name: topic, partitions: [{ partition, records }] }],
      })
      return answer.topics[0]!.partitions[0]!
    },
    async fetch(offset, { maxWaitMs = 0, minBytes = 1, maxBytes = 1_048_576, isolationLevel = 0, leaderEpoch = -1 } = {}) {
      const answer = await raw.ask(fetchRecords, 11, {
        replicaId: -1,
        maxWaitMs,
        minBytes,
        maxBytes,
        isolationLevel,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            name: topic,
            partitions: [{ partition, currentLeaderEpoch: leaderEpoch, fetchOffset: offset, logStartOffset: -1n, maxBytes }],
          },
        ],
        forgottenTopics: [],
        rackId: '',
      })
      return answer.topics[0]!.partitions[0]!
    },
    async values(offset = 0n) {
      const { records } = await client.fetch(offset)
      return splitRecordBatches(records ?? Buffer.alloc(0)).flatMap((batch) =>
        decodeRecordBatch(batch)
          .records.filter((record) => record.offset >= offset)
          .map(({ value }) => String(value)),
      )
    },
    async offsetAt(timestamp, isolationLevel = 0) {
      const answer = await raw.ask(listOffsets, 5, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name: topic, partitions: [{ partition, currentLeaderEpoch: -1, timestamp }] }],
      })
      return answer.topics[0]!.partitions[0]!
    },
    close: () => raw.close(),
  }
  return client
}
