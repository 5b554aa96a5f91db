import { compileRules } from './compiled-rule'
import type { LifecycleConfiguration } from './configuration'
import { estimateCost } from './cost'
import { money } from './figures'
import type { Population } from './population'
import type { PriceList } from './prices'
import type { PlanRefusal } from './protected'

/** What the transitions of a plan cost and save. */
export interface PlanCost {
  readonly months: number
  readonly currency: string
  /** With all rules as planned. */
  readonly total: number
  /** Without the transitions of rules that are added or changed. */
  readonly withoutTransitions: number
  /** The small objects compacted first; `undefined` when there are none. */
  readonly compactFirst: number | undefined
}

const leastMonths = 12
const mostMonths = 60

/** Compares the bill of a plan with that without its transitions, for as long as its rules keep the objects, 12 months at least. */
export function planCost(
  desired: LifecycleConfiguration,
  changed: readonly string[],
  objects: readonly Population[],
  prices: PriceList,
): PlanCost | undefined {
  const moving = desired.Rules.filter(
    (rule) => changed.includes(rule.ID ?? '') && rule.Status === 'Enabled' && rule.Transitions?.length,
  )
  if (moving.length === 0 || objects.length === 0) return undefined
  const kept = compileRules({ Rules: moving }).map(({ expiration }) => (expiration?.kind === 'days' ? expiration.days : 0))
  const months = Math.min(mostMonths, Math.max(leastMonths, Math.ceil(Math.max(...kept) / prices.monthDays) + 1))
  const without = {
    ...desired,
    Rules: desired.Rules.map((rule) => (moving.includes(rule) ? { ...rule, Transitions: undefined } : rule)),
  }
  const estimate = estimateCost({ rules: desired, objects, months, prices })
  return {
    months,
    currency: prices.currency,
    total: estimate.total,
    withoutTransitions: estimateCost({ rules: without, objects, months, prices }).total,
    compactFirst: estimate.compactFirst?.total,
  }
}

/** A plan whose transitions never pay. */
export function checkCost(cost: PlanCost | undefined, changed: readonly string[]): readonly PlanRefusal[] {
  if (cost === undefined || cost.total <= cost.withoutTransitions + 0.01) return []
  return [
    {
      what: 'costs-more',
      rules: changed,
      text: `${costText(cost)} Narrow the scope by size, compact first, or plan with acceptCost.`,
    },
  ]
}

/** The comparison in a sentence. */
export function costText({ months, currency, total, withoutTransitions, compactFirst }: PlanCost): string {
  const compacted =
    compactFirst === undefined || compactFirst >= total ? '' : `; compacted first ${money(compactFirst, currency)}`
  return `Over ${months} months the objects cost ${money(total, currency)} with the transitions and ${money(withoutTransitions, currency)} without them${compacted}.`
}
