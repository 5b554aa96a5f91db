// Configurations that AWS takes or rejects, by the rules of s3-lifecycle.md §3a. The validator and the local S3 are held against the same ones.

/** A rule that lacks an action. */
export const rule = (more: Record<string, unknown>): Record<string, unknown> => ({
  ID: 'r',
  Status: 'Enabled',
  Filter: { Prefix: 'test/' },
  ...more,
})
/** A rule that expires. */
export const expiring = (more: Record<string, unknown> = {}) => rule({ Expiration: { Days: 400 }, ...more })

const malformed = 'The XML you provided was not well-formed or did not validate against our published schema'

/** Name of the rule, the rules sent, and the answer: code, text, path. */
export type Case = readonly [name: string, rules: readonly unknown[], code: string, message: string | RegExp, path: string]

/** What AWS rejects. */
export const rejected: readonly Case[] = [
  ['no rules', [], 'MalformedXML', malformed, 'Rules'],
  [
    '1 001 rules',
    Array.from({ length: 1001 }, (_, i) => expiring({ ID: `r${i}`, Filter: { Prefix: `p${i}/` } })),
    'InvalidRequest',
    'The number of lifecycle rules must not exceed the allowed limit of 1000 rules.',
    'Rules',
  ],
  [
    'an id of 256 characters',
    [expiring({ ID: 'x'.repeat(256) })],
    'InvalidArgument',
    'ID length should not exceed allowed limit of 255',
    'Rules[0].ID',
  ],
  [
    'an id twice',
    [expiring(), expiring({ Filter: { Prefix: 'b' } })],
    'InvalidArgument',
    'Rule ID must be unique. Found same ID for more than one rule',
    'Rules[1].ID',
  ],
  ['status "enabled"', [expiring({ Status: 'enabled' })], 'MalformedXML', malformed, 'Rules[0].Status'],
  ['no status', [expiring({ Status: undefined })], 'MalformedXML', malformed, 'Rules[0].Status'],
  ['neither filter nor prefix', [expiring({ Filter: undefined })], 'MalformedXML', malformed, 'Rules[0]'],
  [
    'two predicates in a filter',
    [expiring({ Filter: { Prefix: 'a', ObjectSizeGreaterThan: 1 } })],
    'MalformedXML',
    malformed,
    'Rules[0].Filter',
  ],
  [
    'prefix beside And',
    [expiring({ Filter: { Prefix: 'a', And: { Prefix: 'a', ObjectSizeLessThan: 9 } } })],
    'MalformedXML',
    malformed,
    'Rules[0].Filter',
  ],
  ['And with one predicate', [expiring({ Filter: { And: { Prefix: 'a' } } })], 'MalformedXML', malformed, 'Rules[0].Filter.And'],
  [
    'filter in a configuration of version 1',
    [expiring({ ID: 'a', Filter: undefined, Prefix: 'a/' }), expiring({ ID: 'b' })],
    'InvalidRequest',
    'Filter element can only be used in Lifecycle V2.',
    'Rules[1].Filter',
  ],
  [
    'prefix in a configuration of version 2',
    [expiring({ ID: 'a' }), expiring({ ID: 'b', Filter: undefined, Prefix: 'a/' })],
    'InvalidRequest',
    'Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.',
    'Rules[1].Prefix',
  ],
  [
    'overlapping prefixes in version 1',
    [expiring({ ID: 'a', Filter: undefined, Prefix: '' }), expiring({ ID: 'b', Filter: undefined, Prefix: 'a' })],
    'InvalidRequest',
    "Found overlapping prefixes '' and 'a' for same action type 'Expiration'",
    'Rules[1].Prefix',
  ],
  [
    'newer versions in version 1',
    [rule({ Filter: undefined, Prefix: 'a', NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 1 } })],
    'InvalidRequest',
    'NewerNoncurrentVersions element can only be used in Lifecycle V2.',
    'Rules[0]',
  ],
  [
    'a tag key twice',
    [
      expiring({
        Filter: {
          And: {
            Tags: [
              { Key: 'k', Value: 'a' },
              { Key: 'k', Value: 'b' },
            ],
          },
        },
      }),
    ],
    'InvalidRequest',
    'Duplicate Tag Keys are not allowed.',
    'Rules[0].Filter.And.Tags[1].Key',
  ],
  [
    'sizes that leave nothing over',
    [expiring({ Filter: { And: { ObjectSizeGreaterThan: 500, ObjectSizeLessThan: 500 } } })],
    'InvalidRequest',
    "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
    'Rules[0].Filter.And.ObjectSizeLessThan',
  ],
  [
    'a size below 1',
    [expiring({ Filter: { ObjectSizeLessThan: 0 } })],
    'InvalidRequest',
    "'ObjectSizeLessThan' should be between 1 and 1099511627776000.",
    'Rules[0].Filter.ObjectSizeLessThan',
  ],
  [
    'a prefix over 1 024 bytes',
    [expiring({ Filter: { Prefix: 'ü'.repeat(513) } })],
    'InvalidRequest',
    'The maximum size of a prefix is 1024',
    'Rules[0].Filter.Prefix',
  ],
  ['no action', [rule({})], 'InvalidRequest', 'At least one action needs to be specified in a rule', 'Rules[0]'],
  [
    'expiry after 0 days',
    [rule({ Expiration: { Days: 0 } })],
    'InvalidArgument',
    "'Days' for Expiration action must be a positive integer",
    'Rules[0].Expiration.Days',
  ],
  [
    'marker beside days',
    [rule({ Expiration: { Days: 1, ExpiredObjectDeleteMarker: true } })],
    'MalformedXML',
    malformed,
    'Rules[0].Expiration',
  ],
  [
    'days beside a date',
    [rule({ Expiration: { Days: 1, Date: '2027-01-01' } })],
    'MalformedXML',
    malformed,
    'Rules[0].Expiration',
  ],
  ['an empty expiry', [rule({ Expiration: {} })], 'MalformedXML', malformed, 'Rules[0].Expiration'],
  [
    'a date at 15:00',
    [rule({ Expiration: { Date: '2026-01-01T15:00:00Z' } })],
    'InvalidArgument',
    "'Date' must be at midnight GMT",
    'Rules[0].Expiration.Date',
  ],
  [
    'a date that is none',
    [rule({ Expiration: { Date: 'Fri, 01 Jan 2016 00:00:00 GMT' } })],
    'MalformedXML',
    malformed,
    'Rules[0].Expiration.Date',
  ],
  [
    'days and dates in transitions',
    [
      rule({
        Transitions: [
          { Days: 30, StorageClass: 'GLACIER' },
          { Date: '2026-01-01', StorageClass: 'DEEP_ARCHIVE' },
        ],
      }),
    ],
    'InvalidRequest',
    "Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for filter '(prefix=test/)'",
    'Rules[0].Transitions',
  ],
  [
    'days and dates in transition and expiry',
    [rule({ Transitions: [{ Days: 12, StorageClass: 'DEEP_ARCHIVE' }], Expiration: { Date: '2027-01-03' } })],
    'InvalidRequest',
    "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter '(prefix=test/)'",
    'Rules[0].Expiration',
  ],
  [
    'a transition with days and date',
    [rule({ Transitions: [{ Days: 1, Date: '2026-01-01', StorageClass: 'GLACIER' }] })],
    'MalformedXML',
    malformed,
    'Rules[0].Transitions[0]',
  ],
  [
    'a transition with neither',
    [rule({ Transitions: [{ StorageClass: 'GLACIER' }] })],
    'MalformedXML',
    malformed,
    'Rules[0].Transitions[0]',
  ],
  [
    'a transition to STANDARD',
    [rule({ Transitions: [{ Days: 1, StorageClass: 'STANDARD' }] })],
    'MalformedXML',
    malformed,
    'Rules[0].Transitions[0].StorageClass',
  ],
  [
    'negative days',
    [rule({ Transitions: [{ Days: -1, StorageClass: 'GLACIER' }] })],
    'InvalidArgument',
    "'Days' in Transition action must be nonnegative",
    'Rules[0].Transitions[0].Days',
  ],
  ['days beyond 32 bits', [rule({ Expiration: { Days: 2_147_483_648 } })], 'MalformedXML', malformed, 'Rules[0].Expiration.Days'],
  [
    'a class twice',
    [
      rule({
        Transitions: [
          { Days: 30, StorageClass: 'GLACIER' },
          { Days: 60, StorageClass: 'GLACIER' },
        ],
      }),
    ],
    'InvalidRequest',
    "'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '(prefix=test/)'",
    'Rules[0].Transitions[1].StorageClass',
  ],
  [
    'the colder class earlier',
    [
      rule({
        Transitions: [
          { Days: 90, StorageClass: 'STANDARD_IA' },
          { Days: 60, StorageClass: 'GLACIER' },
        ],
      }),
    ],
    'InvalidArgument',
    /^'Days' in the 'Transition' action for StorageClass 'GLACIER' .* must be greater than 'Days' in the 'Transition' action for StorageClass 'STANDARD_IA'/,
    'Rules[0].Transitions[1].Days',
  ],
  [
    'the expiry not after every transition',
    [rule({ Transitions: [{ Days: 365, StorageClass: 'GLACIER' }], Expiration: { Days: 365 } })],
    'InvalidArgument',
    /^'Days' in the Expiration action for .* must be greater than 'Days' in the Transition action$/,
    'Rules[0].Expiration.Days',
  ],
  [
    'an empty noncurrent expiry',
    [rule({ NoncurrentVersionExpiration: {} })],
    'MalformedXML',
    malformed,
    'Rules[0].NoncurrentVersionExpiration',
  ],
  [
    'noncurrent expiry after 0 days',
    [rule({ NoncurrentVersionExpiration: { NoncurrentDays: 0 } })],
    'InvalidArgument',
    "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
    'Rules[0].NoncurrentVersionExpiration.NoncurrentDays',
  ],
  [
    '101 newer versions',
    [rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 101 } })],
    'InvalidArgument',
    "'NewerNoncurrentVersions' must not exceed 100",
    'Rules[0].NoncurrentVersionExpiration.NewerNoncurrentVersions',
  ],
  [
    'a noncurrent transition without days',
    [rule({ NoncurrentVersionTransitions: [{ StorageClass: 'GLACIER' }] })],
    'MalformedXML',
    malformed,
    'Rules[0].NoncurrentVersionTransitions[0].NoncurrentDays',
  ],
  [
    'a noncurrent transition without class',
    [rule({ NoncurrentVersionTransitions: [{ NoncurrentDays: 1 }] })],
    'MalformedXML',
    malformed,
    'Rules[0].NoncurrentVersionTransitions[0].StorageClass',
  ],
  [
    'abort without days',
    [rule({ AbortIncompleteMultipartUpload: {} })],
    'MalformedXML',
    malformed,
    'Rules[0].AbortIncompleteMultipartUpload',
  ],
  [
    'abort with tags',
    [rule({ Filter: { Tag: { Key: 'k', Value: 'v' } }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } })],
    'InvalidRequest',
    'AbortIncompleteMultipartUpload cannot be specified with Tags.',
    'Rules[0].AbortIncompleteMultipartUpload',
  ],
  [
    'abort with size',
    [rule({ Filter: { ObjectSizeGreaterThan: 1 }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } })],
    'InvalidRequest',
    'AbortIncompleteMultipartUpload cannot be specified with Object Size.',
    'Rules[0].AbortIncompleteMultipartUpload',
  ],
  [
    'marker with tags',
    [
      rule({
        Filter: { And: { Prefix: 'a', Tags: [{ Key: 'k', Value: 'v' }] } },
        Expiration: { ExpiredObjectDeleteMarker: true },
      }),
    ],
    'InvalidRequest',
    'ExpiredObjectDeleteMarker cannot be specified with Tags.',
    'Rules[0].Expiration',
  ],
  [
    'marker with size, even when false',
    [rule({ Filter: { ObjectSizeGreaterThan: 1 }, Expiration: { ExpiredObjectDeleteMarker: false } })],
    'InvalidRequest',
    'ExpiredObjectDeleteMarker cannot be specified with Object Size.',
    'Rules[0].Expiration',
  ],
  [
    'an element that does not exist',
    [expiring({ Filter: undefined, Filters: { Prefix: 'a' } })],
    'MalformedXML',
    /no element Filters/,
    'Rules[0].Filters',
  ],
  ['a filter that is a text', [expiring({ Filter: 'log-' })], 'MalformedXML', malformed, 'Rules[0].Filter'],
]

