import type { KafkaMapping } from './kafka-mapping'
import type { SourceRecord } from './kafka-source'

/** The event of a batch: records by `topic-partition`, keys and values in base64, headers as lists of bytes. */
export function kafkaEvent(
  { clusterArn }: Pick<KafkaMapping, 'clusterArn'>,
  bootstrap: readonly string[],
  batch: readonly SourceRecord[],
): object {
  const records = new Map<string, object[]>()
  for (const record of batch) {
    const own = records.get(partitionName(record)) ?? []
    own.push(recordView(record))
    records.set(partitionName(record), own)
  }
  return {
    eventSource: clusterArn === undefined ? 'SelfManagedKafka' : 'aws:kafka',
    ...(clusterArn === undefined ? {} : { eventSourceArn: clusterArn }),
    bootstrapServers: bootstrap.join(','),
    records: Object.fromEntries(records),
  }
}

/** `orders-0` */
export function partitionName({ topic, partition }: Pick<SourceRecord, 'topic' | 'partition'>): string {
  return `${topic}-${partition}`
}

function recordView({ topic, partition, offset, timestampMs, isLogAppendTime, key, value, headers }: SourceRecord): object {
  return {
    topic,
    partition,
    offset,
    timestamp: timestampMs,
    timestampType: isLogAppendTime ? 'LOG_APPEND_TIME' : 'CREATE_TIME',
    ...(key === null ? {} : { key: key.toString('base64') }),
    ...(value === null ? {} : { value: value.toString('base64') }),
    headers: headers.map((header) => ({ [header.key]: [...(header.value ?? [])] })),
  }
}

/**
 * The first failed offset of each partition in a partial batch response, or why the whole batch failed. Nothing, or an empty or null list, is
 * success; an item that names no record of the batch, or anything that is no such list, fails all. The identifier of a record is an object.
 */
export function failedOffsets(payload: unknown, batch: readonly SourceRecord[]): ReadonlyMap<string, number> | string {
  if (payload === null || payload === undefined) return new Map()
  if (typeof payload !== 'object' || Array.isArray(payload)) return 'the function answered no object'
  const items = (payload as { readonly batchItemFailures?: unknown }).batchItemFailures
  if (items === null || items === undefined) return new Map()
  if (!Array.isArray(items)) return 'batchItemFailures is no list'
  const known = new Set(batch.map((record) => `${partitionName(record)} ${record.offset}`))
  const failed = new Map<string, number>()
  for (const item of items as ({ readonly itemIdentifier?: unknown } | null)[]) {
    const id = item?.itemIdentifier
    if (typeof id !== 'object' || id === null) return 'an itemIdentifier is no object with a partition and an offset'
    const { partition, offset } = id as { readonly partition?: unknown; readonly offset?: unknown }
    if (typeof partition !== 'string' || typeof offset !== 'number')
      return 'an itemIdentifier is no object with a partition and an offset'
    if (!known.has(`${partition} ${offset}`)) return `the itemIdentifier ${JSON.stringify(id)} is of no record of the batch`
    failed.set(partition, Math.min(offset, failed.get(partition) ?? offset))
  }
  return failed
}
