import {
  createByteCursor,
  createByteWriter,
  type Field,
  int8,
  int16,
  int32,
  int64,
  listOf,
  nullableListOfStructs,
  string,
  struct,
} from '@pipe/kafka-wire'

// What the coordinator keeps in __transaction_state, in Kafka's own format (TransactionLogKey 0, TransactionLogValue 0).

/** States of a transaction, in the order of their numbers in the log. */
export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
] as const

/** One of {@link transactionStates}. */
export type TransactionState = (typeof transactionStates)[number]

/** The transactions of one transactional id. */
export interface KeptTransaction {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  /** Partitions that it wrote to, as `topic/partition`. */
  readonly partitions: readonly string[]
  /** Milliseconds since the epoch; −1 before it began. */
  readonly startedAt: number
  readonly changedAt: number
}

interface TransactionValue {
  readonly version: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly status: number
  readonly partitions: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null
  readonly changedAt: bigint
  readonly startedAt: bigint
}

const keyFields = struct<{ version: number; transactionalId: string }>({ version: int16, transactionalId: string })
const valueFields = struct<TransactionValue>({
  version: int16,
  producerId: int64,
  producerEpoch: int16,
  timeoutMs: int32,
  status: int8,
  partitions: nullableListOfStructs<{ topic: string; partitions: readonly number[] }>({
    topic: string,
    partitions: listOf(int32),
  }),
  changedAt: int64,
  startedAt: int64,
})
const plain = { version: 0, isFlexible: false }

function write<T>(field: Field<T>, value: T): Buffer {
  const writer = createByteWriter()
  field.write(writer, value, plain)
  return writer.bytes()
}

/** The record for a transaction. */
export function transactionRecord(kept: KeptTransaction): { key: Buffer; value: Buffer } {
  const byTopic = new Map<string, number[]>()
  for (const place of kept.partitions) {
    const { topic, partition } = placeOf(place)
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  }
  const { transactionalId, producerId, producerEpoch, timeoutMs, state } = kept
  const value: TransactionValue = {
    version: 0,
    producerId,
    producerEpoch,
    timeoutMs,
    status: transactionStates.indexOf(state),
    partitions: [...byTopic].map(([topic, partitions]) => ({ topic, partitions })),
    changedAt: BigInt(kept.changedAt),
    startedAt: BigInt(kept.startedAt),
  }
  return { key: write(keyFields, { version: 0, transactionalId }), value: write(valueFields, value) }
}

/** Reads a record back; `undefined` for one that is not ours. */
export function readTransaction(record: {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}): KeptTransaction | undefined {
  if (record.key === null || record.value === null) return undefined
  const { transactionalId } = keyFields.read(createByteCursor(record.key, 'A key of __transaction_state'), plain)
  const value = valueFields.read(createByteCursor(record.value, 'A record of __transaction_state'), plain)
  return {
    transactionalId,
    producerId: value.producerId,
    producerEpoch: value.producerEpoch,
    timeoutMs: value.timeoutMs,
    state: transactionStates[value.status] ?? 'Dead',
    partitions: (value.partitions ?? []).flatMap(({ topic, partitions }) =>
      partitions.map((partition) => `${topic}/${partition}`),
    ),
    startedAt: Number(value.startedAt),
    changedAt: Number(value.changedAt),
  }
}

/** `orders/3` as topic and partition. */
export function placeOf(place: string): { readonly topic: string; readonly partition: number } {
  const slash = place.lastIndexOf('/')
  return { topic: place.slice(0, slash), partition: Number(place.slice(slash + 1)) }
}
