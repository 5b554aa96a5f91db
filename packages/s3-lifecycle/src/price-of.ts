import { GiB, type PricedClass, type PriceList } from './prices'

/** The class that prices are taken from; classes of the past are billed like STANDARD. */
export function pricedClass(storageClass: string, prices: PriceList): PricedClass {
  return Object.hasOwn(prices.classes, storageClass) ? (storageClass as PricedClass) : 'STANDARD'
}

/** Bytes that an object is billed for: in its own class, and in STANDARD. */
export function billedBytes(prices: PriceList, storageClass: PricedClass, sizeBytes: number): { own: number; standard: number } {
  const { minBillableBytes, overheadBytes, standardOverheadBytes } = prices.classes[storageClass]
  return { own: Math.max(sizeBytes, minBillableBytes) + overheadBytes, standard: standardOverheadBytes }
}

/** Price of keeping one object for a month, at the first tier of each class. */
export function monthlyPrice(prices: PriceList, storageClass: PricedClass, sizeBytes: number): number {
  const { own, standard } = billedBytes(prices, storageClass, sizeBytes)
  return (own * firstTier(prices, storageClass) + standard * firstTier(prices, 'STANDARD')) / GiB
}

/** What is still charged when an object leaves a class before its minimum: the rest of it, as storage (overhead included). */
export function earlyDeletePrice(prices: PriceList, storageClass: PricedClass, sizeBytes: number, daysHeld: number): number {
  const missing = Math.max(0, prices.classes[storageClass].minDays - daysHeld)
  return (monthlyPrice(prices, storageClass, sizeBytes) * missing) / prices.monthDays
}

/** Price of GiB-months in a class, tier by tier. */
export function tieredPrice(prices: PriceList, storageClass: PricedClass, gibMonths: number): number {
  let [total, below] = [0, 0]
  for (const { upToGiB = Number.POSITIVE_INFINITY, perGiBMonth } of prices.classes[storageClass].storage) {
    const inTier = Math.max(0, Math.min(gibMonths, upToGiB) - below)
    total += inTier * perGiBMonth
    below = upToGiB
  }
  return total
}

function firstTier(prices: PriceList, storageClass: PricedClass): number {
  return prices.classes[storageClass].storage[0]!.perGiBMonth
}
