import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import {
  applyLifecycle,
  defineLifecycle,
  formatPlan,
  keyPrefix,
  type LifecyclePlan,
  type LifecycleRule,
  lifecycleRule,
  planLifecycle,
  wholeBucket,
} from '../src/index'
import { sameRule } from '../src/normal-form'
import { type FakeBucket, fakeS3, s3Error } from './fake-s3'

const aged = (days: number) => new Date(Date.now() - days * 86_400_000)
const MiB = 1024 ** 2

/** As other tools write them. */
const foreign: readonly LifecycleRule[] = [
  { ID: 'tf-s3-lifecycle-20240101', Status: 'Enabled', Filter: {}, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
  {
    ID: 'cdk',
    Status: 'Disabled',
    Filter: {
      And: {
        Prefix: 'b/',
        Tags: [
          { Key: 'z', Value: '1' },
          { Key: 'a', Value: '2' },
        ],
      },
    },
    Expiration: { Date: new Date('2030-01-01') },
  },
  {
    ID: 'console rule',
    Status: 'Enabled',
    Filter: { Prefix: '' },
    NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 500 },
  },
]

const bucket = (more: Partial<FakeBucket> = {}): FakeBucket => ({
  objects: [
    { Key: 'log-a', Size: 2 * MiB, LastModified: aged(40) },
    { Key: 'log-b', Size: 1000, LastModified: aged(40) },
    { Key: 'log-c', Size: MiB, LastModified: aged(400) },
    { Key: 'data ü', Size: MiB, LastModified: aged(400) },
    { Key: 'data-2', Size: MiB, LastModified: aged(1) },
  ],
  ...more,
})

const rules = defineLifecycle([
  lifecycleRule('age-logs', { scope: keyPrefix('log-'), transitions: [{ afterDays: 30, to: 'GLACIER' }], expireAfterDays: 365 }),
])
const verifyFast = { timeout: '5 seconds' } as const

