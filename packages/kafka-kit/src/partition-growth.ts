import { murmur2 } from '@pipe/kafka-wire'

/** A key whose partition changes when a topic grows. */
export interface MovedKey {
  readonly key: string | Uint8Array
  readonly from: number
  readonly to: number
}

/**
 * The share of all keys whose partition changes when a topic grows from one number of partitions to another, between 0 and 1.
 *
 * A key stays when its hash has the same remainder by both numbers. Of every `lcm(from, to)` hashes in a row that holds for `min(from, to)`
 * of them (one for each common remainder), so `1 − min/lcm` move: doubling moves half, 3 → 4 moves three quarters.
 */
export function movedShare(from: number, to: number): number {
  return 1 - Math.min(from, to) / ((from / greatestCommonDivisor(from, to)) * to)
}

/** The given keys that another partition will hold, with both, as the default partitioner (murmur2) places them. Text counts as UTF-8. */
export function movedKeys(keys: Iterable<string | Uint8Array>, from: number, to: number): MovedKey[] {
  const moved: MovedKey[] = []
  for (const key of keys) {
    const hash = murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff
    if (hash % from !== hash % to) moved.push({ key, from: hash % from, to: hash % to })
  }
  return moved
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
