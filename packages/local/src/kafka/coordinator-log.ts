import {
  type BatchOptions,
  type BatchRecord,
  decodeRecordBatch,
  encodeRecordBatch,
  type RecordToWrite,
  readBatchHeader,
} from '@pipe/kafka-wire'
import type { Broker } from './broker-node'
import { appendCommitted } from './commit-state'
import type { StoredBatch } from './log/stored-batch'
import type { Replica } from './replica'

/** A record of a coordinator's topic, and the batch around it. */
export interface KeptRecord {
  readonly record: BatchRecord
  readonly batch: StoredBatch
}

/** All records of a coordinator's topic, oldest first. */
export function* keptRecords(replica: Replica): Generator<KeptRecord> {
  for (const { batches } of replica.log.segments) {
    for (const batch of batches) {
      for (const record of decodeRecordBatch(batch.bytes, { checkCrc: false }).records) yield { record, batch }
    }
  }
}

/** Appends records to a coordinator's topic and waits until they are committed. Resolves with an error code, 0 when they are. */
export async function keepRecords(
  replica: Replica,
  records: readonly Omit<RecordToWrite, 'headers' | 'timestampMs'>[],
  now: number,
  options: BatchOptions = {},
): Promise<number> {
  const batch = encodeRecordBatch(
    records.map((record) => ({ ...record, headers: [], timestampMs: now })),
    options,
  )
  return appendCommitted(replica, batch, readBatchHeader(batch))
}

/** Makes the topic of a coordinator when it is not there yet: compacted, replicated like every topic by default. */
export function ensureCoordinatorTopic({ host }: Broker, name: string, partitions: number): void {
  const { controller, settings } = host
  if (controller.topics.has(name)) return
  const replicas = Math.min(settings.number('default.replication.factor'), controller.alive.length)
  // Small segments: only closed ones are compacted, and this topic would grow for ever.
  const overrides = new Map([
    ['cleanup.policy', 'compact'],
    ['segment.bytes', '1048576'],
  ])
  controller.createTopic({ name, isInternal: true, overrides }, controller.assign(partitions, replicas))
}

/** The partition of a coordinator's topic that a key belongs to: Java's hash of the text, as in Kafka. */
export function coordinatorPartition(key: string, partitions: number): number {
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (Math.imul(31, hash) + key.charCodeAt(i)) | 0
  return (hash & 0x7fffffff) % partitions
}
