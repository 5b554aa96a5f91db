import type { ExactNumber } from './lines'

/** Exact numbers of one measure of a device: each is a whole number of 10^-`scale`. */
export interface MeasureTruth {
  readonly scale: number
  /** Readings that are not null. With 0 of them, `min` and `max` are 0. */
  readonly count: number
  readonly min: bigint
  readonly max: bigint
  readonly sum: bigint
}

/** Count, least, greatest and exact sum of what is added. */
export interface Tally {
  add(value: ExactNumber): void
  result(): Omit<MeasureTruth, 'scale'>
}

/** An empty tally. */
export function makeTally(): Tally {
  let count = 0
  let min = 0n
  let max = 0n
  let sum = 0n
  // Whole numbers below 2^53 are summed as doubles, which is exact, and moved over before the sum could leave them.
  let small = 0
  let smallMin = Number.POSITIVE_INFINITY
  let smallMax = Number.NEGATIVE_INFINITY
  const take = (low: bigint, high: bigint, isFirst: boolean) => {
    if (isFirst || low < min) min = low
    if (isFirst || high > max) max = high
  }
  let hasBig = false
  return {
    add: (value) => {
      if (value === undefined) return
      count++
      if (typeof value === 'bigint') {
        take(value, value, !hasBig)
        hasBig = true
        sum += value
        return
      }
      if (value < smallMin) smallMin = value
      if (value > smallMax) smallMax = value
      const next = small + value
      if (Number.isSafeInteger(next)) small = next
      else {
        sum += BigInt(small)
        small = value
      }
    },
    result: () => {
      if (smallMin <= smallMax) take(BigInt(smallMin), BigInt(smallMax), !hasBig)
      return { count, min, max, sum: sum + BigInt(small) }
    },
  }
}
