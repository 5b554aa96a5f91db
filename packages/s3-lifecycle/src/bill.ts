import { dayMs } from './due'
import { billedBytes, earlyDeletePrice, pricedClass, tieredPrice } from './price-of'
import { GiB, type PricedClass, type PriceList } from './prices'
import type { Span, SpannedPopulation } from './span'

/** How often objects are read. */
export interface Reading {
  /** Share of the objects that is read each month: 0.1 is one in ten, 2 is each twice. */
  readonly sharePerMonth: number
  /** How archived objects are brought back. Default `'Standard'`. */
  readonly tier?: 'Standard' | 'Bulk' | undefined
  /** Days that a restored copy is kept in STANDARD. Default 1. */
  readonly restoreDays?: number | undefined
}

/** The bill of one month, in the currency of the price list. */
export interface MonthBill {
  readonly from: Date
  /** By class; the overhead of archives in STANDARD stands with STANDARD. */
  readonly storage: Readonly<Record<string, number>>
  /** Bytes that were stored on the average, without overhead, by class. */
  readonly bytes: Readonly<Record<string, number>>
  readonly transitions: number
  readonly earlyDelete: number
  readonly monitoring: number
  readonly reading: number
  readonly total: number
}

interface OpenMonth {
  readonly gibMonths: Map<PricedClass, number>
  readonly bytes: Map<string, number>
  tiering: number
  transitions: number
  earlyDelete: number
  monitoring: number
  reading: number
}

interface BillOptions {
  readonly prices: PriceList
  readonly fromMs: number
  readonly months: number
  readonly reading: Reading | undefined
  readonly spanned: readonly SpannedPopulation[]
}

/** One bill a month. Changes of class are billed from the day that they are due on. */
export function createBill({ prices, fromMs, months, reading, spanned }: BillOptions): readonly MonthBill[] {
  const monthMs = prices.monthDays * dayMs
  const open: OpenMonth[] = Array.from({ length: months }, () => ({
    gibMonths: new Map(),
    bytes: new Map(),
    tiering: 0,
    transitions: 0,
    earlyDelete: 0,
    monitoring: 0,
    reading: 0,
  }))
  for (const { population, spans } of spanned) {
    const { count, sizeBytes } = population
    for (const span of spans) {
      const own = pricedClass(span.storageClass, prices)
      for (let m = Math.floor((span.fromMs - fromMs) / monthMs); m < months && fromMs + m * monthMs < span.untilMs; m++) {
        const start = Math.max(span.fromMs, fromMs + m * monthMs)
        const share = (Math.min(span.untilMs, fromMs + (m + 1) * monthMs) - start) / monthMs
        store(open[m]!, prices, own, span, { count, sizeBytes, share, start, monthMs })
        if (reading) open[m]!.reading += share * readingPrice(prices, own, sizeBytes, reading) * count
      }
      if (span.end !== undefined) {
        const month = open[Math.floor((span.untilMs - fromMs) / monthMs)]
        if (month === undefined) continue
        if (span.end.to !== undefined) month.transitions += (count * prices.classes[span.end.to].transitionPer1000) / 1000
        month.earlyDelete += count * earlyDeletePrice(prices, own, sizeBytes, (span.untilMs - span.sinceMs) / dayMs)
      }
    }
  }
  return open.map((month, m) => close(month, prices, new Date(fromMs + m * monthMs)))
}

function store(
  month: OpenMonth,
  prices: PriceList,
  own: PricedClass,
  span: Span,
  part: { count: number; sizeBytes: number; share: number; start: number; monthMs: number },
): void {
  const { count, sizeBytes, share } = part
  const billed = billedBytes(prices, own, sizeBytes)
  addTo(month.bytes, span.storageClass, count * sizeBytes * share)
  if (own === 'INTELLIGENT_TIERING') {
    const { tiers, monitoringPer1000, minMonitoredBytes } = prices.intelligentTiering
    const isMonitored = sizeBytes >= minMonitoredBytes
    if (isMonitored) month.monitoring += (count * monitoringPer1000 * share) / 1000
    // Never read: the tier follows from the days in the class. What is not monitored stays in the first.
    const end = part.start + share * part.monthMs
    for (const [i, { afterDays, perGiBMonth }] of (isMonitored ? tiers : tiers.slice(0, 1)).entries()) {
      const next = isMonitored ? tiers[i + 1]?.afterDays : undefined
      const begin = Math.max(part.start, span.sinceMs + afterDays * dayMs)
      const until = Math.min(end, next === undefined ? end : span.sinceMs + next * dayMs)
      if (until > begin) month.tiering += (count * sizeBytes * perGiBMonth * (until - begin)) / part.monthMs / GiB
    }
    return
  }
  addTo(month.gibMonths, own, (count * billed.own * share) / GiB)
  if (billed.standard > 0) addTo(month.gibMonths, 'STANDARD', (count * billed.standard * share) / GiB)
}

function addTo<K>(map: Map<K, number>, key: K, amount: number): void {
  map.set(key, (map.get(key) ?? 0) + amount)
}

/** Reading one object for a month: requests and retrieval; of an archive a restore and its copy in STANDARD. */
function readingPrice(prices: PriceList, own: PricedClass, sizeBytes: number, reading: Reading): number {
  const { sharePerMonth, tier = 'Standard', restoreDays = 1 } = reading
  const size = sizeBytes / GiB
  const { retrievalPerGiB, getPer1000 } = prices.classes[own]
  if (own !== 'GLACIER' && own !== 'DEEP_ARCHIVE') return sharePerMonth * (size * retrievalPerGiB + getPer1000 / 1000)
  const restore = prices.restore[own][tier]!
  const copy = (size * prices.classes.STANDARD.storage[0]!.perGiBMonth * restoreDays) / prices.monthDays
  return sharePerMonth * (size * restore.perGiB + restore.per1000 / 1000 + copy + getPer1000 / 1000)
}

function close(month: OpenMonth, prices: PriceList, from: Date): MonthBill {
  const storage: Record<string, number> = {}
  for (const [own, gibMonths] of month.gibMonths) storage[own] = tieredPrice(prices, own, gibMonths)
  if (month.tiering > 0) storage['INTELLIGENT_TIERING'] = month.tiering
  const { transitions, earlyDelete, monitoring, reading } = month
  const stored = Object.values(storage).reduce((a, b) => a + b, 0)
  return {
    from,
    storage,
    bytes: Object.fromEntries(month.bytes),
    transitions,
    earlyDelete,
    monitoring,
    reading,
    total: stored + transitions + earlyDelete + monitoring + reading,
  }
}
