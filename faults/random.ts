/** Everything that a scenario leaves to chance comes from here, so that a seed names one run: its times, counts, keys and victims. */
export interface Random {
  /** A whole number, both ends included. */
  between(min: number, max: number): number
  pick<T>(list: readonly T[]): T
  bytes(length: number): Buffer
}

/** The source of one scenario for one seed (mulberry32 by Tommy Ettinger, public domain). */
export function randomOf(seed: number, scenario: string): Random {
  let state = seed
  // FNV-1a: scenarios of one seed must not make the same choices.
  for (const character of scenario) state = Math.imul(state ^ character.codePointAt(0)!, 0x01000193)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    between,
    pick: (list) => list[between(0, list.length - 1)]!,
    bytes: (length) => Buffer.from(Array.from({ length }, () => between(0, 255))),
  }
}
