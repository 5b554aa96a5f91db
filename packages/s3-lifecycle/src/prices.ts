import { readFileSync } from 'node:fs'
import { LifecycleError } from './errors'
import usEast1 from './prices/us-east-1.json'
import type { TransitionClass } from './storage-class'

/** Classes that have a price. */
export type PricedClass = 'STANDARD' | TransitionClass

/** Prices of one class, in the currency of the list. */
export interface ClassPrices {
  /** Tiers by the GiB-months of the whole account in the class; the last has no bound. */
  readonly storage: readonly { readonly upToGiB?: number | undefined; readonly perGiBMonth: number }[]
  /** Per 1 000 objects that lifecycle moves into the class. */
  readonly transitionPer1000: number
  /** Days that are paid for even when an object leaves earlier. */
  readonly minDays: number
  /** Smaller objects are billed as if they had this size. */
  readonly minBillableBytes: number
  /** Added to every object in this class … */
  readonly overheadBytes: number
  /** … and in STANDARD. */
  readonly standardOverheadBytes: number
  readonly retrievalPerGiB: number
  readonly getPer1000: number
  readonly putPer1000: number
}

/** How an archived object is brought back. */
export type RestoreTier = 'Expedited' | 'Standard' | 'Bulk'

/** A dated price list. GiB = 2^30 bytes. */
export interface PriceList {
  /** The day that it was checked. */
  readonly asOf: string
  readonly region: string
  readonly currency: string
  readonly source: string
  /** Entries that nobody compared with AWS's own list. */
  readonly unverified: readonly string[]
  /** Days of a billed month. */
  readonly monthDays: number
  readonly classes: Readonly<Record<PricedClass, ClassPrices>>
  /** Tiers of an object that is never read. */
  readonly intelligentTiering: {
    /** Per 1 000 objects and month, of objects that are monitored. */
    readonly monitoringPer1000: number
    readonly minMonitoredBytes: number
    readonly tiers: readonly { readonly afterDays: number; readonly perGiBMonth: number }[]
  }
  /** DEEP_ARCHIVE has no Expedited. */
  readonly restore: {
    readonly [Class in 'GLACIER' | 'DEEP_ARCHIVE']: {
      readonly [Tier in RestoreTier]?: { readonly perGiB: number; readonly per1000: number } | undefined
    }
  }
  readonly replication: { readonly interRegionPerGiB: number; readonly timeControlPerGiB: number }
  readonly batch: { readonly perJob: number; readonly perMillionObjects: number }
  readonly inventoryPerMillionObjects: number
}

/** The list that comes with the package: us-east-1, USD. Take it as a start and replace it with your own: {@link readPrices}. */
export const usEast1Prices: PriceList = usEast1

/** Bytes of a GiB. */
export const GiB: number = 1024 ** 3

/**
 * Checks a price list: every price is a number of at least 0, tiers have growing bounds.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INPUT` with the path of what is wrong.
 */
export function checkPrices(value: unknown, where: string = 'prices'): PriceList {
  compare(usEast1, value, where)
  const prices = value as PriceList
  for (const [name, { storage }] of Object.entries(prices.classes)) {
    const bounds = storage.map(({ upToGiB }) => upToGiB ?? Number.POSITIVE_INFINITY)
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || bounds.some((bound, i) => i > 0 && bound <= bounds[i - 1]!))
      throw wrong(`${where}.classes.${name}.storage`, 'must have growing bounds and a last tier without one')
  }
  if (!/^\d{4}-\d\d-\d\d$/.test(prices.asOf)) throw wrong(`${where}.asOf`, 'must be a date like 2026-11-24')
  if (prices.monthDays <= 0) throw wrong(`${where}.monthDays`, 'must be more than 0')
  return prices
}

/**
 * Reads a price list from a JSON file.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INPUT`
 */
export function readPrices(file: string): PriceList {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new LifecycleError('PIPE_LIFECYCLE_INPUT', `The price list ${file} cannot be read: ${(error as Error).message}.`, {
      cause: error,
    })
  }
  return checkPrices(value, file)
}

/** Every field of the shipped list must be there and be of its kind; lists may have other lengths. */
function compare(model: unknown, value: unknown, path: string): void {
  if (typeof model === 'number') {
    if (typeof value !== 'number' || !(value >= 0) || !Number.isFinite(value)) throw wrong(path, 'must be a number of at least 0')
  } else if (typeof model === 'string') {
    if (typeof value !== 'string') throw wrong(path, 'must be a text')
  } else if (Array.isArray(model)) {
    if (!Array.isArray(value)) throw wrong(path, 'must be a list')
    const [sample] = model.length > 0 ? [model.at(-1) as unknown] : []
    for (const [i, item] of value.entries()) compare(sample, item, `${path}[${i}]`)
  } else {
    if (typeof value !== 'object' || value === null) throw wrong(path, 'must be an object')
    for (const [key, part] of Object.entries(model as object))
      compare(part, (value as Record<string, unknown>)[key], `${path}.${key}`)
  }
}

function wrong(path: string, what: string): LifecycleError {
  return new LifecycleError('PIPE_LIFECYCLE_INPUT', `${path} ${what}.`, {
    hint: 'Start from usEast1Prices and change the numbers.',
  })
}
