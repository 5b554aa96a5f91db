/** A wildcard pattern: texts with any run of characters between them. `a*b` is `['a', 'b']`, `\*` a star of the text. */
export type WildcardParts = readonly string[]

/** A wildcard text that AWS refuses: `at` counts from 0 in it, `reason` is AWS's text. */
export interface WildcardFault {
  readonly at: number
  readonly reason: string
}

/** Reads `*`, `\*` and `\\`; every other escape and two stars in a row are refused, as by AWS. */
export function parseWildcard(text: string): WildcardParts | WildcardFault {
  const parts: string[] = ['']
  // AWS counts the quote before the text, too.
  const fault = (at: number, reason: string): WildcardFault => ({
    at,
    reason: `${reason} at pos ${Buffer.byteLength(text.slice(0, at)) + 1}`,
  })
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '*') {
      if (text[at + 1] === '*') return fault(at, 'Consecutive wildcard characters')
      parts.push('')
    } else if (char === '\\') {
      const next = text[++at]
      if (next !== '*' && next !== '\\') return fault(at - 1, 'Invalid escape character')
      parts[parts.length - 1] += next
    } else parts[parts.length - 1] += char
  }
  return parts
}

/** Whether a text matches: the first part at its start, the last at its end, the others in order between them. */
export function matchesWildcard(parts: WildcardParts, text: string): boolean {
  const first = parts[0]!
  if (parts.length === 1) return text === first
  const last = parts[parts.length - 1]!
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let from = first.length
  const end = text.length - last.length
  for (let i = 1; i < parts.length - 1; i++) {
    const found = text.indexOf(parts[i]!, from)
    if (found < 0 || found + parts[i]!.length > end) return false
    from = found + parts[i]!.length
  }
  return true
}

/** EventBridge refuses a field whose wildcards could be in this many places at once. */
const tooManyPlaces = 10
const maxSets = 20_000

/**
 * Whether the wildcards of one field together are too complex for EventBridge: its matcher would have to follow ten prefixes at once for
 * some value. The measure is that of event-ruler's `MachineComplexityEvaluator`; the bound is not documented: at ten, the recorded verdicts
 * of AWS are met (`*:*:*:*:*:event-bus/*` is refused, six places are not).
 */
export function isTooComplex(patterns: readonly WildcardParts[]): boolean {
  const states = placesOf(patterns)
  const alphabet = new Set(states.flatMap(({ char }) => (char === undefined ? [] : [char])))
  // Every other character.
  alphabet.add('')
  const starts = states.flatMap(({ isStart }, i) => (isStart ? [i] : []))
  const pending: (readonly number[])[] = [starts]
  const seen = new Set<string>()
  while (pending.length > 0) {
    const places = pending.pop()!
    for (const char of alphabet) {
      const next = new Set<number>()
      for (const place of places) for (const reached of follow(states, place, char)) next.add(reached)
      if (next.size === 0) continue
      if (weight(states, next) >= tooManyPlaces) return true
      const sorted = [...next].sort((a, b) => a - b)
      const id = sorted.join()
      if (seen.has(id)) continue
      if (seen.add(id).size > maxSets) return true
      pending.push(sorted)
    }
  }
  return false
}

/** A place in a pattern: what was read last. A star stands for itself as long as it likes. */
interface Place {
  /** The character that leads here; `undefined` for a star. */
  readonly char: string | undefined
  readonly isStart: boolean
  /** The place behind it. */
  readonly next: number | undefined
}

function placesOf(patterns: readonly WildcardParts[]): readonly Place[] {
  const places: Place[] = []
  for (const parts of patterns) {
    // The quotes of the JSON text belong to what is matched.
    const tokens = [...'"', ...parts.flatMap((part, i) => [...(i === 0 ? [] : [undefined]), ...part]), '"']
    tokens.forEach((char, i) => {
      places.push({ char, isStart: i === 0, next: i === tokens.length - 1 ? undefined : places.length + 1 })
    })
  }
  return places
}

function* follow(states: readonly Place[], place: number, char: string): Generator<number> {
  const { char: own, next } = states[place]!
  if (own === undefined) yield place
  if (next === undefined) return
  const { char: wanted, next: behind } = states[next]!
  if (wanted === undefined) {
    yield next
    // A star may stand for nothing.
    if (behind !== undefined && states[behind]!.char === char) yield behind
  } else if (wanted === char) yield next
}

/** The places reached, and the stars behind them that would be reached by anything. */
function weight(states: readonly Place[], reached: ReadonlySet<number>): number {
  let size = reached.size
  for (const place of reached) {
    const { next } = states[place]!
    if (next !== undefined && states[next]!.char === undefined && !reached.has(next)) size++
  }
  return size
}