describe('planLifecycle and applyLifecycle', () => {
  it('owns its rules only: three rules of others are identical before and after', async () => {
    const lake = bucket({ lifecycle: { Rules: [...foreign], TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' } })
    const { client } = fakeS3({ lake })
    const plan = await planLifecycle({ bucket: 'lake', rules, client })
    expect(plan.changes).toMatchObject([{ change: 'add', id: 'pipe:age-logs' }])
    expect(plan.foreign).toEqual(foreign.map(({ ID }) => ID))
    await applyLifecycle(plan, { client, maxDelete: 1, ...verifyFast })
    expect(lake.lifecycle!.Rules.slice(0, 3)).toEqual(foreign)
    expect(lake.lifecycle!.Rules[3]).toMatchObject({ ID: 'pipe:age-logs', Expiration: { Days: 365 } })
    // The mode that somebody chose stays.
    expect(lake.lifecycle!.TransitionDefaultMinimumObjectSize).toBe('varies_by_storage_class')

    const again = await planLifecycle({ bucket: 'lake', rules, client })
    expect(again).toMatchObject({ changes: [], minimumSize: undefined, effect: undefined })
    expect(await applyLifecycle(again, { client })).toMatchObject({ outcome: 'unchanged' })

    const changed = defineLifecycle([lifecycleRule('age-logs', { scope: keyPrefix('log-'), expireAfterDays: 800 })])
    const change = await planLifecycle({ bucket: 'lake', rules: changed, client })
    expect(change.changes).toMatchObject([{ change: 'change', id: 'pipe:age-logs', fields: ['Transitions', 'Expiration'] }])
    await applyLifecycle(change, { client, ...verifyFast })

    const none = await planLifecycle({ bucket: 'lake', rules: defineLifecycle([]), client })
    expect(none.changes).toMatchObject([{ change: 'remove', id: 'pipe:age-logs' }])
    await applyLifecycle(none, { client, ...verifyFast })
    expect(lake.lifecycle!.Rules).toEqual(foreign)
  })

  it('counts what the rules do, and stops what deletes more than it may', async () => {
    const lake = bucket()
    const { client, calls } = fakeS3({ lake })
    const plan = await planLifecycle({ bucket: 'lake', rules, client })
    expect(plan.observed).toBeNull()
    expect(plan.effect).toMatchObject({
      scanned: { objects: 5 },
      deletes: { objects: 1 },
      transitions: { objects: 1 },
      tooSmall: { objects: 1 },
    })
    expect(plan.deletes).toEqual({ objects: 1, bytes: MiB })
    await expect(applyLifecycle(plan, { client })).rejects.toMatchObject({
      code: 'PIPE_LIFECYCLE_MAX_DELETE',
      details: { objects: 1 },
    })

    const wipe = defineLifecycle([lifecycleRule('wipe', { scope: wholeBucket(), expireAfterDays: 1 })])
    const whole = await planLifecycle({ bucket: 'lake', rules: wipe, client })
    expect(whole.deletes!.objects).toBe(5)
    await expect(applyLifecycle(whole, { client, maxDelete: 4 })).rejects.toThrow(/would delete 5 objects/)
    expect(calls.some(({ command }) => command.startsWith('PutBucket'))).toBe(false)
    expect(lake.lifecycle).toBeUndefined()

    const uncounted = await planLifecycle({ bucket: 'lake', rules: wipe, client, listing: 'none' })
    await expect(applyLifecycle(uncounted, { client, maxDelete: 1_000_000 })).rejects.toThrow(/nobody counted/)
    await applyLifecycle(uncounted, { client, maxDelete: Number.POSITIVE_INFINITY, ...verifyFast })
    expect(lake.lifecycle!.Rules).toHaveLength(1)
  })

  it('looks ahead, and at versions when the bucket has them', async () => {
    const version = (Key: string, VersionId: string, days: number, IsLatest: boolean, IsDeleteMarker = false) => ({
      Key,
      VersionId,
      Size: IsDeleteMarker ? 0 : MiB,
      LastModified: aged(days),
      IsLatest,
      IsDeleteMarker,
    })
    const lake = bucket({
      versioning: 'Enabled',
      objects: [
        version('a', '3', 20, true, true),
        version('a', '2', 30, false),
        version('a', '1', 40, false),
        version('b', '1', 5, true),
      ],
    })
    const { client } = fakeS3({ lake })
    const noncurrent = defineLifecycle([
      lifecycleRule('n', { scope: wholeBucket(), expireAfterDays: 8, noncurrent: { expireAfterDays: 25 } }),
    ])
    const soon = await planLifecycle({ bucket: 'lake', rules: noncurrent, client, lookAhead: '0 days' })
    expect(soon.effect!.groups.map(({ action, objects }) => `${action} ${objects}`)).toEqual(['delete 1'])
    const later = await planLifecycle({ bucket: 'lake', rules: noncurrent, client, lookAhead: '10 days' })
    expect(later.effect!.groups.map(({ action, objects }) => `${action} ${objects}`)).toEqual(['delete 2', 'add-delete-marker 1'])
    expect(later.deletes!.objects).toBe(3)
  })

  it('refuses when somebody changed the configuration meanwhile', async () => {
    const lake = bucket({ lifecycle: { Rules: [...foreign] } })
    const { client, calls } = fakeS3({ lake })
    const plan = await planLifecycle({ bucket: 'lake', rules, client })
    lake.lifecycle = { Rules: [...foreign, { ID: 'new', Status: 'Enabled', Filter: { Prefix: 'n/' }, Expiration: { Days: 1 } }] }
    await expect(applyLifecycle(plan, { client, maxDelete: 9 })).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_CHANGED' })
    // Order and spelling are no change.
    lake.lifecycle = {
      Rules: [...foreign]
        .reverse()
        .map((rule) => (Object.keys(rule.Filter!).length === 0 ? { ...rule, Filter: { Prefix: '' } } : rule)),
    }
    await applyLifecycle(plan, { client, maxDelete: 9, ...verifyFast })
    expect(calls.filter(({ command }) => command.startsWith('PutBucket'))).toHaveLength(1)
  })

  it('keeps prefixes that something needs from every rule that may touch them', async () => {
    const { client } = fakeS3({ lake: bucket() })
    const guarded = ['log-state/', { prefix: 'data', untilDays: 30 }]
    const refused = async (rule: Parameters<typeof lifecycleRule>[1]) =>
      (
        await planLifecycle({
          bucket: 'lake',
          rules: defineLifecycle([lifecycleRule('r' as string, rule as never)]),
          client,
          protected: guarded,
        })
      ).refused
    expect(await refused({ scope: keyPrefix('log-'), expireAfterDays: 9000 } as never)).toMatchObject([
      { what: 'protected-prefix', rules: ['pipe:r'] },
    ])
    expect(
      await refused({ scope: keyPrefix('log-state/a'), transitions: [{ afterDays: 5, to: 'GLACIER' }] } as never),
    ).toHaveLength(1)
    expect(await refused({ scope: keyPrefix('data-2'), expireAfterDays: 29 } as never)).toHaveLength(1)
    expect(await refused({ scope: keyPrefix('data-2'), expireAfterDays: 30 } as never)).toHaveLength(0)
    expect(await refused({ scope: keyPrefix('log-2026'), expireAfterDays: 1 } as never)).toHaveLength(0)
    expect(await refused({ scope: wholeBucket(), abortUploadsAfterDays: 1 } as never)).toHaveLength(0)
    const plan = await planLifecycle({ bucket: 'lake', rules, client, protected: ['log-state/'] })
    await expect(applyLifecycle(plan, { client, maxDelete: 99 })).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_REFUSED' })
  })

  it('refuses version 1 unless it is converted, and more than 1 000 rules', async () => {
    const old: LifecycleRule = { ID: 'old', Status: 'Enabled', Prefix: 'old/', Expiration: { Days: 9 } }
    const { client } = fakeS3({
      lake: bucket({ lifecycle: { Rules: [old] } }),
      full: bucket({ lifecycle: { Rules: Array.from({ length: 1000 }, (_, i) => ({ ...foreign[0]!, ID: `f${i}` })) } }),
    })
    expect((await planLifecycle({ bucket: 'lake', rules, client })).refused).toMatchObject([
      { what: 'version-1', rules: ['old'] },
    ])
    const converted = await planLifecycle({ bucket: 'lake', rules, client, convertV1: true })
    expect(converted.refused).toEqual([])
    expect(converted.desired.Rules[0]).toEqual({
      ID: 'old',
      Status: 'Enabled',
      Filter: { Prefix: 'old/' },
      Expiration: { Days: 9 },
    })
    expect((await planLifecycle({ bucket: 'full', rules, client })).refused).toMatchObject([{ what: 'too-many-rules' }])
  })

  it('refuses transitions that cost more than they save, with the figures, unless that is accepted', async () => {
    // 200 KiB need 12 months and more to pay a move to GLACIER back; they are kept for 9.
    const objects = Array.from({ length: 1000 }, (_, i) => ({ Key: `log-${i}`, Size: 200 * 1024, LastModified: aged(1) }))
    const { client } = fakeS3({ lake: bucket({ objects }) })
    const costly = defineLifecycle([
      lifecycleRule('r', {
        scope: keyPrefix('log-'),
        transitions: [{ afterDays: 30, to: 'DEEP_ARCHIVE' }],
        expireAfterDays: 120,
      }),
    ])
    const plan = await planLifecycle({ bucket: 'lake', rules: costly, client })
    expect(plan.refused).toMatchObject([{ what: 'costs-more', rules: ['pipe:r'] }])
    expect(plan.cost!.total).toBeGreaterThan(plan.cost!.withoutTransitions)
    expect(formatPlan(plan)).toMatch(
      /Over 12 months the objects cost 0\.\d\d USD with the transitions and 0\.\d\d USD without them/,
    )
    await expect(applyLifecycle(plan, { client })).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_REFUSED' })
    expect((await planLifecycle({ bucket: 'lake', rules: costly, client, acceptCost: true })).refused).toEqual([])
    // The rules of others are not this plan's business.
    const foreignMove: LifecycleRule = { ...costly.Rules[0]!, ID: 'other' }
    const other = fakeS3({ lake: bucket({ objects, lifecycle: { Rules: [foreignMove] } }) })
    const expiring = defineLifecycle([lifecycleRule('e', { scope: keyPrefix('log-'), expireAfterDays: 400 })])
    expect(await planLifecycle({ bucket: 'lake', rules: expiring, client: other.client })).toMatchObject({
      cost: undefined,
      refused: [],
    })
  })

  it('shows a change of the minimum size with the objects that it concerns', async () => {
    const { client } = fakeS3({ lake: bucket() })
    const varies = defineLifecycle([...rules.Rules], { minimumSize: 'varies_by_storage_class' })
    const plan = await planLifecycle({ bucket: 'lake', rules: varies, client })
    expect(plan.minimumSize).toEqual({
      before: 'all_storage_classes_128K',
      after: 'varies_by_storage_class',
      affected: { objects: 1, bytes: 1000 },
    })
    const text = formatPlan(plan)
    expect(text).toContain(
      '~ minimum size all_storage_classes_128K → varies_by_storage_class: 1 object (1000 B) move only in one of the two',
    )
    expect(text).toContain('+ pipe:age-logs: "log-": GLACIER after 30 days, delete after 365 days')
    expect(text).toMatch(
      /move to GLACIER: 2 objects, 2 MiB, by pipe:age-logs, first log-a on \d{4}-\d\d-\d\d, below \(no folder\)/,
    )
  })

  it('no configuration (404), no permission (403) and no bucket are three things', async () => {
    const { client } = fakeS3({ lake: bucket() })
    expect((await planLifecycle({ bucket: 'lake', rules, client })).observed).toBeNull()
    await expect(planLifecycle({ bucket: 'none', rules, client })).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_BUCKET' })
    const text =
      'User: arn:aws:iam::1:user/anna is not authorized to perform: s3:GetLifecycleConfiguration on resource: "arn:aws:s3:::lake"'
    const denied = fakeS3({ lake: bucket() }, (command) => {
      if (command.startsWith('GetBucketLifecycle')) throw s3Error('AccessDenied', 403, text)
    })
    await expect(planLifecycle({ bucket: 'lake', rules, client: denied.client })).rejects.toMatchObject({
      code: 'PIPE_IAM_DENIED',
      details: { action: 's3:GetLifecycleConfiguration', principal: 'anna', resource: 'arn:aws:s3:::lake' },
    })
    const plan = await planLifecycle({ bucket: 'lake', rules, client })
    const mayNotPut = fakeS3({ lake: bucket() }, (command) => {
      if (command.startsWith('PutBucket')) throw s3Error('AccessDenied', 403)
    })
    await expect(applyLifecycle(plan, { client: mayNotPut.client, maxDelete: 9 })).rejects.toMatchObject({
      code: 'PIPE_IAM_DENIED',
      details: { action: 's3:PutLifecycleConfiguration' },
    })
  })

  it('waits until S3 shows the rules in several reads in a row, with bounded patience', async () => {
    const lake = bucket()
    const shown = [true, false, true, true, false, true, true, true]
    let reads = -1
    const { client } = fakeS3({ lake }, (command) => {
      // The first read is the check before the PUT.
      if (!command.startsWith('GetBucketLifecycle') || reads++ < 0) return
      if (shown[reads - 1] === false) throw s3Error('NoSuchLifecycleConfiguration', 404)
    })
    const plan = await planLifecycle({ bucket: 'lake', rules, client: fakeS3({ lake }).client })
    const seen: number[] = []
    await applyLifecycle(plan, {
      client,
      maxDelete: 9,
      timeout: '60 seconds',
      onProgress: ({ phase, done }) => phase === 'verify' && seen.push(done),
    })
    expect(seen).toEqual([1, 0, 1, 2, 0, 1, 2, 3])

    const blind = bucket()
    const never = fakeS3({ lake: blind }, (command) => {
      if (command.startsWith('GetBucketLifecycle') && blind.lifecycle !== undefined)
        throw s3Error('NoSuchLifecycleConfiguration', 404)
    })
    await expect(applyLifecycle(plan, { client: never.client, maxDelete: 9, timeout: '100 ms' })).rejects.toMatchObject({
      code: 'PIPE_LIFECYCLE_UNVERIFIED',
      retryable: true,
    })
  })

  it('tries again when it is throttled, and stops on a signal', async () => {
    let left = 2
    const { client } = fakeS3({ lake: bucket() }, (command) => {
      if (command.startsWith('GetBucketLifecycle') && left-- > 0) throw s3Error('SlowDown', 503)
    })
    expect((await planLifecycle({ bucket: 'lake', rules, client })).changes).toHaveLength(1)
    const reason = new Error('stopped')
    await expect(planLifecycle({ bucket: 'lake', rules, client, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('a plan may be kept as JSON', async () => {
    const lake = bucket()
    const { client } = fakeS3({ lake })
    const dated = defineLifecycle([lifecycleRule('d', { scope: keyPrefix('x/'), expireOn: '2030-01-01' })])
    const plan = JSON.parse(JSON.stringify(await planLifecycle({ bucket: 'lake', rules: dated, client }))) as LifecyclePlan
    await applyLifecycle(plan, { client, ...verifyFast })
    expect(lake.lifecycle!.Rules[0]!.Expiration).toEqual({ Date: new Date('2030-01-01') })
  })

  it('a client that is none, a bucket name that is none, an owner that is none', async () => {
    await expect(planLifecycle({ bucket: 'lake', rules, client: {} as never })).rejects.toThrow(/no client/)
    await expect(planLifecycle({ bucket: 's3://lake', rules })).rejects.toThrow(/cannot name a bucket/)
    await expect(planLifecycle({ bucket: 'lake', rules, owner: 'a:b' })).rejects.toThrow(/cannot be an owner/)
    await expect(applyLifecycle({} as never)).rejects.toThrow(/takes a plan/)
  })
})

describe('on the wire', () => {
  it.each(['<Filter/>', '<Filter></Filter>', '<Filter><Prefix/></Filter>', '<Filter><Prefix></Prefix></Filter>'])(
    'a foreign rule with %s keeps its scope through the client',
    async (filter) => {
      let stored = `<LifecycleConfiguration><Rule><ID>other</ID>${filter}<Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>`
      let mode: string | undefined
      const server = createServer((request, response) => {
        const parts: Buffer[] = []
        request.on('data', (part: Buffer) => parts.push(part))
        request.on('end', () => {
          if (request.method === 'PUT') {
            stored = Buffer.concat(parts).toString()
            mode = request.headers['x-amz-transition-default-minimum-object-size'] as string
          }
          response.setHeader('content-type', 'application/xml')
          response.end(
            request.method === 'GET' ? `<?xml version="1.0" encoding="UTF-8"?>${stored.replace(/^<\?xml[^>]*>/, '')}` : '',
          )
        })
      }).listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      const client = new S3Client({
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      })
      try {
        const plan = await planLifecycle({ bucket: 'lake', rules, client, listing: 'none' })
        await applyLifecycle(plan, { client, maxDelete: Number.POSITIVE_INFINITY, ...verifyFast })
        expect(mode).toBe('all_storage_classes_128K')
        expect(stored).toMatch(/<ID>other<\/ID>/)
        const other = /<Rule>(?:(?!<\/Rule>).)*<ID>other<\/ID>(?:(?!<\/Rule>).)*<\/Rule>/s.exec(stored)![0]
        expect(other).toMatch(
          /<Filter\s*\/>|<Filter><\/Filter>|<Filter><Prefix\s*\/><\/Filter>|<Filter><Prefix><\/Prefix><\/Filter>/,
        )
      } finally {
        client.destroy()
        server.close()
      }
    },
  )
})

describe('sameRule', () => {
  const base: LifecycleRule = {
    ID: 'a',
    Status: 'Enabled',
    Filter: {},
    Transitions: [
      { Days: 30, StorageClass: 'STANDARD_IA' },
      { Days: 60, StorageClass: 'GLACIER' },
    ],
  }
  it('passes over order, empty filters, dates as text and absent fields', () => {
    expect(sameRule(base, { ...base, Filter: { Prefix: '' } })).toBe(true)
    expect(sameRule(base, { ...base, Filter: { Prefix: undefined } })).toBe(true)
    expect(sameRule(base, { ...base, Transitions: [...base.Transitions!].reverse(), Expiration: undefined })).toBe(true)
    const dated = (at: unknown) => ({ ...base, Expiration: { Date: at as Date } })
    expect(sameRule(dated(new Date('2030-01-01')), dated('2030-01-01T00:00:00.000Z'))).toBe(true)
    expect(sameRule(base, { ...base, Filter: { Prefix: 'a' } })).toBe(false)
    expect(sameRule(base, { ...base, Status: 'Disabled' })).toBe(false)
    expect(sameRule(base, { ...base, Prefix: '', Filter: undefined })).toBe(false)
  })
})
