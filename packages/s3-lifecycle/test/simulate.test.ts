import { describe, expect, it } from 'vitest'
import {
  expirationHeader,
  type LifecycleConfiguration,
  type LifecycleRule,
  type SimulateOptions,
  type StoredObject,
  simulateLifecycle,
  simulateUploads,
} from '../src/index'

const day = 86_400_000
const MiB = 1024 ** 2
const rule = (ID: string, more: Partial<LifecycleRule>): LifecycleRule => ({
  ID,
  Status: 'Enabled',
  Filter: { Prefix: '' },
  ...more,
})
const of = (...Rules: LifecycleRule[]): LifecycleConfiguration => ({ Rules })
const object = (lastModified: string, more: Partial<StoredObject> = {}): StoredObject => ({
  key: 'logs/a',
  sizeBytes: MiB,
  lastModified: new Date(lastModified),
  ...more,
})

/** Events of one key in short: `2014-01-19 transition GLACIER Rule 1`, with the version when there are several. */
function run(
  configuration: LifecycleConfiguration,
  objects: readonly StoredObject[],
  options: Partial<SimulateOptions> = {},
): { events: string[]; left: string[]; stays: string[] } {
  const first = Math.min(...objects.map(({ lastModified }) => lastModified.getTime()))
  const from = options.from ?? new Date(first)
  const to = options.to ?? new Date(first + 5000 * day)
  const [outcome] = [...simulateLifecycle(configuration, objects, { from, to, versioning: options.versioning })]
  const isVersioned = options.versioning !== undefined
  return {
    events: outcome!.events.map(
      ({ date, action, to: target, rule: id, versionId }) =>
        `${date.toISOString().replace(/T00:00:00.000Z/, '')} ${action}${target ? ` ${target}` : ''} ${id}${isVersioned ? ` ${versionId}` : ''}`,
    ),
    left: outcome!.versions.map((v) => `${isVersioned ? `${v.versionId} ` : ''}${v.isDeleteMarker ? 'marker' : v.storageClass}`),
    stays: outcome!.stays.map(({ reason, rule: id }) => `${reason} ${id}`),
  }
}

describe("the user guide's due times", () => {
  it('created 2014-01-15 10:30, 3 days: 2014-01-19 00:00', () => {
    const rules = of(rule('r', { Transitions: [{ Days: 3, StorageClass: 'GLACIER' }] }))
    expect(run(rules, [object('2014-01-15T10:30:00Z')]).events).toEqual(['2014-01-19 transition GLACIER r'])
  })

  it('days 0: the next midnight', () => {
    const rules = of(rule('r', { Transitions: [{ Days: 0, StorageClass: 'GLACIER' }] }))
    expect(run(rules, [object('2014-01-15T10:30:00Z')]).events).toEqual(['2014-01-16 transition GLACIER r'])
  })

  it('deleted 2014-01-02 11:30, 5 days: 2014-01-08 00:00', () => {
    const rules = of(rule('r', { NoncurrentVersionExpiration: { NoncurrentDays: 5 } }))
    const versions = [
      object('2014-01-02T11:30:00Z', { versionId: '4857693', isDeleteMarker: true, sizeBytes: 0 }),
      object('2014-01-01T10:30:00Z', { versionId: '111111' }),
    ]
    const { events, left } = run(rules, versions, { versioning: 'enabled' })
    expect(events).toEqual(['2014-01-08 delete r 111111'])
    expect(left).toEqual(['4857693 marker'])
  })

  it('replaced 2014-01-15 10:30, 3 days noncurrent: 2014-01-19 00:00', () => {
    const rules = of(rule('r', { NoncurrentVersionTransitions: [{ NoncurrentDays: 3, StorageClass: 'GLACIER' }] }))
    const versions = [object('2014-01-15T10:30:00Z', { versionId: 'b' }), object('2014-01-01T10:30:00Z', { versionId: 'a' })]
    expect(run(rules, versions, { versioning: 'enabled' }).events).toEqual(['2014-01-19 transition GLACIER r a'])
  })

  it('a base exactly at midnight: its own day counts', () => {
    const rules = of(rule('r', { Expiration: { Days: 1 } }))
    expect(run(rules, [object('2014-01-15T00:00:00Z')]).events).toEqual(['2014-01-17 delete r'])
    expect(run(rules, [object('2014-01-14T23:59:59.999Z')]).events).toEqual(['2014-01-16 delete r'])
  })

  it('a date that has passed acts at once, and goes on acting on later objects', () => {
    const rules = of(rule('r', { Expiration: { Date: new Date('2020-01-01') } }))
    const from = new Date('2026-03-01T12:00:00Z')
    expect(run(rules, [object('2019-01-01T10:00:00Z')], { from }).events).toEqual(['2026-03-02 delete r'])
    expect(run(rules, [object('2026-03-05T10:00:00Z')], { from }).events).toEqual(['2026-03-06 delete r'])
    const later = of(rule('r', { Expiration: { Date: new Date('2026-04-01') } }))
    expect(run(later, [object('2026-03-05T10:00:00Z')], { from }).events).toEqual(['2026-04-01 delete r'])
  })

  it('what was due before the rules were in force carries when it was due', () => {
    const rules = of(rule('r', { Expiration: { Days: 10 } }))
    const options = { from: new Date('2026-03-01T00:00:00Z'), to: new Date('2026-04-01T00:00:00Z') }
    const [outcome] = [...simulateLifecycle(rules, [object('2026-01-01T10:00:00Z')], options)]
    expect(outcome!.events[0]).toMatchObject({
      date: new Date('2026-03-01T00:00:00Z'),
      dueAt: new Date('2026-01-12T00:00:00Z'),
      why: expect.stringContaining('due 48 days before'),
    })
  })

  it('the last midnight is the one before `to`', () => {
    const rules = of(rule('r', { Expiration: { Days: 3 } }))
    const written = [object('2014-01-15T10:30:00Z')]
    expect(run(rules, written, { to: new Date('2014-01-19T00:00:00Z') }).events).toEqual([])
    expect(run(rules, written, { to: new Date('2014-01-19T00:00:00.001Z') }).events).toEqual(['2014-01-19 delete r'])
  })
})

