import { checkOptions } from '@pipe/core/internal'
import { createBill, type MonthBill, type Reading } from './bill'
import type { LifecycleConfiguration } from './configuration'
import { dayMs } from './due'
import { LifecycleError } from './errors'
import type { Versioning } from './key-state'
import type { Population } from './population'
import { type PriceList, usEast1Prices } from './prices'
import { type SpannedPopulation, spansOf } from './span'
import type { Stay } from './stays'

/** What {@link estimateCost} takes. */
export interface EstimateCostOptions {
  /** The rules that act: {@link defineLifecycle}. */
  readonly rules: LifecycleConfiguration
  /** See `populationsOf` for those of a listing. */
  readonly objects: readonly Population[]
  /** Default: the next midnight UTC. */
  readonly from?: Date | undefined
  /** Billed months (of the price list's length, 30 days). Default 12. */
  readonly months?: number | undefined
  /** Default {@link usEast1Prices}. */
  readonly prices?: PriceList | undefined
  /** Whether the bucket keeps versions. Default `'unversioned'`. */
  readonly versioning?: Versioning | undefined
  /** Default: nothing is read. */
  readonly reading?: Reading | undefined
  /** Size that small objects would be compacted to, for the comparison. Default 128 MiB. */
  readonly compactToBytes?: number | undefined
}

/** Sums of a bill, in the currency of the price list. */
export interface CostTotals {
  readonly storage: number
  readonly transitions: number
  /** Rest of a minimum storage duration of objects that left earlier. */
  readonly earlyDelete: number
  readonly monitoring: number
  /** Requests, retrieval and restored copies. */
  readonly reading: number
  readonly total: number
}

/** What {@link estimateCost} returns. */
export interface CostEstimate extends CostTotals {
  readonly prices: Pick<PriceList, 'asOf' | 'region' | 'currency' | 'source' | 'unverified'>
  readonly from: Date
  readonly bills: readonly MonthBill[]
  /** Objects that a rule asks to move and that stay where they are. */
  readonly stays: readonly {
    readonly reason: Stay['reason']
    readonly rule: string
    readonly objects: number
    readonly bytes: number
  }[]
  /** The same objects without any transition; expiry as in the rules. */
  readonly leaveAlone: CostTotals
  /** The small ones compacted at the start, then the rules. `undefined` when there is nothing to compact. */
  readonly compactFirst:
    | (CostTotals & { readonly objects: number; readonly requests: number; readonly objectBytes: number })
    | undefined
  readonly verdict: 'pays' | 'costs-more' | 'no-effect'
  /** One sentence with the figures. */
  readonly advice: string
}

/**
 * What a bucket costs month by month under some rules, and what it would cost without them and after compaction. Transitions, minimum
 * durations, smallest billed sizes, archive overhead and monitoring are counted; requests for writing are not (they are the same).
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INPUT`
 * @example
 * ```ts
 * const { total, leaveAlone, compactFirst, advice } = estimateCost({ rules, objects: [{ count: 16_777_216, sizeBytes: 65_536 }] })
 * ```
 */
export function estimateCost(options: EstimateCostOptions): CostEstimate {
  checkOptions('estimateCost', options, {
    required: ['rules', 'objects'],
    optional: ['from', 'months', 'prices', 'versioning', 'reading', 'compactToBytes'],
  })
  const { rules, objects, prices = usEast1Prices, months = 12, versioning, reading } = options
  const { compactToBytes = 128 * 1024 ** 2 } = options
  if (!Number.isInteger(months) || months < 1 || months > 1200)
    throw new LifecycleError('PIPE_LIFECYCLE_INPUT', `estimateCost: ${months} is no number of months from 1 to 1200.`)
  const from = options.from ?? new Date((Math.floor(Date.now() / dayMs) + 1) * dayMs)
  const to = new Date(from.getTime() + months * prices.monthDays * dayMs)
  const billed = (configuration: LifecycleConfiguration, populations: readonly Population[]) => {
    const spanned = spansOf(configuration, populations, { from, to, versioning })
    return { spanned, bills: createBill({ prices, fromMs: from.getTime(), months, reading, spanned }) }
  }
  const planned = billed(rules, objects)
  const totals = totalsOf(planned.bills)
  const leaveAlone = totalsOf(billed(withoutTransitions(rules), objects).bills)
  const compactFirst = compacted(objects, compactToBytes, prices, (populations) => totalsOf(billed(rules, populations).bills))
  const { asOf, region, currency, source, unverified } = prices
  return {
    ...totals,
    prices: { asOf, region, currency, source, unverified },
    from,
    bills: planned.bills,
    stays: staysOf(planned.spanned),
    leaveAlone,
    compactFirst,
    ...adviceOf(totals, leaveAlone, compactFirst, months, currency),
  }
}

