import { expectTypeOf } from 'vitest'
import { defineLifecycle, keyPrefix, type LifecycleRule, lifecycleRule, type NamedRule, wholeBucket } from '../../src/index'

const scope = keyPrefix('log-')
const filtered = keyPrefix('log-', { tags: { stage: 'test' } })

// What AWS takes compiles.
expectTypeOf(
  lifecycleRule('age-logs', {
    scope,
    transitions: [
      { afterDays: 30, to: 'STANDARD_IA' },
      { afterDays: 180, to: 'DEEP_ARCHIVE' },
    ],
    expireAfterDays: 365,
  }),
).toEqualTypeOf<NamedRule<'age-logs'>>()
lifecycleRule('dates', { scope: wholeBucket(), transitions: [{ on: '2027-01-31', to: 'GLACIER' }], expireOn: '2027-02-01' })
lifecycleRule('clean', {
  scope,
  removeExpiredMarkers: true,
  abortUploadsAfterDays: 7,
  noncurrent: { expireAfterDays: 1, keepNewest: 100 },
})
lifecycleRule('noncurrent', {
  scope: filtered,
  noncurrent: { transitions: [{ afterDays: 0, to: 'INTELLIGENT_TIERING', keepNewest: 3 }], expireAfterDays: 10 },
})
lifecycleRule('zero', {
  scope: wholeBucket({ largerThanBytes: 500, smallerThanBytes: 64_000 }),
  transitions: [{ afterDays: 0, to: 'GLACIER_IR' }],
})
// Values that are no literals pass here and are checked at run time.
declare const days: number
lifecycleRule('computed', { scope, transitions: [{ afterDays: days, to: 'GLACIER' }], expireAfterDays: days })
expectTypeOf(lifecycleRule('x', { scope, expireAfterDays: 1 })).toMatchTypeOf<LifecycleRule>()

// 1–5: the scope
// @ts-expect-error the whole bucket must be spelled out
keyPrefix('')
// @ts-expect-error a prefix has no wildcards
keyPrefix('log-*')
// @ts-expect-error a rule has a scope
lifecycleRule('r', { expireAfterDays: 1 })
// @ts-expect-error a text is no scope
lifecycleRule('r', { scope: 'log-', expireAfterDays: 1 })
// @ts-expect-error an object literal is no scope
lifecycleRule('r', { scope: { prefix: 'log-' }, expireAfterDays: 1 })

// 6–9: sizes and tags
// @ts-expect-error nothing lies between
keyPrefix('log-', { largerThanBytes: 500, smallerThanBytes: 500 })
// @ts-expect-error nothing is smaller than nothing
wholeBucket({ smallerThanBytes: 0 })
// @ts-expect-error no size is negative
wholeBucket({ largerThanBytes: -1 })
// @ts-expect-error no such filter
keyPrefix('log-', { maxBytes: 5 })

// 10–12: no action, unknown fields
// @ts-expect-error a rule needs an action
lifecycleRule('r', { scope })
// @ts-expect-error a typing mistake is not passed over
lifecycleRule('r', { scope, expireAfterDay: 1 })
// @ts-expect-error nor in a transition
lifecycleRule('r', { scope, transitions: [{ afterDays: 1, to: 'GLACIER', keepNewest: 1 }] })

// 13–20: the waterfall and its order
// @ts-expect-error nothing goes back to STANDARD
lifecycleRule('r', { scope, transitions: [{ afterDays: 1, to: 'STANDARD' }] })
// @ts-expect-error no such class
lifecycleRule('r', { scope, transitions: [{ afterDays: 1, to: 'GLACIER_FLEXIBLE' }] })
lifecycleRule('r', {
  scope,
  transitions: [
    { afterDays: 1, to: 'DEEP_ARCHIVE' },
    // @ts-expect-error DEEP_ARCHIVE is the end
    { afterDays: 200, to: 'GLACIER' },
  ],
})
lifecycleRule('r', {
  scope,
  transitions: [
    { afterDays: 30, to: 'ONEZONE_IA' },
    // @ts-expect-error ONEZONE_IA cannot become GLACIER_IR
    { afterDays: 60, to: 'GLACIER_IR' },
  ],
})
lifecycleRule('r', {
  scope,
  transitions: [
    { afterDays: 30, to: 'INTELLIGENT_TIERING' },
    // @ts-expect-error INTELLIGENT_TIERING cannot become STANDARD_IA
    { afterDays: 60, to: 'STANDARD_IA' },
  ],
})
lifecycleRule('r', {
  scope,
  transitions: [
    { afterDays: 30, to: 'GLACIER' },
    // @ts-expect-error a class once
    { afterDays: 60, to: 'GLACIER' },
  ],
})
lifecycleRule('r', {
  scope,
  transitions: [
    { afterDays: 90, to: 'STANDARD_IA' },
    // @ts-expect-error the colder class later
    { afterDays: 30, to: 'GLACIER' },
  ],
})
lifecycleRule('r', {
  scope,
  transitions: [
    { afterDays: 30, to: 'STANDARD_IA' },
    // @ts-expect-error and not at the same time
    { afterDays: 30, to: 'GLACIER' },
  ],
})