describe("the user guide's examples of conflicts", () => {
  const written = object('2026-01-01T10:00:00Z')

  it('1: overlapping prefixes, no conflict', () => {
    const rules = of(
      rule('Rule 1', { Filter: {}, Expiration: { Days: 365 } }),
      rule('Rule 2', { Filter: { Prefix: 'logs/' }, Transitions: [{ Days: 30, StorageClass: 'STANDARD_IA' }] }),
    )
    expect(run(rules, [written]).events).toEqual(['2026-02-01 transition STANDARD_IA Rule 2', '2027-01-02 delete Rule 1'])
    expect(run(rules, [{ ...written, key: 'other' }]).events).toEqual(['2027-01-02 delete Rule 1'])
  })

  it('2: expiry and transition on one day: the expiry', () => {
    const rules = of(
      rule('Rule 1', { Filter: { Prefix: 'logs/' }, Expiration: { Days: 365 } }),
      rule('Rule 2', { Filter: { Prefix: 'logs/' }, Transitions: [{ Days: 365, StorageClass: 'STANDARD_IA' }] }),
    )
    expect(run(rules, [written]).events).toEqual(['2027-01-02 delete Rule 1'])
  })

  it('3: two transitions to one class: the earlier', () => {
    const rules = of(
      rule('Rule 1', { Transitions: [{ Days: 10, StorageClass: 'STANDARD_IA' }] }),
      rule('Rule 2', { Filter: { Prefix: 'logs/' }, Transitions: [{ Days: 365, StorageClass: 'STANDARD_IA' }] }),
    )
    expect(run(rules, [written]).events).toEqual(['2026-01-12 transition STANDARD_IA Rule 1'])
  })

  it('4: two tags, one moves, one expires earlier', () => {
    const rules = of(
      rule('Rule 1', {
        Filter: { Tag: { Key: 'tag1', Value: 'value1' } },
        Transitions: [{ Days: 365, StorageClass: 'GLACIER' }],
      }),
      rule('Rule 2', { Filter: { Tag: { Key: 'tag2', Value: 'value2' } }, Expiration: { Days: 14 } }),
    )
    const tags = { tag1: 'value1', tag2: 'value2' }
    expect(run(rules, [{ ...written, tags }]).events).toEqual(['2026-01-16 delete Rule 2'])
    expect(run(rules, [{ ...written, tags: { tag1: 'value1' } }]).events).toEqual(['2027-01-02 transition GLACIER Rule 1'])
    expect(run(rules, [{ ...written, tags: { tag1: 'other' } }]).events).toEqual([])
  })

  it('transitions on one day: archives, then INTELLIGENT_TIERING, then the cheaper class; the reason names what lost', () => {
    const all = ['STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR', 'INTELLIGENT_TIERING', 'GLACIER', 'DEEP_ARCHIVE'] as const
    const move = (StorageClass: (typeof all)[number]) => rule(StorageClass, { Transitions: [{ Days: 40, StorageClass }] })
    const chosen = (classes: readonly (typeof all)[number][]) => run(of(...classes.map(move)), [written]).events[0]!.split(' ')[2]
    expect(chosen(all)).toBe('DEEP_ARCHIVE')
    expect(chosen(all.slice(0, 5))).toBe('GLACIER')
    expect(chosen(all.slice(0, 4))).toBe('INTELLIGENT_TIERING')
    expect(chosen(all.slice(0, 3))).toBe('GLACIER_IR')
    expect(chosen(all.slice(0, 2))).toBe('ONEZONE_IA')
    const options = { from: written.lastModified, to: new Date('2027-01-01') }
    const [outcome] = [...simulateLifecycle(of(move('STANDARD_IA'), move('GLACIER')), [written], options)]
    expect(outcome!.events[0]!.why).toContain('goes before transition to STANDARD_IA of "STANDARD_IA"')
  })

  it('in a versioned bucket a transition goes before the delete marker, which follows the day after', () => {
    const rules = of(
      rule('expire', { Expiration: { Days: 30 } }),
      rule('move', { Transitions: [{ Days: 30, StorageClass: 'GLACIER' }] }),
    )
    const { events, left } = run(rules, [{ ...written, versionId: 'v1' }], { versioning: 'enabled', to: new Date('2026-03-01') })
    expect(events).toEqual(['2026-02-01 transition GLACIER move v1', '2026-02-02 add-delete-marker expire v1'])
    expect(left).toEqual(['marker-2026-02-02 marker', 'v1 GLACIER'])
  })
})

