/** A stream of numbers that depends on its seed alone. */
export interface Random {
  /** A whole number, `0 ≤ n < limit`. */
  below(limit: number): number
  pick<T>(items: readonly T[]): T
}

/** Mulberry32: 32 bits of state, the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit)
  return { below, pick: (items) => items[below(items.length)]! }
}
