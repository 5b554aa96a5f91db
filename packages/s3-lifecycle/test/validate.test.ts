import { describe, expect, it } from 'vitest'
import { type LifecycleRule, type ValidateOptions, validateLifecycle } from '../src/index'
import { accepted, expiring, rejected, rule } from './configurations'

const errorsOf = (rules: readonly unknown[], options?: ValidateOptions) =>
  validateLifecycle({ Rules: rules }, options).filter(({ severity }) => severity === 'error')

describe('what AWS rejects (s3-lifecycle.md §3a)', () => {
  it.each(rejected)('%s', (_, rules, code, message, path) => {
    const found = errorsOf(rules).find((error) => error.path === path && error.code === code)
    expect(found, JSON.stringify(errorsOf(rules))).toBeDefined()
    if (typeof message === 'string') expect(found!.message).toBe(message)
    else expect(found!.message).toMatch(message)
    expect(found!.source).not.toBe('')
  })

  it('a minimum size that S3 does not know', () => {
    expect(validateLifecycle({ Rules: [expiring()], TransitionDefaultMinimumObjectSize: 'value' })).toMatchObject([
      { severity: 'error', code: 'InvalidRequest', message: 'Invalid TransitionDefaultMinimumObjectSize found: value' },
    ])
  })

  it('a bucket with MFA delete, and what a directory bucket does not have', () => {
    expect(errorsOf([expiring()], { bucket: { mfaDelete: true } })).toMatchObject([{ path: '' }])
    const directory = { bucket: { kind: 'directory' } } as const
    expect(errorsOf([expiring()], directory)).toEqual([])
    expect(errorsOf([expiring({ Transitions: [{ Days: 1, StorageClass: 'GLACIER' }] })], directory)).toMatchObject([
      { path: 'Rules[0].Transitions' },
    ])
    expect(errorsOf([expiring({ Filter: { Tag: { Key: 'k', Value: 'v' } } })], directory)).toMatchObject([
      { path: 'Rules[0].Filter.Tag' },
    ])
  })

  it('everything that is wrong is found, and nothing throws', () => {
    const wrong = {
      Rules: [
        {
          ID: 7,
          Filter: [],
          Transitions: 'no',
          Expiration: null,
          NoncurrentVersionExpiration: 1,
          AbortIncompleteMultipartUpload: [],
        },
        null,
        'x',
      ],
    }
    expect(validateLifecycle(wrong).filter(({ severity }) => severity === 'error').length).toBeGreaterThan(6)
    for (const value of [null, undefined, 1, 'x', [], { Rules: {} }, {}])
      expect(validateLifecycle(value)).toMatchObject([{ code: 'MalformedXML' }])
  })
})