/** What AWS takes. */
export const accepted: readonly (readonly [name: string, rules: readonly unknown[]])[] = [
  ['an empty filter: the whole bucket', [expiring({ Filter: {} })]],
  ['an empty prefix: the whole bucket', [expiring({ Filter: { Prefix: '' } })]],
  ['version 1', [expiring({ Filter: undefined, Prefix: 'a/' }), expiring({ ID: 'b', Filter: undefined, Prefix: 'b/' })]],
  ['a rule without id', [expiring({ ID: undefined })]],
  ['transition after 0 days', [rule({ Transitions: [{ Days: 0, StorageClass: 'GLACIER' }] })]],
  ['an empty prefix in And', [expiring({ Filter: { And: { Prefix: '', ObjectSizeGreaterThan: 1 } } })]],
  ['only sizes in And', [expiring({ Filter: { And: { ObjectSizeGreaterThan: 500, ObjectSizeLessThan: 64_000 } } })]],
  [
    'transitions in any order',
    [
      rule({
        Transitions: [
          { Days: 90, StorageClass: 'GLACIER' },
          { Days: 30, StorageClass: 'STANDARD_IA' },
        ],
      }),
    ],
  ],
  ['a date in the past', [rule({ Expiration: { Date: new Date('2020-01-01') } })]],
  ['1 000 rules', Array.from({ length: 1000 }, (_, i) => expiring({ ID: `r${i}`, Filter: { Prefix: `p${i}/` } }))],
  ['keys of any UTF-8', [expiring({ Filter: { Prefix: '日本/😀\u0001' } })]],
]