function withoutTransitions(rules: LifecycleConfiguration): LifecycleConfiguration {
  return {
    ...rules,
    Rules: rules.Rules.map(({ Transitions, NoncurrentVersionTransitions, ...rest }) => rest),
  }
}

/** Sums of several months. */
export function totalsOf(bills: readonly MonthBill[]): CostTotals {
  const sum = (value: (bill: MonthBill) => number) => bills.reduce((total, bill) => total + value(bill), 0)
  return {
    storage: sum(({ storage }) => Object.values(storage).reduce((a, b) => a + b, 0)),
    transitions: sum(({ transitions }) => transitions),
    earlyDelete: sum(({ earlyDelete }) => earlyDelete),
    monitoring: sum(({ monitoring }) => monitoring),
    reading: sum(({ reading }) => reading),
    total: sum(({ total }) => total),
  }
}

/** Objects of half the size or less are read once and written again as large ones, which are as old as the start. */
function compacted(
  objects: readonly Population[],
  toBytes: number,
  prices: PriceList,
  bill: (populations: readonly Population[]) => CostTotals,
): CostEstimate['compactFirst'] {
  const small = objects.filter(
    ({ sizeBytes, storageClass = 'STANDARD' }) => sizeBytes > 0 && sizeBytes <= toBytes / 2 && storageClass === 'STANDARD',
  )
  if (small.length === 0) return undefined
  const { getPer1000, putPer1000 } = prices.classes.STANDARD
  let requests = 0
  const large = small.map((population) => {
    const bytes = population.count * population.sizeBytes
    const count = Math.max(1, Math.ceil(bytes / toBytes))
    requests += (population.count * getPer1000 + count * putPer1000) / 1000
    return { ...population, count, sizeBytes: bytes / count, ageDays: 0 }
  })
  const totals = bill([...objects.filter((population) => !small.includes(population)), ...large])
  return {
    ...totals,
    reading: totals.reading + requests,
    total: totals.total + requests,
    objects: large.reduce((sum, { count }) => sum + count, 0),
    requests,
    objectBytes: toBytes,
  }
}

function staysOf(spanned: readonly SpannedPopulation[]): CostEstimate['stays'] {
  const groups = new Map<string, { reason: Stay['reason']; rule: string; objects: number; bytes: number }>()
  for (const { population, stays } of spanned) {
    // A rule that asks twice (to two classes) holds the same objects once.
    for (const name of new Set(stays.map(({ reason, rule }) => JSON.stringify([reason, rule])))) {
      const [reason, rule] = JSON.parse(name) as [Stay['reason'], string]
      const group = groups.get(name) ?? { reason, rule, objects: 0, bytes: 0 }
      group.objects += population.count
      group.bytes += population.count * population.sizeBytes
      groups.set(name, group)
    }
  }
  return [...groups.values()]
}

function adviceOf(
  planned: CostTotals,
  leaveAlone: CostTotals,
  compactFirst: CostEstimate['compactFirst'],
  months: number,
  currency: string,
): Pick<CostEstimate, 'verdict' | 'advice'> {
  const money = (amount: number) => `${amount < 100 ? amount.toFixed(2) : Math.round(amount)} ${currency}`
  const difference = planned.total - leaveAlone.total
  const verdict = Math.abs(difference) < 0.005 ? 'no-effect' : difference < 0 ? 'pays' : 'costs-more'
  const over = `over ${months} months`
  const first = {
    'no-effect': `The transitions change nothing ${over}: ${money(planned.total)} with and without them.`,
    pays: `The transitions save ${money(-difference)} ${over}: ${money(planned.total)} instead of ${money(leaveAlone.total)}.`,
    'costs-more': `The transitions cost ${money(difference)} more than they save ${over}: ${money(planned.total)} instead of ${money(leaveAlone.total)}.`,
  }[verdict]
  if (compactFirst === undefined || compactFirst.total >= Math.min(planned.total, leaveAlone.total))
    return { verdict, advice: first }
  const to = `objects of ${Math.round(compactFirst.objectBytes / 1024 ** 2)} MiB`
  return { verdict, advice: `${first} Compacted to ${to} first: ${money(compactFirst.total)}.` }
}
