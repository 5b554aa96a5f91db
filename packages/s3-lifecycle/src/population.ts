import { compileRules } from './compiled-rule'
import type { LifecycleConfiguration } from './configuration'
import { dayMs } from './due'
import { LifecycleError } from './errors'
import { prefixIndex } from './prefix-index'
import type { StoredObject } from './stored-object'

/** Many objects that share size, age, class and the rules that are for them. */
export interface Population {
  readonly count: number
  /** Of each object, on the average. */
  readonly sizeBytes: number
  /** A key like theirs. Default `objects/1`. */
  readonly key?: string | undefined
  /** Whole days since they were written; 0: just before the start. Default 0. */
  readonly ageDays?: number | undefined
  /** Default `STANDARD`. */
  readonly storageClass?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** One object that stands for a population. It was written just before a midnight, so that whole days are whole days. */
export function representative(population: Population, fromMs: number): StoredObject {
  const { count, sizeBytes, key = 'objects/1', ageDays = 0, storageClass = 'STANDARD', tags } = population
  if (!Number.isSafeInteger(count) || count < 0 || !(sizeBytes >= 0) || !Number.isInteger(ageDays) || ageDays < 0) {
    throw new LifecycleError('PIPE_LIFECYCLE_INPUT', `${JSON.stringify(population)} is no population of objects.`, {
      hint: 'It needs count and sizeBytes of at least 0, and whole ageDays.',
    })
  }
  return {
    key,
    sizeBytes: Math.round(sizeBytes),
    lastModified: new Date(fromMs - ageDays * dayMs - 1),
    storageClass,
    ...(tags && { tags }),
  }
}

/** Sizes of a group differ by at most this factor, and never across 128 KiB. */
const sizesPerDoubling = 8

/**
 * Sums a listing up for {@link estimateCost}: objects that the same rules are for, of one class, age in days and nearly one size (within 9 %)
 * become one population. Delete markers are passed over; noncurrent versions count as objects.
 *
 * @param at the moment that ages are counted to.
 */
export async function populationsOf(
  configuration: LifecycleConfiguration,
  listing: AsyncIterable<StoredObject> | Iterable<StoredObject>,
  at: Date,
): Promise<readonly Population[]> {
  const counter = populationCounter(configuration, at)
  for await (const object of listing) counter.add(object)
  return counter.result()
}

/** See {@link populationsOf}: one object at a time, while a listing is read for something else. */
export function populationCounter(
  configuration: LifecycleConfiguration,
  at: Date,
): { add(object: StoredObject): void; result(): readonly Population[] } {
  const index = prefixIndex(compileRules(configuration), (rules) => rules.map(({ order }) => order).join())
  const groups = new Map<string, { key: string; storageClass: string; ageDays: number; count: number; bytes: number }>()
  return {
    add({ key, sizeBytes, lastModified, storageClass = 'STANDARD', isDeleteMarker }) {
      if (isDeleteMarker) return
      const ageDays = Math.max(0, Math.floor((at.getTime() - lastModified.getTime()) / dayMs))
      const name = `${index.lookup(key)} ${storageClass} ${ageDays} ${sizeGroup(sizeBytes)}`
      const group = groups.get(name)
      if (group === undefined) groups.set(name, { key, storageClass, ageDays, count: 1, bytes: sizeBytes })
      else {
        group.count++
        group.bytes += sizeBytes
      }
    },
    result: () => [...groups.values()].map(({ bytes, count, ...rest }) => ({ ...rest, count, sizeBytes: bytes / count })),
  }
}

function sizeGroup(sizeBytes: number): number {
  // 128 KiB is 2^17: a bound of its own.
  return sizeBytes === 0 ? -1 : Math.floor(Math.log2(sizeBytes) * sizesPerDoubling)
}
