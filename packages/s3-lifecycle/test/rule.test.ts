import { describe, expect, it } from 'vitest'
import {
  defineLifecycle,
  keyPrefix,
  LifecycleError,
  type LifecycleRuleOptions,
  lifecycleRule,
  type Scope,
  wholeBucket,
} from '../src/index'

/** As from code that the compiler cannot see through. */
const build = (options: LifecycleRuleOptions) => lifecycleRule('r' as string, options as never)

describe('lifecycleRule', () => {
  it('gives a rule in the form of the S3 API', () => {
    const rule = lifecycleRule('age-logs', {
      scope: keyPrefix('log-'),
      transitions: [
        { afterDays: 30, to: 'STANDARD_IA' },
        { afterDays: 180, to: 'DEEP_ARCHIVE' },
      ],
      expireAfterDays: 365,
      noncurrent: { transitions: [{ afterDays: 1, to: 'GLACIER', keepNewest: 2 }], expireAfterDays: 30, keepNewest: 5 },
      abortUploadsAfterDays: 7,
    })
    expect(rule).toEqual({
      ID: 'age-logs',
      Status: 'Enabled',
      Filter: { Prefix: 'log-' },
      Transitions: [
        { Days: 30, StorageClass: 'STANDARD_IA' },
        { Days: 180, StorageClass: 'DEEP_ARCHIVE' },
      ],
      Expiration: { Days: 365 },
      NoncurrentVersionTransitions: [{ NoncurrentDays: 1, NewerNoncurrentVersions: 2, StorageClass: 'GLACIER' }],
      NoncurrentVersionExpiration: { NoncurrentDays: 30, NewerNoncurrentVersions: 5 },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    })
  })

  it('writes one predicate alone and several in And', () => {
    const filterOf = (scope: Scope) => build({ scope, expireAfterDays: 1 }).Filter
    expect(filterOf(wholeBucket())).toEqual({ Prefix: '' })
    expect(filterOf(wholeBucket({ tags: { a: '1' } }))).toEqual({ Tag: { Key: 'a', Value: '1' } })
    expect(filterOf(wholeBucket({ largerThanBytes: 5 }))).toEqual({ ObjectSizeGreaterThan: 5 })
    expect(filterOf(wholeBucket({ largerThanBytes: 5, smallerThanBytes: 9 }))).toEqual({
      And: { ObjectSizeGreaterThan: 5, ObjectSizeLessThan: 9 },
    })
    expect(filterOf(keyPrefix('a/', { tags: { a: '1', b: '' }, smallerThanBytes: 9 }))).toEqual({
      And: {
        Prefix: 'a/',
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '' },
        ],
        ObjectSizeLessThan: 9,
      },
    })
  })

  it('writes dates as midnight UTC', () => {
    const rule = build({ scope: wholeBucket(), expireOn: '2027-02-28' })
    expect(rule.Expiration).toEqual({ Date: new Date('2027-02-28T00:00:00Z') })
    expect(() => build({ scope: wholeBucket(), expireOn: '2027-02-30' })).toThrow(/no date/)
    expect(() => build({ scope: wholeBucket(), expireOn: '2027-2-3' })).toThrow(/no date/)
  })

  it("refuses at run time what the compiler could not see, with AWS's text", () => {
    const days = (n: number) => n
    const scope = keyPrefix('a/')
    const refused: readonly (readonly [LifecycleRuleOptions, RegExp])[] = [
      [{ scope, expireAfterDays: days(0) }, /'Days' for Expiration action must be a positive integer/],
      [{ scope, transitions: [{ afterDays: days(9), to: 'GLACIER' }], expireAfterDays: days(9) }, /must be greater than 'Days'/],
      [{ scope }, /At least one action/],
      [{ scope: keyPrefix('a/', { tags: { a: 'b' } }), abortUploadsAfterDays: days(1) }, /cannot be specified with Tags/],
      [{ scope, noncurrent: { keepNewest: days(2) } }, /NoncurrentVersionExpiration: MalformedXML/],
    ]
    for (const [options, text] of refused) expect(() => build(options)).toThrow(text)
    try {
      build({ scope, expireAfterDays: days(-1) })
      expect.unreachable()
    } catch (error) {
      expect(LifecycleError.isInstance(error) && error.code).toBe('PIPE_LIFECYCLE_RULE')
      expect((error as LifecycleError).details.findings).toMatchObject([{ path: 'Rules[0].Expiration.Days' }])
    }
  })

  it('refuses unknown options and scopes that are none', () => {
    expect(() => build({ scope: keyPrefix('a/'), expireAfterDay: 1 } as never)).toThrow(/Did you mean "expireAfterDays"/)
    expect(() => build({ scope: { prefix: '' }, expireAfterDays: 1 } as never)).toThrow(/PIPE_LIFECYCLE_SCOPE/)
    expect(() => keyPrefix('' as string as never)).toThrow(/whole bucket/)
    expect(() => keyPrefix('a*' as string as never)).toThrow(/no wildcards/)
    expect(() => keyPrefix('é'.repeat(513) as string as never)).toThrow(/1 024 bytes/)
    expect(() => wholeBucket({ largerThanBytes: 9, smallerThanBytes: 9 as number })).toThrow(/no object/)
    expect(() => lifecycleRule('', { scope: keyPrefix('a/'), expireAfterDays: 1 })).toThrow(/needs an id/)
  })
})

describe('defineLifecycle', () => {
  const rule = (id: string) => lifecycleRule(id, { scope: keyPrefix(`${id}/` as string as never), expireAfterDays: 1 })

  it('carries the rules and, only when asked for, the minimum size', () => {
    expect(defineLifecycle([rule('a')])).toEqual({ Rules: [rule('a')] })
    expect(defineLifecycle([rule('a')], { minimumSize: 'varies_by_storage_class' })).toMatchObject({
      TransitionDefaultMinimumObjectSize: 'varies_by_storage_class',
    })
    expect(defineLifecycle([])).toEqual({ Rules: [] })
  })

  it('refuses an id twice and more than 1 000 rules', () => {
    expect(() => defineLifecycle([rule('a'), rule('a')] as never)).toThrow(/Rule ID must be unique/)
    expect(() => defineLifecycle(Array.from({ length: 1001 }, (_, i) => rule(`r${i}`)))).toThrow(/1000 rules/)
  })
})