describe('classes and sizes', () => {
  const tiers = rule('tiers', {
    Transitions: [
      { Days: 30, StorageClass: 'STANDARD_IA' },
      { Days: 90, StorageClass: 'GLACIER' },
    ],
    Expiration: { Days: 365 },
  })

  it("tiering down (the guide's example 3)", () => {
    expect(run(of(tiers), [object('2026-01-01T10:00:00Z')]).events).toEqual([
      '2026-02-01 transition STANDARD_IA tiers',
      '2026-04-02 transition GLACIER tiers',
      '2027-01-02 delete tiers',
    ])
  })

  it('never up, never to a class that the waterfall does not allow', () => {
    const back = of(rule('r', { Transitions: [{ Days: 1, StorageClass: 'STANDARD_IA' }] }))
    expect(run(back, [object('2026-01-01T10:00:00Z', { storageClass: 'GLACIER' })]).events).toEqual([])
    const sideways = of(rule('r', { Transitions: [{ Days: 1, StorageClass: 'GLACIER_IR' }] }))
    const { events, stays } = run(sideways, [object('2026-01-01T10:00:00Z', { storageClass: 'ONEZONE_IA' })])
    expect(events).toEqual([])
    expect(stays).toEqual(['class r'])
  })

  it('below 131,072 B nothing moves by default', () => {
    const small = object('2026-01-01T10:00:00Z', { sizeBytes: 131_071 })
    const { events, stays } = run(of(tiers), [small], { to: new Date('2026-12-01') })
    expect(events).toEqual([])
    expect(stays).toEqual(['too-small tiers', 'too-small tiers'])
    expect(run(of(tiers), [{ ...small, sizeBytes: 131_072 }]).events[0]).toBe('2026-02-01 transition STANDARD_IA tiers')
    const [outcome] = [...simulateLifecycle(of(tiers), [small], { from: small.lastModified, to: new Date('2026-12-01') })]
    expect(outcome!.stays[0]!.why).toContain(
      'stays in STANDARD and does not move to STANDARD_IA: 131071 B is less than 131,072 B',
    )
  })

  it('varies_by_storage_class: small objects go to the archives only', () => {
    const varies: LifecycleConfiguration = { Rules: [tiers], TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' }
    const { events, stays } = run(varies, [object('2026-01-01T10:00:00Z', { sizeBytes: 500 })], { to: new Date('2026-12-01') })
    expect(events).toEqual(['2026-04-02 transition GLACIER tiers'])
    expect(stays).toEqual([])
  })

  it('any size filter on the rule switches the default off', () => {
    const filters = [
      { ObjectSizeGreaterThan: 0 },
      { ObjectSizeLessThan: 1_000_000 },
      { And: { Prefix: 'logs/', ObjectSizeGreaterThan: 10 } },
    ]
    for (const Filter of filters) {
      const { events } = run(of({ ...tiers, Filter }), [object('2026-01-01T10:00:00Z', { sizeBytes: 500 })])
      expect(events).toHaveLength(3)
    }
  })

  it('sizes are exclusive', () => {
    const between = of(
      rule('r', { Filter: { And: { ObjectSizeGreaterThan: 500, ObjectSizeLessThan: 64_000 } }, Expiration: { Days: 1 } }),
    )
    const acted = [500, 501, 63_999, 64_000].map(
      (sizeBytes) => run(between, [object('2026-01-01T10:00:00Z', { sizeBytes })]).events.length,
    )
    expect(acted).toEqual([0, 1, 1, 0])
  })

  it('disabled rules do nothing', () => {
    expect(run(of({ ...tiers, Status: 'Disabled' }), [object('2026-01-01T10:00:00Z')]).events).toEqual([])
  })
})

describe('versions', () => {
  const enabled = { versioning: 'enabled' } as const

  it('an expiry adds a delete marker of that midnight; noncurrent days count from it; the lone marker goes by its own age', () => {
    // The guide says "60 + 30 = 90 days"; by its own rounding rule the days are 61 and 31.
    const rules = of(
      rule('r', {
        Expiration: { Days: 60 },
        NoncurrentVersionExpiration: { NoncurrentDays: 30, NewerNoncurrentVersions: undefined },
      }),
    )
    const { events, left } = run(rules, [object('2026-01-01T10:30:00Z', { versionId: 'v1' })], enabled)
    expect(events).toEqual([
      '2026-03-03 add-delete-marker r v1',
      '2026-04-03 delete r v1',
      '2026-05-03 remove-delete-marker r marker-2026-03-03',
    ])
    expect(left).toEqual([])
  })

  it('ExpiredObjectDeleteMarker removes a marker as soon as it is alone', () => {
    const rules = of(
      rule('r', { Expiration: { ExpiredObjectDeleteMarker: true }, NoncurrentVersionExpiration: { NoncurrentDays: 30 } }),
    )
    const versions = [
      object('2026-01-10T10:00:00Z', { versionId: 'm', isDeleteMarker: true, sizeBytes: 0 }),
      object('2026-01-01T10:00:00Z', { versionId: 'v1' }),
    ]
    expect(run(rules, versions, enabled).events).toEqual(['2026-02-10 delete r v1', '2026-02-11 remove-delete-marker r m'])
  })

  it('a marker over older versions is left alone by an expiry', () => {
    const rules = of(rule('r', { Expiration: { Days: 1 } }))
    const versions = [
      object('2026-01-10T10:00:00Z', { versionId: 'm', isDeleteMarker: true, sizeBytes: 0 }),
      object('2026-01-01T10:00:00Z', { versionId: 'v1' }),
    ]
    expect(run(rules, versions, enabled)).toMatchObject({ events: [], left: ['m marker', 'v1 STANDARD'] })
  })

  it('days and newer versions must both be exceeded; noncurrent markers do not count but go', () => {
    const rules = of(rule('r', { NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } }))
    const versions = [
      object('2026-01-09T10:00:00Z', { versionId: 'current' }),
      object('2026-01-08T10:00:00Z', { versionId: 'n1' }),
      object('2026-01-07T10:00:00Z', { versionId: 'm', isDeleteMarker: true, sizeBytes: 0 }),
      object('2026-01-06T10:00:00Z', { versionId: 'n2' }),
      object('2026-01-05T10:00:00Z', { versionId: 'n3' }),
      object('2026-01-04T10:00:00Z', { versionId: 'n4' }),
    ]
    const { events, left, stays } = run(rules, versions, { ...enabled, from: new Date('2026-01-09T11:00:00Z') })
    expect(events).toEqual(['2026-01-10 delete r n3', '2026-01-10 delete r n4'])
    expect(left).toEqual(['current STANDARD', 'n1 STANDARD', 'm marker', 'n2 STANDARD'])
    expect(stays).toEqual(['kept-newest r', 'kept-newest r', 'kept-newest r'])
  })

  it("the guide's example 6: current and noncurrent versions by their own clocks", () => {
    const rules = of(
      rule('sample-rule', {
        Transitions: [{ Days: 90, StorageClass: 'STANDARD_IA' }],
        NoncurrentVersionTransitions: [{ NoncurrentDays: 30, StorageClass: 'GLACIER' }],
        NoncurrentVersionExpiration: { NoncurrentDays: 365 },
      }),
    )
    const versions = [object('2026-02-01T10:00:00Z', { versionId: 'b' }), object('2026-01-01T10:00:00Z', { versionId: 'a' })]
    expect(run(rules, versions, enabled).events).toEqual([
      '2026-03-04 transition GLACIER sample-rule a',
      '2026-05-03 transition STANDARD_IA sample-rule b',
      '2027-02-02 delete sample-rule a',
    ])
  })

  it('a version stays noncurrent since the same moment when its successor is deleted', () => {
    const rules = of(
      rule('small', { Filter: { ObjectSizeLessThan: 10 }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }),
      rule('large', { Filter: { ObjectSizeGreaterThan: 10 }, NoncurrentVersionExpiration: { NoncurrentDays: 30 } }),
    )
    const versions = [
      object('2026-01-20T10:00:00Z', { versionId: 'c' }),
      object('2026-01-10T10:00:00Z', { versionId: 'b', sizeBytes: 5 }),
      object('2026-01-01T10:00:00Z', { versionId: 'a' }),
    ]
    expect(run(rules, versions, enabled).events).toEqual(['2026-01-22 delete small b', '2026-02-10 delete large a'])
  })

  it('suspended: the null marker replaces the null version', () => {
    const rules = of(rule('r', { Expiration: { Days: 1 } }))
    const suspended = { versioning: 'suspended', to: new Date('2026-01-06') } as const
    const nullCurrent = [
      object('2026-01-03T10:00:00Z', { versionId: 'null' }),
      object('2026-01-01T10:00:00Z', { versionId: 'v1' }),
    ]
    expect(run(rules, nullCurrent, suspended)).toMatchObject({
      events: ['2026-01-05 delete r null'],
      left: ['null marker', 'v1 STANDARD'],
    })
    const nullBelow = [object('2026-01-03T10:00:00Z', { versionId: 'v2' }), object('2026-01-01T10:00:00Z', { versionId: 'null' })]
    expect(run(rules, nullBelow, suspended)).toMatchObject({
      events: ['2026-01-05 add-delete-marker r v2', '2026-01-05 delete r null'],
      left: ['null marker', 'v2 STANDARD'],
    })
  })

  it('noncurrent actions have no effect without versions', () => {
    const rules = of(rule('r', { NoncurrentVersionExpiration: { NoncurrentDays: 1 } }))
    expect(run(rules, [object('2026-01-01T10:00:00Z')]).events).toEqual([])
  })

  it('refuses versions that are not newest first, and versions in a bucket without', () => {
    const versions = [object('2026-01-01T10:00:00Z', { versionId: 'a' }), object('2026-01-02T10:00:00Z', { versionId: 'b' })]
    expect(() => run(of(), versions, enabled)).toThrow(/not newest first/)
    expect(() => run(of(), versions)).toThrow(/is said to have none/)
    expect(() => run(of(), [object('2026-01-01T10:00:00Z', { sizeBytes: -1 })])).toThrow(/is no object/)
    expect(() => run(of(), [object('no date')], { from: new Date(0), to: new Date(day) })).toThrow(/is no object/)
  })
})

