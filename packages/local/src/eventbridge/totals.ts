/** What became of the events of a runtime, counted. */
export interface EventTotals {
  /** Entries that PutEvents took, and ticks of schedules. */
  readonly published: number
  /** Deliveries to targets that were begun: an event counts for each target of each rule that it matches. */
  readonly matched: number
  /** Deliveries that a target took: a function's queue of invocations, or a queue. */
  readonly delivered: number
  /** Further attempts at a target, and further runs of a function. */
  readonly retried: number
  /** What was put into a dead-letter queue, by a rule's target or by a function's failure destination. */
  readonly deadLettered: number
  /** Deliveries that were given up without a dead-letter queue. */
  readonly dropped: number
  /** Entries for a bus that does not exist: EventBridge answers with an id and forgets them. */
  readonly unknownBus: number
}

/** Counts. */
export interface EventCounter {
  count(what: keyof EventTotals): void
  totals(): EventTotals
}

/** All zero. */
export function createEventCounter(): EventCounter {
  const totals = { published: 0, matched: 0, delivered: 0, retried: 0, deadLettered: 0, dropped: 0, unknownBus: 0 }
  return {
    count(what) {
      totals[what]++
    },
    totals: () => ({ ...totals }),
  }
}
