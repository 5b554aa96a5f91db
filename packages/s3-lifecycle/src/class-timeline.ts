import { checkOptions } from '@pipe/core/internal'
import type { LifecycleConfiguration } from './configuration'
import { dayMs } from './due'
import { LifecycleError } from './errors'
import type { Versioning } from './key-state'
import type { Population } from './population'
import { spansOf } from './span'

/** Bytes by class at one moment. */
export interface ClassPoint {
  readonly at: Date
  readonly bytes: Readonly<Record<string, number>>
}

/** What {@link classTimeline} takes. */
export interface ClassTimelineOptions {
  /** The rules that act: {@link defineLifecycle}. */
  readonly rules: LifecycleConfiguration
  /** What lies in the bucket and what is still to come. See {@link populationsOf} for those of a listing. */
  readonly objects: readonly Population[]
  /** The first moment. */
  readonly from: Date
  /** The last moment. */
  readonly to: Date
  /** Moments, the first and the last included. Default 25. */
  readonly points?: number | undefined
  /** Whether the bucket keeps versions. Default `'unversioned'`. */
  readonly versioning?: Versioning | undefined
}

/**
 * How many bytes are in which class over time: what {@link chartText} and {@link chartSvg} draw.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INPUT`
 */
export function classTimeline(options: ClassTimelineOptions): readonly ClassPoint[] {
  checkOptions('classTimeline', options, { required: ['rules', 'objects', 'from', 'to'], optional: ['points', 'versioning'] })
  const { rules, objects, from, to, points = 25, versioning } = options
  if (!(to > from) || !Number.isInteger(points) || points < 2)
    throw new LifecycleError('PIPE_LIFECYCLE_INPUT', 'classTimeline: `to` must be after `from`, with at least 2 points.')
  const stepMs = (to.getTime() - from.getTime()) / (points - 1)
  // One more day, so that the last point is not the end of every span.
  const spanned = spansOf(rules, objects, { from, to: new Date(to.getTime() + dayMs), versioning })
  return Array.from({ length: points }, (_, i) => {
    const atMs = from.getTime() + i * stepMs
    const bytes: Record<string, number> = {}
    for (const { population, spans } of spanned) {
      const span = spans.find(({ fromMs, untilMs }) => fromMs <= atMs && atMs < untilMs)
      if (span) bytes[span.storageClass] = (bytes[span.storageClass] ?? 0) + population.count * population.sizeBytes
    }
    return { at: new Date(atMs), bytes }
  })
}