describe('what holds lifecycle back', () => {
  const rules = of(rule('r', { Transitions: [{ Days: 1, StorageClass: 'GLACIER' }], Expiration: { Days: 9 } }))

  it('replication PENDING or FAILED: neither moved nor deleted', () => {
    for (const [replicationStatus, reason] of [
      ['PENDING', 'replication-pending'],
      ['FAILED', 'replication-failed'],
    ] as const) {
      const found = run(rules, [object('2026-01-01T10:00:00Z', { replicationStatus })])
      expect(found).toEqual({ events: [], left: ['STANDARD'], stays: [`${reason} r`] })
    }
    for (const replicationStatus of ['COMPLETED', 'REPLICA'] as const)
      expect(run(rules, [object('2026-01-01T10:00:00Z', { replicationStatus })]).events).toHaveLength(2)
  })

  it('Object Lock: noncurrent versions are kept until it ends, current ones get their marker', () => {
    const noncurrent = of(rule('r', { Expiration: { Days: 1 }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }))
    const locked = object('2026-01-01T10:00:00Z', { versionId: 'v1', lockedUntil: new Date('2026-02-01T10:00:00Z') })
    expect(run(noncurrent, [locked], { versioning: 'enabled', to: new Date('2026-02-03') }).events).toEqual([
      '2026-01-03 add-delete-marker r v1',
      '2026-02-02 delete r v1',
    ])
    const held = { ...locked, lockedUntil: undefined, hasLegalHold: true }
    expect(run(noncurrent, [held], { versioning: 'enabled' })).toMatchObject({
      left: ['marker-2026-01-03 marker', 'v1 STANDARD'],
      stays: ['locked r'],
    })
  })
})

