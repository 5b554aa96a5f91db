import { checkOptions } from '@pipe/core/internal'
import { earlyDeletePrice, monthlyPrice } from './price-of'
import { GiB, type PriceList, usEast1Prices } from './prices'

/** Classes that can be compared with STANDARD without knowing how often an object is read. */
export const comparedClasses = ['STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'] as const

/** When moving from STANDARD to a class pays. */
export interface BreakEven {
  readonly storageClass: (typeof comparedClasses)[number]
  /** From this size on, keeping alone is cheaper than in STANDARD. */
  readonly storageAloneBytes: number
  /** The smallest object that pays its transition back when it is kept so many months after the move. */
  readonly smallestBytes: readonly { readonly keptMonths: number; readonly bytes: number }[]
  /** Months until an object of that size has paid its transition back; Infinity: never. */
  readonly paybackMonths: readonly { readonly sizeBytes: number; readonly months: number }[]
}

/** Options of {@link breakEven}. */
export interface BreakEvenOptions {
  /** Default {@link usEast1Prices}. */
  readonly prices?: PriceList | undefined
  /** Default 3, 12 and 36. */
  readonly keptMonths?: readonly number[] | undefined
  /** Default 128 KiB and 1 000 KiB. */
  readonly sizesBytes?: readonly number[] | undefined
}

/**
 * From which size moving an object from STANDARD to another class pays: transition, smallest billed size, overhead and minimum duration
 * counted, reading not.
 *
 * @example
 * ```ts
 * breakEven().find(({ storageClass }) => storageClass === 'DEEP_ARCHIVE')!.smallestBytes // kept 12 months: 208 KiB
 * ```
 */
export function breakEven(options: BreakEvenOptions = {}): readonly BreakEven[] {
  checkOptions('breakEven', options, { optional: ['prices', 'keptMonths', 'sizesBytes'] })
  const { prices = usEast1Prices, keptMonths = [3, 12, 36], sizesBytes = [131_072, 1_024_000] } = options
  return comparedClasses.map((storageClass) => {
    const saved = (sizeBytes: number) =>
      monthlyPrice(prices, 'STANDARD', sizeBytes) - monthlyPrice(prices, storageClass, sizeBytes)
    const transition = prices.classes[storageClass].transitionPer1000 / 1000
    const gain = (sizeBytes: number, months: number) =>
      months * saved(sizeBytes) - transition - earlyDeletePrice(prices, storageClass, sizeBytes, months * prices.monthDays)
    return {
      storageClass,
      storageAloneBytes: smallest(saved),
      smallestBytes: keptMonths.map((months) => ({ keptMonths: months, bytes: smallest((size) => gain(size, months)) })),
      paybackMonths: sizesBytes.map((sizeBytes) => {
        const perMonth = saved(sizeBytes)
        return { sizeBytes, months: perMonth > 0 ? transition / perMonth : Number.POSITIVE_INFINITY }
      }),
    }
  })
}

/** The smallest size, to a byte, at which a gain that grows with the size is no loss; Infinity when there is none up to 5 TiB. */
function smallest(gain: (sizeBytes: number) => number): number {
  let [low, high] = [0, 5 * 1024 * GiB]
  if (gain(high) < 0) return Number.POSITIVE_INFINITY
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (gain(middle) < 0) low = middle
    else high = middle
  }
  return high
}
