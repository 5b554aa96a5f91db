import fc from 'fast-check'
import {
  type LifecycleConfiguration,
  type LifecycleRule,
  type StoredObject,
  type TransitionClass,
  transitionClasses,
} from '../src/index'

// Random rules that AWS would take, and objects that they are for.
const prefixes = ['', 'l', 'logs/', 'logs/a', 'logs/a/', 'data/', 'é/', '日']
const keys = ['logs/a/1', 'logs/a', 'logs/b', 'data/1', 'l', 'other', 'é/1', '日本/1', 'é']

const filter = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...prefixes).map((Prefix) => ({ Prefix })) },
  fc.constant({}),
  fc.constant({ Tag: { Key: 'k', Value: 'v' } }),
  fc.record({
    And: fc.record({ Prefix: fc.constantFrom(...prefixes), ObjectSizeGreaterThan: fc.constantFrom(0, 500, 200_000) }),
  }),
  fc.constant({
    And: {
      Prefix: 'logs/',
      Tags: [
        { Key: 'k', Value: 'v' },
        { Key: 'l', Value: '' },
      ],
    },
  }),
)

/** Classes that can follow one another, with growing days. */
const steps = fc
  .tuple(fc.subarray([...transitionClasses], { maxLength: 3 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 60 }))
  .map(([classes, first, gap]) => classes.map((to: TransitionClass, i) => ({ days: first + i * gap, to })))

const midnight = fc.integer({ min: -400, max: 400 }).map((days) => new Date(Date.UTC(2026, 0, 1) + days * 86_400_000))

const byDays = fc.record({ steps, expiry: fc.option(fc.integer({ min: 1, max: 90 })) }).map(({ steps: given, expiry }) => ({
  ...(given.length > 0 && { Transitions: given.map(({ days, to }) => ({ Days: days, StorageClass: to })) }),
  ...(expiry !== null && { Expiration: { Days: (given.at(-1)?.days ?? 0) + expiry } }),
}))
const byDate = fc
  .record({ to: fc.option(fc.constantFrom(...transitionClasses)), at: midnight, expires: fc.boolean() })
  .map(({ to, at, expires }) => ({
    ...(to !== null && { Transitions: [{ Date: at, StorageClass: to }] }),
    ...(expires && { Expiration: { Date: new Date(at.getTime() + 86_400_000 * 30) } }),
  }))
const noncurrent = fc
  .record({
    days: fc.integer({ min: 0, max: 30 }),
    to: fc.constantFrom(...transitionClasses),
    expiry: fc.integer({ min: 1, max: 40 }),
    newer: fc.option(fc.integer({ min: 1, max: 3 })),
    moves: fc.boolean(),
  })
  .map(({ days, to, expiry, newer, moves }) => ({
    ...(moves && { NoncurrentVersionTransitions: [{ NoncurrentDays: days, StorageClass: to }] }),
    NoncurrentVersionExpiration: { NoncurrentDays: days + expiry, ...(newer !== null && { NewerNoncurrentVersions: newer }) },
  }))

const rule = fc
  .record({
    Filter: filter,
    Status: fc.constantFrom('Enabled' as const, 'Enabled' as const, 'Enabled' as const, 'Disabled' as const),
    current: fc.oneof({ weight: 4, arbitrary: byDays }, byDate),
    versions: fc.option(noncurrent),
    marker: fc.boolean(),
  })
  .map(({ Filter, Status, current, versions, marker }): Omit<LifecycleRule, 'ID'> => {
    const actions: Partial<LifecycleRule> = { ...current, ...versions }
    const isPlain = !('Tag' in Filter) && !('And' in Filter)
    if (actions.Expiration === undefined && marker && isPlain)
      return { Status, Filter, ...actions, Expiration: { ExpiredObjectDeleteMarker: true } }
    return Object.keys(actions).length === 0 ? { Status, Filter, Expiration: { Days: 1 } } : { Status, Filter, ...actions }
  })

/** A configuration that S3 would take. */
export const configuration: fc.Arbitrary<LifecycleConfiguration> = fc
  .record({ rules: fc.array(rule, { minLength: 1, maxLength: 6 }), varies: fc.boolean() })
  .map(({ rules, varies }) => ({
    Rules: rules.map((one, i) => ({ ID: `r${i}`, ...one })),
    ...(varies && { TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' as const }),
  }))

/** A moment of 2026, often exactly at midnight. */
const moment = fc.oneof(
  fc.integer({ min: 0, max: 365 * 24 * 60 }).map((minutes) => new Date(Date.UTC(2026, 0, 1) + minutes * 60_000)),
  fc.integer({ min: 0, max: 365 }).map((days) => new Date(Date.UTC(2026, 0, 1) + days * 86_400_000)),
)

/** A current object without versions. */
export const object: fc.Arbitrary<StoredObject> = fc.record(
  {
    key: fc.constantFrom(...keys),
    sizeBytes: fc.constantFrom(0, 1, 500, 501, 131_071, 131_072, 200_001, 5_000_000),
    lastModified: moment,
    storageClass: fc.constantFrom('STANDARD', ...transitionClasses, 'EXPRESS_ONEZONE'),
    tags: fc.constantFrom<Record<string, string>>({}, { k: 'v' }, { k: 'v', l: '' }, { k: 'x' }),
    replicationStatus: fc.constantFrom(
      'COMPLETED' as const,
      'COMPLETED' as const,
      'PENDING' as const,
      'FAILED' as const,
      'REPLICA' as const,
    ),
  },
  { requiredKeys: ['key', 'sizeBytes', 'lastModified'] },
)

/** Versions of one key, newest first, some of them delete markers. */
export const versions: fc.Arbitrary<readonly StoredObject[]> = fc
  .array(fc.record({ object, isDeleteMarker: fc.boolean(), isNull: fc.boolean() }), { minLength: 1, maxLength: 5 })
  .map((list) => {
    const sorted = list.map(({ object: one }) => one.lastModified).sort((a, b) => b.getTime() - a.getTime())
    const nullAt = list.findIndex(({ isNull }) => isNull)
    return list.map(
      ({ object: one, isDeleteMarker }, i): StoredObject => ({
        ...one,
        key: list[0]!.object.key,
        lastModified: sorted[i]!,
        versionId: i === nullAt ? 'null' : `v${i}`,
        ...(isDeleteMarker && { isDeleteMarker, sizeBytes: 0, tags: {} }),
      }),
    )
  })