describe('uploads', () => {
  it('are aborted by the earliest rule whose prefix matches', () => {
    const rules = of(
      rule('all', { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }),
      rule('logs', { Filter: { Prefix: 'logs/' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
    )
    const upload = (key: string) => ({ key, uploadId: 'u', initiated: new Date('2026-01-01T10:00:00Z') })
    const options = { from: new Date('2026-01-01'), to: new Date('2026-02-01') }
    const outcomes = [...simulateUploads(rules, [upload('logs/a'), upload('b')], options)]
    expect(outcomes.map(({ abortedAt, rule: id }) => [abortedAt?.toISOString().slice(0, 10), id])).toEqual([
      ['2026-01-03', 'logs'],
      ['2026-01-09', 'all'],
    ])
    expect([...simulateUploads(rules, [upload('b')], { ...options, to: new Date('2026-01-09') })][0]!.abortedAt).toBeUndefined()
  })
})

describe('x-amz-expiration', () => {
  const written = object('2012-12-21T10:00:00Z')

  it('is the text that S3 sends', () => {
    const rules = of(rule('picture-deletion-rule', { Expiration: { Days: 1 } }))
    expect(expirationHeader(rules, written)).toBe('expiry-date="Sun, 23 Dec 2012 00:00:00 GMT", rule-id="picture-deletion-rule"')
    expect(expirationHeader(of(rule('Delete after 14 days', { Expiration: { Days: 14 } })), written)).toContain(
      'rule-id="Delete after 14 days"',
    )
  })

  it('names the earliest, of equals the first', () => {
    const rules = of(
      rule('later', { Expiration: { Days: 9 } }),
      rule('first', { Expiration: { Days: 7 } }),
      rule('longer', { Filter: { Prefix: 'logs/' }, Expiration: { Days: 7 } }),
    )
    expect(expirationHeader(rules, written)).toContain('rule-id="first"')
  })

  it('is not sent without an expiry by days or date, for noncurrent versions, for markers, for what no rule matches', () => {
    const rules = of(rule('r', { Expiration: { Days: 1 } }))
    expect(expirationHeader(of(rule('m', { Expiration: { ExpiredObjectDeleteMarker: true } })), written)).toBeUndefined()
    expect(expirationHeader(of(rule('t', { Transitions: [{ Days: 1, StorageClass: 'GLACIER' }] })), written)).toBeUndefined()
    expect(expirationHeader(rules, { ...written, isLatest: false })).toBeUndefined()
    expect(expirationHeader(rules, { ...written, isDeleteMarker: true })).toBeUndefined()
    expect(expirationHeader(of(rule('r', { Filter: { Prefix: 'x' }, Expiration: { Days: 1 } })), written)).toBeUndefined()
    expect(expirationHeader(of(rule('off', { Status: 'Disabled', Expiration: { Days: 1 } })), written)).toBeUndefined()
  })
})
