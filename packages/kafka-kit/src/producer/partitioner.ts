import { murmur2 } from '@pipe/kafka-wire'

/**
 * Chooses the partition of a keyed message: a pure function of the key's bytes and the number of partitions.
 *
 * @param bytes the key from `start` to `end`.
 */
export type KeyPartitioner = (bytes: Uint8Array, start: number, end: number, partitions: number) => number

/** The partitioner of Java, librdkafka's `murmur2_random`, franz-go, kafkajs 2: murmur2 without its sign, modulo the partitions. */
export const defaultKeyPartitioner: KeyPartitioner = (bytes, start, end, partitions) =>
  (murmur2(bytes, start, end) & 0x7fffffff) % partitions

/** The partitioner of kafkajs 1.x: the absolute value of murmur2, modulo the partitions. For topics whose keys were placed by it. */
export const legacyKeyPartitioner: KeyPartitioner = (bytes, start, end, partitions) =>
  Math.abs(murmur2(bytes, start, end)) % partitions

let scratch = Buffer.allocUnsafe(1024)

/** The partition of a key that is text (hashed as UTF-8) or bytes. */
export function partitionOfKey(key: string | Uint8Array, partitions: number, partitioner: KeyPartitioner): number {
  if (typeof key !== 'string') return partitioner(key, 0, key.length, partitions)
  if (key.length * 3 > scratch.length) scratch = Buffer.allocUnsafe(key.length * 6)
  return partitioner(scratch, 0, writeKey(key), partitions)
}

function writeKey(key: string): number {
  // Nearly all keys are short ASCII: written here, without a call into Node.
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0x7f) return scratch.write(key, 0, 'utf8')
    scratch[i] = code
  }
  return key.length
}

/** What the choice for keyless messages looks at. */
export interface PartitionLoad {
  readonly leader: number
  /** Bytes that wait in the queue. */
  readonly queuedBytes: number
}

/**
 * A partition for the next keyless batch: uniform among those that have a leader and whose queue is no longer than the average, so that a
 * stalled partition gets no more. All of them when none has a leader.
 *
 * @param random uniform in [0, 1).
 */
export function pickPartition(partitions: readonly PartitionLoad[], random: () => number): number {
  let withLeader = 0
  let bytes = 0
  for (const { leader, queuedBytes } of partitions) {
    if (leader < 0) continue
    withLeader++
    bytes += queuedBytes
  }
  if (withLeader === 0) return Math.floor(random() * partitions.length)
  const share = bytes / withLeader
  const candidates: number[] = []
  for (let i = 0; i < partitions.length; i++) {
    if (partitions[i]!.leader >= 0 && partitions[i]!.queuedBytes <= share) candidates.push(i)
  }
  return candidates[Math.floor(random() * candidates.length)]!
}
