import type { LifecycleConfiguration } from './configuration'
import type { Versioning } from './key-state'
import { type Population, representative } from './population'
import { type LifecycleEvent, simulateLifecycle } from './simulate'
import type { Stay } from './stays'

/** Some objects in one class for some time. */
export interface Span {
  readonly storageClass: string
  readonly fromMs: number
  readonly untilMs: number
  /** When they came into the class, which may be before `fromMs`. */
  readonly sinceMs: number
  /** What ended it; `undefined`: the end of the time looked at. */
  readonly end: LifecycleEvent | undefined
}

/** A population with its spans. */
export interface SpannedPopulation {
  readonly population: Population
  readonly spans: readonly Span[]
  readonly stays: readonly Stay[]
}

/** Where each population is, and when. */
export function spansOf(
  configuration: LifecycleConfiguration,
  populations: readonly Population[],
  options: { readonly from: Date; readonly to: Date; readonly versioning?: Versioning | undefined },
): readonly SpannedPopulation[] {
  const fromMs = options.from.getTime()
  return populations.map((population) => {
    const object = representative(population, fromMs)
    const [outcome] = [...simulateLifecycle(configuration, [object], options)]
    const spans: Span[] = []
    let open: { storageClass: string; fromMs: number; sinceMs: number } | undefined = {
      storageClass: object.storageClass!,
      fromMs,
      sinceMs: object.lastModified.getTime(),
    }
    for (const event of outcome!.events) {
      // A delete marker keeps the version and its bill; markers themselves cost nothing here.
      if (open === undefined || event.versionId !== 'null' || event.action === 'add-delete-marker') continue
      if (event.action === 'remove-delete-marker') continue
      const at = event.date.getTime()
      spans.push({ ...open, untilMs: at, end: event })
      open = event.action === 'transition' ? { storageClass: event.to!, fromMs: at, sinceMs: at } : undefined
    }
    if (open !== undefined) spans.push({ ...open, untilMs: options.to.getTime(), end: undefined })
    return { population, spans, stays: outcome!.stays }
  })
}
