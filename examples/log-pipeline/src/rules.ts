import { defineLifecycle, keyPrefix, lifecycleRule, type ProtectedPrefix } from '@pipe/s3-lifecycle'
import { places } from './places'

const { raw, compacted, results } = places

/**
 * How the bucket ages. Raw files are small, so that moving them would cost more than it saves: they are deleted once nobody will compact them again. What was
 * compacted stays, in classes that Athena can read at once.
 */
export const rules = defineLifecycle([
  lifecycleRule('raw', {
    scope: keyPrefix(raw),
    expireAfterDays: 30,
    noncurrent: { expireAfterDays: 14 },
    abortUploadsAfterDays: 3,
  }),
  lifecycleRule('compacted', {
    scope: keyPrefix(`${compacted}data/`),
    transitions: [
      { afterDays: 90, to: 'STANDARD_IA' },
      { afterDays: 180, to: 'GLACIER_IR' },
    ],
    abortUploadsAfterDays: 3,
  }),
  lifecycleRule('results', { scope: keyPrefix(results), expireAfterDays: 7, noncurrent: { expireAfterDays: 1 } }),
])

/** The same for the copy of the compacted data: nobody queries it, so it goes into the cheapest archive. */
export const replicaRules = defineLifecycle([
  lifecycleRule('replica', { scope: keyPrefix(compacted), transitions: [{ afterDays: 1, to: 'DEEP_ARCHIVE' }] }),
])

/** What the compactor needs (its `protectedPrefixes()`): its own notes for ever, its output and raw files until their windows are past repair. */
export const guarded: readonly ProtectedPrefix[] = [
  `${compacted}_pipe/`,
  { prefix: `${compacted}data/`, untilDays: 90 },
  { prefix: raw, untilDays: 14 },
]
