import {
  bytes,
  createByteCursor,
  createByteWriter,
  type Field,
  int16,
  int32,
  int64,
  listOfStructs,
  nullableString,
  string,
  struct,
} from '@pipe/kafka-wire'

// What the coordinator keeps in __consumer_offsets, in Kafka's own formats (OffsetCommitKey 1, OffsetCommitValue 3, GroupMetadataKey 2,
// GroupMetadataValue 3): any tool that reads that topic reads ours.

/** A committed offset. */
export interface KeptOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  /** Milliseconds since the epoch. */
  readonly committedAt: number
}

/** A member of a group that is stable. */
export interface KeptMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly subscription: Uint8Array
  readonly assignment: Uint8Array
}

/** A group between two rebalances. */
export interface KeptGroup {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  readonly changedAt: bigint
  readonly members: readonly KeptMember[]
}

/** A record of the topic. `value` is `undefined` when the thing was deleted. */
export type Kept =
  | {
      readonly kind: 'offset'
      readonly group: string
      readonly topic: string
      readonly partition: number
      readonly value: KeptOffset | undefined
    }
  | { readonly kind: 'group'; readonly group: string; readonly value: KeptGroup | undefined }

const offsetKeyVersion = 1
const groupKeyVersion = 2
const valueVersion = 3

const offsetKey = struct<{ version: number; group: string; topic: string; partition: number }>({
  version: int16,
  group: string,
  topic: string,
  partition: int32,
})
const offsetValue = struct<{ version: number; offset: bigint; leaderEpoch: number; metadata: string; committedAt: bigint }>({
  version: int16,
  offset: int64,
  leaderEpoch: int32,
  metadata: string,
  committedAt: int64,
})
const groupKey = struct<{ version: number; group: string }>({ version: int16, group: string })
const groupValue = struct<KeptGroup & { version: number }>({
  version: int16,
  protocolType: string,
  generation: int32,
  protocol: nullableString,
  leader: nullableString,
  changedAt: int64,
  members: listOfStructs<KeptMember>({
    memberId: string,
    groupInstanceId: nullableString,
    clientId: string,
    clientHost: string,
    rebalanceTimeoutMs: int32,
    sessionTimeoutMs: int32,
    subscription: bytes,
    assignment: bytes,
  }),
})
const plain = { version: 0, isFlexible: false }

function write<T>(field: Field<T>, value: T): Buffer {
  const writer = createByteWriter()
  field.write(writer, value, plain)
  return writer.bytes()
}

function read<T>(field: Field<T>, source: Uint8Array): T {
  return field.read(createByteCursor(source, 'A record of __consumer_offsets'), plain)
}

/** The record for a thing that is kept. */
export function keptRecord(kept: Kept): { key: Buffer; value: Buffer | null } {
  if (kept.kind === 'group') {
    const key = write(groupKey, { version: groupKeyVersion, group: kept.group })
    return { key, value: kept.value ? write(groupValue, { version: valueVersion, ...kept.value }) : null }
  }
  const { group, topic, partition, value } = kept
  const key = write(offsetKey, { version: offsetKeyVersion, group, topic, partition })
  if (!value) return { key, value: null }
  const { offset, leaderEpoch, metadata, committedAt } = value
  const written = { version: valueVersion, offset: BigInt(offset), leaderEpoch, metadata, committedAt: BigInt(committedAt) }
  return { key, value: write(offsetValue, written) }
}

/** Reads a record of the topic back; `undefined` for kinds that are not ours. */
export function readKept(record: { readonly key: Uint8Array | null; readonly value: Uint8Array | null }): Kept | undefined {
  const { key, value } = record
  if (key === null || key.length < 2) return undefined
  const version = createByteCursor(key, 'A record key').int16()
  if (version === groupKeyVersion) {
    return { kind: 'group', group: read(groupKey, key).group, value: value ? read(groupValue, value) : undefined }
  }
  if (version !== offsetKeyVersion) return undefined
  const { group, topic, partition } = read(offsetKey, key)
  if (!value) return { kind: 'offset', group, topic, partition, value: undefined }
  const { offset, leaderEpoch, metadata, committedAt } = read(offsetValue, value)
  const kept = { offset: Number(offset), leaderEpoch, metadata, committedAt: Number(committedAt) }
  return { kind: 'offset', group, topic, partition, value: kept }
}
