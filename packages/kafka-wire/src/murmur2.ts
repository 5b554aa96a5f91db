const multiplier = 0x5bd1e995

/**
 * The murmur2 hash of Kafka's Java client (seed 0x9747b28c) over the bytes from `start` to `end`, as a signed 32-bit number. The default
 * partitioner of every main client takes `(hash & 0x7fffffff) % partitions`.
 *
 * @see https://github.com/apache/kafka `org.apache.kafka.common.utils.Utils.murmur2`
 */
export function murmur2(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const length = end - start
  let hash = 0x9747b28c ^ length
  let at = start
  for (const last = end - 4; at <= last; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  const tail = end - at
  if (tail >= 3) hash ^= bytes[at + 2]! << 16
  if (tail >= 2) hash ^= bytes[at + 1]! << 8
  if (tail >= 1) hash = Math.imul(hash ^ bytes[at]!, multiplier)
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  return hash ^ (hash >>> 15)
}
