import { nextFireTimes } from '@pipe/events'
import type { RuntimeClock } from '../clock'
import type { Rule, RuleStore } from './rule-store'

/** Fires the rules of a store on a clock. */
export interface Scheduler {
  /** To be called after every change of a rule. */
  changed(arn: string): void
  close(): void
}

/**
 * Fires every enabled rule at each of its instants, those of one instant in order of creation. What is late (a busy or sleeping machine under the real
 * clock) is caught up, tick by tick; what would have fired while no runtime was running is not.
 *
 * @param fire Starts the targets; it must not wait for them, and must track them on the clock.
 */
export function createScheduler(store: RuleStore, clock: RuntimeClock, fire: (rule: Rule, at: Date) => void): Scheduler {
  const due = new Map<string, number>()
  let cancel = () => {}

  const nextAfter = ({ expression, since }: Rule, after: number) =>
    expression === undefined ? undefined : nextFireTimes(expression, new Date(after), { start: new Date(since) })[0]?.getTime()

  const plan = (arn: string, after: number) => {
    const rule = store.get(arn)
    const next = rule?.enabled ? nextAfter(rule, after) : undefined
    if (next === undefined) due.delete(arn)
    else due.set(arn, next)
  }

  const arm = () => {
    cancel()
    cancel = due.size === 0 ? () => {} : clock.schedule(Math.min(...due.values()), wake)
  }

  const wake = () => {
    const at = Math.min(...due.values())
    for (const { arn } of store.list()) {
      if (due.get(arn) !== at) continue
      plan(arn, at)
      // A task of its own: a virtual clock lets one rule finish before the next of the same instant begins.
      clock.schedule(at, () => {
        const current = store.get(arn)
        if (current?.enabled) fire(current, new Date(at))
      })
    }
    arm()
  }

  for (const { arn } of store.list()) plan(arn, clock.now())
  arm()
  return {
    changed(arn) {
      plan(arn, clock.now())
      arm()
    },
    close() {
      cancel()
      due.clear()
    },
  }
}