// 21–25: days and dates
// @ts-expect-error not both in one transition
lifecycleRule('r', { scope, transitions: [{ afterDays: 1, on: '2027-01-31', to: 'GLACIER' }] })
lifecycleRule('r', {
  scope,
  transitions: [
    { afterDays: 1, to: 'STANDARD_IA' },
    // @ts-expect-error nor in two transitions
    { on: '2027-01-31', to: 'GLACIER' },
  ],
})
// @ts-expect-error nor in transition and expiry
lifecycleRule('r', { scope, transitions: [{ on: '2027-01-31', to: 'GLACIER' }], expireAfterDays: 1000 })
// @ts-expect-error nor in two expiries
lifecycleRule('r', { scope, expireAfterDays: 1, expireOn: '2027-01-31' })
// @ts-expect-error a date is a day: it cannot be at another time than midnight
lifecycleRule('r', { scope, expireOn: new Date() })

// 26–33: the expiry
// @ts-expect-error 0 days is no expiry
lifecycleRule('r', { scope, expireAfterDays: 0 })
// @ts-expect-error no negative days
lifecycleRule('r', { scope, expireAfterDays: -1 })
// @ts-expect-error no half days
lifecycleRule('r', { scope, expireAfterDays: 1.5 })
// @ts-expect-error no negative days in a transition
lifecycleRule('r', { scope, transitions: [{ afterDays: -1, to: 'GLACIER' }] })
// @ts-expect-error later than the last transition
lifecycleRule('r', { scope, transitions: [{ afterDays: 365, to: 'GLACIER' }], expireAfterDays: 365 })
// @ts-expect-error also by more than one digit
lifecycleRule('r', { scope, transitions: [{ afterDays: 1000, to: 'GLACIER' }], expireAfterDays: 999 })
// @ts-expect-error also by date
lifecycleRule('r', { scope, transitions: [{ on: '2027-01-31', to: 'GLACIER' }], expireOn: '2027-01-31' })
// @ts-expect-error a duration is no number of days
lifecycleRule('r', { scope, expireAfterDays: '30 days' })

// 34–38: markers and uploads
// @ts-expect-error markers beside days
lifecycleRule('r', { scope, expireAfterDays: 1, removeExpiredMarkers: true })
// @ts-expect-error markers beside a date
lifecycleRule('r', { scope, expireOn: '2027-01-31', removeExpiredMarkers: true })
// @ts-expect-error markers have no tags
lifecycleRule('r', { scope: filtered, removeExpiredMarkers: true })
// @ts-expect-error uploads have no tags
lifecycleRule('r', { scope: filtered, abortUploadsAfterDays: 7 })
// @ts-expect-error uploads have no size
lifecycleRule('r', { scope: wholeBucket({ largerThanBytes: 1 }), expireAfterDays: 9, abortUploadsAfterDays: 7 })
// @ts-expect-error 0 days
lifecycleRule('r', { scope, abortUploadsAfterDays: 0 })

// 40–47: noncurrent versions
// @ts-expect-error no action
lifecycleRule('r', { scope, noncurrent: {} })
// @ts-expect-error keepNewest needs days
lifecycleRule('r', { scope, noncurrent: { keepNewest: 5 } })
// @ts-expect-error 0 days
lifecycleRule('r', { scope, noncurrent: { expireAfterDays: 0 } })
// @ts-expect-error at most 100
lifecycleRule('r', { scope, noncurrent: { expireAfterDays: 1, keepNewest: 101 } })
// @ts-expect-error at least 1
lifecycleRule('r', { scope, noncurrent: { expireAfterDays: 1, keepNewest: 0 } })
// @ts-expect-error noncurrent versions have no dates
lifecycleRule('r', { scope, noncurrent: { transitions: [{ on: '2027-01-31', to: 'GLACIER' }] } })
lifecycleRule('r', {
  scope,
  noncurrent: {
    transitions: [
      { afterDays: 1, to: 'GLACIER' },
      // @ts-expect-error the waterfall holds here too
      { afterDays: 2, to: 'GLACIER_IR' },
    ],
  },
})
// @ts-expect-error the expiry comes last
lifecycleRule('r', { scope, noncurrent: { transitions: [{ afterDays: 10, to: 'GLACIER' }], expireAfterDays: 10 } })

// 48–50: several rules
const rule = lifecycleRule('same', { scope, expireAfterDays: 1 })
// @ts-expect-error an id once
defineLifecycle([rule, lifecycleRule('same', { scope: wholeBucket(), expireAfterDays: 2 })])
// @ts-expect-error no such mode
defineLifecycle([rule], { minimumSize: '128K' })
// @ts-expect-error the mode is no rule
defineLifecycle([rule, { minimumSize: 'varies_by_storage_class' }])