describe('what AWS takes', () => {
  it.each(accepted)('%s', (_, rules) => {
    expect(errorsOf(rules)).toEqual([])
  })

  it("the user guide's examples", () => {
    const examples: readonly LifecycleRule[] = [
      {
        ID: 'Transition and Expiration Rule',
        Filter: { Prefix: 'tax/' },
        Status: 'Enabled',
        Transitions: [{ Days: 365, StorageClass: 'GLACIER' }],
        Expiration: { Days: 3650 },
      },
      {
        ID: 'ClassBDocRule',
        Filter: { Prefix: 'classB/' },
        Status: 'Enabled',
        Transitions: [{ Days: 90, StorageClass: 'STANDARD_IA' }],
        Expiration: { Days: 365 },
      },
      {
        ID: 'sample-rule',
        Filter: { Prefix: '' },
        Status: 'Enabled',
        Transitions: [{ Days: 90, StorageClass: 'STANDARD_IA' }],
        NoncurrentVersionTransitions: [{ NoncurrentDays: 30, StorageClass: 'GLACIER' }],
        NoncurrentVersionExpiration: { NewerNoncurrentVersions: 5, NoncurrentDays: 365 },
      },
      {
        ID: 'abort',
        Filter: { Prefix: 'SomeKeyPrefix/' },
        Status: 'Enabled',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
      {
        ID: 'size',
        Filter: { And: { Prefix: 'tax/', ObjectSizeGreaterThan: 500 } },
        Status: 'Enabled',
        Transitions: [{ Days: 365, StorageClass: 'GLACIER' }],
      },
    ]
    expect(errorsOf(examples)).toEqual([])
  })
})

describe('doubts', () => {
  const doubtsOf = (rules: readonly unknown[]) =>
    validateLifecycle({ Rules: rules }).map(({ code, path, severity }) => ({ code, path, severity }))

  it('30 days for the IA classes and after them: dropped by AWS in 2026, an error on demand', () => {
    const early = [
      rule({
        Transitions: [
          { Days: 7, StorageClass: 'STANDARD_IA' },
          { Days: 20, StorageClass: 'GLACIER' },
        ],
      }),
    ]
    expect(doubtsOf(early)).toEqual([
      { code: 'EarlyTransition', path: 'Rules[0].Transitions[0].Days', severity: 'warning' },
      { code: 'EarlyTransition', path: 'Rules[0].Transitions[1].Days', severity: 'warning' },
    ])
    expect(errorsOf(early, { earlyTransitions: 'refuse' })).toMatchObject([
      {
        code: 'InvalidArgument',
        message: "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
      },
      { code: 'InvalidArgument' },
    ])
    const noncurrent = [rule({ NoncurrentVersionTransitions: [{ NoncurrentDays: 0, StorageClass: 'ONEZONE_IA' }] })]
    expect(doubtsOf(noncurrent)).toMatchObject([{ code: 'EarlyTransition' }])
  })

  it('a transition that another rule deletes first, an expiry that never comes', () => {
    const rules = [
      expiring({ ID: 'all', Filter: { Prefix: '' }, Expiration: { Days: 30 } }),
      rule({ ID: 'logs', Transitions: [{ Days: 90, StorageClass: 'GLACIER' }], Expiration: { Days: 400 } }),
    ]
    expect(doubtsOf(rules)).toEqual([
      { code: 'WholeBucket', path: 'Rules[0]', severity: 'warning' },
      { code: 'NeverHappens', path: 'Rules[1].Transitions', severity: 'warning' },
      { code: 'NeverHappens', path: 'Rules[1].Expiration', severity: 'warning' },
    ])
  })

  it('two rules that move the same objects', () => {
    const move = (ID: string, Days: number) => rule({ ID, Transitions: [{ Days, StorageClass: 'GLACIER' }] })
    expect(doubtsOf([move('a', 10), move('b', 365)])).toEqual([
      { code: 'NeverHappens', path: 'Rules[1].Transitions', severity: 'warning' },
    ])
  })

  it('prefixes that look like paths or patterns, dates, classes that cannot follow', () => {
    expect(doubtsOf([expiring({ Filter: { Prefix: '/logs' } })])).toMatchObject([{ code: 'SuspiciousPrefix' }])
    expect(doubtsOf([expiring({ Filter: { Prefix: 'logs/*' } })])).toMatchObject([{ code: 'SuspiciousPrefix' }])
    expect(doubtsOf([rule({ Expiration: { Date: '2027-01-01' } })])).toMatchObject([{ code: 'DateKeepsActing' }])
    const never = [
      rule({
        Transitions: [
          { Days: 30, StorageClass: 'ONEZONE_IA' },
          { Days: 60, StorageClass: 'GLACIER_IR' },
        ],
      }),
    ]
    expect(doubtsOf(never)).toMatchObject([{ code: 'NoEffect', path: 'Rules[0].Transitions[1].StorageClass' }])
  })

  it('noncurrent actions in a bucket without versions', () => {
    const found = validateLifecycle(
      { Rules: [rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1 } })] },
      { bucket: { versioning: 'unversioned' } },
    )
    expect(found).toMatchObject([{ severity: 'warning', code: 'NoEffect' }])
  })
})
