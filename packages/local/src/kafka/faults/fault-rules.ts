import { type ActiveKafkaRule, checkRule, type FaultyRequest, isAbout, type KafkaFaultRule } from './fault-rule'

/** A rule that took a request. */
export interface TakenRule {
  readonly rule: KafkaFaultRule
  /** Aborts when what the rule holds is let go. */
  readonly released: AbortSignal
}

/** The fault rules of a cluster. */
export interface FaultRules {
  add(rule: KafkaFaultRule): ActiveKafkaRule
  /** The first rule that takes the request; it counts as hit. */
  take(request: FaultyRequest): TakenRule | undefined
  clear(): void
}

interface RunningRule {
  readonly rule: KafkaFaultRule
  readonly released: AbortController
  readonly happen: () => void
  matched: number
  hits: number
}

/** No rules. Rules with a `chance` draw from `seed`, so that the same requests meet the same faults. */
export function createFaultRules(seed: number): FaultRules {
  const rules = new Set<RunningRule>()
  const draw = randomFrom(seed)
  return {
    add(rule) {
      checkRule(rule)
      let happen = () => {}
      const happened = new Promise<void>((resolve) => {
        happen = resolve
      })
      const running: RunningRule = { rule, released: new AbortController(), happen, matched: 0, hits: 0 }
      rules.add(running)
      return {
        hits: () => running.hits,
        happened,
        release: () => running.released.abort(),
        remove: () => {
          rules.delete(running)
          running.released.abort()
        },
      }
    },
    take(request) {
      for (const running of rules) {
        const { rule } = running
        if (!isAbout(rule, request)) continue
        running.matched += 1
        if (running.matched <= (rule.skip ?? 0) || running.hits >= (rule.times ?? 1)) continue
        if (rule.chance !== undefined && draw() >= rule.chance) continue
        running.hits += 1
        running.happen()
        return { rule, released: running.released.signal }
      }
      return undefined
    },
    clear() {
      for (const { released } of rules) released.abort()
      rules.clear()
    },
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
