/** Random patterns and events over few names and values, so that matches, near misses and arrays of objects are frequent. */
export interface Pair {
  readonly pattern: Readonly<Record<string, unknown>>
  readonly event: Readonly<Record<string, unknown>>
}

/** A generator of numbers that repeats with its seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const names = ['a', 'b', 'c', 'a.b', 'd']
const texts = ['', 'x', 'X', 'xy', 'xyz', 'yx', 'äö', 'ÄÖ', '10.0.0.1', '10.0.0.200', 'x*y', '\\']
const numbers = [0, 1, 2, 3, -1, 1.5, 100]

/** The pairs of a seed, without end. */
export function* randomPairs(seed: number): Generator<Pair> {
  const random = randomOf(seed)
  const below = (count: number) => Math.floor(random() * count)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
  const several = <T>(make: () => T, max: number): [T, ...T[]] => Array.from({ length: 1 + below(max) }, make) as [T, ...T[]]
  const leaf = () => pick([() => pick(texts), () => pick(numbers), () => random() < 0.5, () => null])()
  const wildcard = () => pick(['*', 'x*', '*y', 'x*z', '*x*', 'x\\*y', '\\\\', 'xy'])
  const nonEmpty = () => pick(texts.filter((text) => text !== ''))

  const entry = (): unknown =>
    pick<() => unknown>([
      leaf,
      leaf,
      () => ({ exists: random() < 0.5 }),
      () => ({ prefix: pick(texts) }),
      () => ({ suffix: pick(texts) }),
      () => ({ prefix: { 'equals-ignore-case': pick(texts) } }),
      () => ({ suffix: { 'equals-ignore-case': pick(texts) } }),
      () => ({ 'equals-ignore-case': pick(texts) }),
      () => ({ wildcard: wildcard() }),
      () => ({ cidr: pick(['10.0.0.0/24', '10.0.0.0/31', '10.0.0.128/25', '0.0.0.0/0']) }),
      () => ({ numeric: [pick(['=', '<', '<=', '>', '>=']), pick(numbers)] }),
      () => ({ numeric: [pick(['>', '>=']), pick([-2, 0, 1]), pick(['<', '<=']), pick([1.5, 2, 100])] }),
      () => ({
        'anything-but': pick([pick(texts), pick(numbers), several(() => pick(texts), 2), several(() => pick(numbers), 2)]),
      }),
      () => ({ 'anything-but': { [pick(['prefix', 'suffix'])]: random() < 0.5 ? nonEmpty() : several(nonEmpty, 2) } }),
      () => ({ 'anything-but': { 'equals-ignore-case': several(() => pick(texts), 2) } }),
      () => ({ 'anything-but': { wildcard: several(wildcard, 2) } }),
    ])()
  const pattern = (depth: number): Record<string, unknown> => {
    const made: Record<string, unknown> = {}
    for (let i = 1 + below(3); i > 0; i--)
      made[pick(names)] = depth > 0 && random() < 0.5 ? pattern(depth - 1) : several(entry, 2)
    if (depth > 0 && random() < 0.15) made['$or'] = [pattern(depth - 1), pattern(depth - 1)]
    return made
  }
  const value = (depth: number): unknown => {
    const kind = random()
    if (depth > 0 && kind < 0.4) return event(depth - 1)
    if (depth > 0 && kind < 0.6) return Array.from({ length: below(4) }, () => value(depth - 1))
    return leaf()
  }
  const event = (depth: number): Record<string, unknown> => {
    const made: Record<string, unknown> = {}
    for (let i = below(5); i > 0; i--) made[pick(names)] = value(depth)
    return made
  }
  for (;;) yield { pattern: pattern(2), event: event(3) }
}
