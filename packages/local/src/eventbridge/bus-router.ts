import { createRuleIndex, type RuleIndex } from '@pipe/events'
import type { Rule, RuleStore } from './rule-store'

/** Finds the rules of a bus that an event matches. */
export interface BusRouter {
  /** In order of creation. @param text the event as JSON, with all digits of its numbers. */
  matching(bus: string, text: string): readonly Rule[]
  /** To be called after every change of a rule. */
  changed(): void
}

/** Compiles the patterns of a bus when an event comes, once for all events until a rule changes. */
export function createBusRouter(store: RuleStore): BusRouter {
  const indexes = new Map<string, RuleIndex>()
  const indexOf = (bus: string): RuleIndex => {
    const known = indexes.get(bus)
    if (known) return known
    const rules = store.list().filter((rule) => rule.bus === bus && rule.enabled && rule.pattern !== undefined)
    const index = createRuleIndex(rules.map(({ arn, pattern }) => ({ name: arn, pattern: pattern! })))
    indexes.set(bus, index)
    return index
  }
  return {
    matching: (bus, text) =>
      indexOf(bus)
        .matching(text)
        .map((arn) => store.get(arn)!),
    changed: () => indexes.clear(),
  }
}
