// What the other tests say of a fake, once against an S3 that acts: the local one, on its clock.
import {
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3'
import { parseArgs } from 'citty'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Arguments, refuseUnknown } from '../../src/cli/arguments'
import { restoreCommand } from '../../src/cli/restore-command'
import {
  applyClassChange,
  applyLifecycle,
  applyRestore,
  defineLifecycle,
  keyPrefix,
  lifecycleRule,
  listBucket,
  planClassChange,
  planLifecycle,
  planRestore,
  waitForRestore,
  wholeBucket,
  wouldAffect,
} from '../../src/index'
import { type Lake, startLake } from './lake'

const dayMs = 86_400_000
const bucket = 'lake'
let lake: Lake

// A plan looks at the real clock: the lake is filled in its past and then brought up to it.
const now = new Date(Math.floor(Date.now() / 1000) * 1000)

beforeEach(async () => {
  lake = await startLake(new Date(now.getTime() - 400 * dayMs))
})
afterEach(() => lake.close())

async function fill(): Promise<void> {
  await lake.put('log-old', 300_000)
  await lake.local.clock.advance('350 days')
  await lake.put('log-new', 300_000)
  await lake.put('log-small', 1000)
  await lake.put('other', 300_000)
  await lake.local.clock.advanceTo(now)
}

/** As three other tools write them: without an id of ours, with an empty filter, with everything. */
const foreign: LifecycleRule[] = [
  {
    ID: 'tf-s3-lifecycle-20260101',
    Status: 'Enabled',
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
  },
  { ID: 'console rule', Status: 'Disabled', Filter: {}, Expiration: { Days: 3650 } },
  {
    ID: 'cdk',
    Status: 'Enabled',
    Filter: { And: { Prefix: 'backup/', Tags: [{ Key: 'keep', Value: 'no' }], ObjectSizeGreaterThan: 5 } },
    Transitions: [{ Days: 0, StorageClass: 'GLACIER' }],
    Expiration: { Days: 90 },
    NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 3 },
  },
]

const rules = defineLifecycle([
  lifecycleRule('age-logs', {
    scope: keyPrefix('log-'),
    transitions: [{ afterDays: 30, to: 'STANDARD_IA' }],
    expireAfterDays: 365,
  }),
])
const setRules = (Rules: LifecycleRule[]) =>
  lake.client.send(new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules } }))
const getRules = async () => (await lake.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }))).Rules
const verify = { timeout: '5 seconds' } as const

describe('plan and apply', () => {
  it('three rules of other tools are identical before and after; what the plan counted is what then happens', async () => {
    await setRules(foreign)
    await fill()
    const { client } = lake
    const before = await getRules()
    const plan = await planLifecycle({ bucket, rules, client })
    expect(plan.changes).toMatchObject([{ change: 'add', id: 'pipe:age-logs' }])
    expect(plan.effect).toMatchObject({ deletes: { objects: 1 }, transitions: { objects: 1 }, tooSmall: { objects: 1 } })
    await expect(applyLifecycle(plan, { client, ...verify })).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_MAX_DELETE' })
    await applyLifecycle(plan, { client, maxDelete: 1, ...verify })
    expect((await getRules())!.slice(0, 3)).toEqual(before)
    expect(await planLifecycle({ bucket, rules, client })).toMatchObject({ changes: [] })
    await lake.local.clock.advance('7 days')
    const left: string[] = []
    for await (const { key, storageClass } of listBucket({ bucket, client })) left.push(`${key} ${storageClass}`)
    expect(left).toEqual(['log-new STANDARD_IA', 'log-small STANDARD', 'other STANDARD'])
    const none = await planLifecycle({ bucket, rules: defineLifecycle([]), client })
    await applyLifecycle(none, { client, ...verify })
    expect(await getRules()).toEqual(before)
  })

  it('a change made meanwhile stops it, and so does a rule that would empty the bucket', async () => {
    await fill()
    const { client } = lake
    const plan = await planLifecycle({ bucket, rules, client })
    await setRules(foreign)
    await expect(applyLifecycle(plan, { client, maxDelete: 9, ...verify })).rejects.toMatchObject({
      code: 'PIPE_LIFECYCLE_CHANGED',
    })
    expect(await getRules()).toHaveLength(3)
    const wipe = defineLifecycle([lifecycleRule('wipe', { scope: wholeBucket(), expireAfterDays: 1 })])
    const whole = await planLifecycle({ bucket, rules: wipe, client })
    await expect(applyLifecycle(whole, { client, maxDelete: 3, ...verify })).rejects.toThrow(/would delete 4 objects/)
    expect(await getRules()).toHaveLength(3)
  })

  it('a bucket without a configuration is no missing permission, and a missing bucket is neither', async () => {
    const { client } = lake
    expect((await planLifecycle({ bucket, rules, client })).observed).toBeNull()
    await expect(planLifecycle({ bucket: 'nowhere', rules, client })).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_BUCKET' })
  })
})

it('a listing that changes while it is read shows what stays exactly once', async () => {
  const { client } = lake
  await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  const name = (i: number) => `k/${String(i).padStart(4, '0')}`
  // Delete markers, a thousand by a request: the cheapest way to more than one page.
  for (const from of [0, 550]) {
    const Objects = Array.from({ length: 550 }, (_, i) => ({ Key: name(from + i) }))
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }))
  }
  const ids = new Map<string, string>()
  for await (const { key, versionId } of listBucket({ bucket, versions: true, client })) ids.set(key, versionId!)
  const seen: string[] = []
  for await (const { key } of listBucket({ bucket, versions: true, client })) {
    seen.push(key)
    if (seen.length !== 500) continue
    // The first page is here: the key that it ended with goes, and keys come before and behind its end.
    const Objects = [name(999), name(10), name(1050)].map((Key) => ({ Key, VersionId: ids.get(Key) }))
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }))
    await lake.put('k/0000-new', 1)
    await lake.put('k/1050-new', 1)
  }
  expect([seen.length, new Set(seen).size]).toEqual([1100, 1100])
  expect(seen.filter((key) => [name(1050), 'k/0000-new', 'k/1050-new'].includes(key))).toEqual(['k/1050-new'])
})

it('wouldAffect over a live listing, with versions', async () => {
  const { client } = lake
  await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  await fill()
  await lake.put('log-old', 300_000)
  const noncurrent = defineLifecycle([
    lifecycleRule('n', { scope: keyPrefix('log-'), noncurrent: { expireAfterDays: 1 }, expireAfterDays: 40 }),
  ])
  const affected = await wouldAffect(noncurrent, listBucket({ bucket, versions: true, client }), {
    at: new Date(now.getTime() + 3 * dayMs),
    versioning: 'enabled',
  })
  expect(affected.scanned.objects).toBe(5)
  expect(affected.groups.map(({ action, objects }) => `${action} ${objects}`).sort()).toEqual(['add-delete-marker 2', 'delete 1'])
})

it('a change of class keeps metadata, tags, lock and the old version', async () => {
  const { client } = lake
  await lake.put('log-a', 300_000, {
    Metadata: { by: 'test' },
    Tagging: 'a=1',
    ContentType: 'text/plain',
    ContentEncoding: 'gzip',
  })
  await lake.put('log-b', 300_000, { StorageClass: 'GLACIER' })
  await lake.local.clock.advanceTo(now)
  const plan = await planClassChange({ bucket, objects: listBucket({ bucket, client }), to: 'GLACIER_IR' })
  expect(plan).toMatchObject({ objects: 1, skipped: { archived: 1 } })
  expect(await applyClassChange(plan, { client })).toMatchObject({ changed: 1 })
  const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'log-a' }))
  expect(head).toMatchObject({
    StorageClass: 'GLACIER_IR',
    Metadata: { by: 'test' },
    ContentType: 'text/plain',
    ContentEncoding: 'gzip',
  })
  const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: 'log-a' }))
  expect(TagSet).toEqual([{ Key: 'a', Value: '1' }])
  expect((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([])
})

describe('restore', () => {
  const archived = async () => {
    await lake.put('raw/a', 5000, { StorageClass: 'GLACIER' })
    await lake.put('raw/b', 5000, { StorageClass: 'DEEP_ARCHIVE' })
    await lake.put('raw/c', 5000)
    await lake.local.clock.advanceTo(now)
  }
  const readable = (Key: string) =>
    lake.client.send(new GetObjectCommand({ Bucket: bucket, Key })).then(
      async ({ Body }) => (await Body!.transformToString()).length,
      ({ name }: Error) => name,
    )

  it('asks once, waits by LIST on the clock, and the copies go when the plan said', async () => {
    await archived()
    const { client } = lake
    const plan = await planRestore({ bucket, objects: listBucket({ bucket, prefix: 'raw/', client }), tier: 'Standard', days: 2 })
    expect(plan).toMatchObject({ objects: 2, skipped: { readable: 1 } })
    expect(await applyRestore(plan, { client, perSecond: 1000 })).toMatchObject({ requested: 2, already: 0 })
    expect(await applyRestore(plan, { client, perSecond: 1000 })).toMatchObject({ requested: 0, already: 2 })
    expect(await readable('raw/a')).toBe('InvalidObjectState')
    const seen: number[] = []
    const waiting = waitForRestore(plan, { client, every: '10 ms', onProgress: ({ done }) => seen.push(done) })
    for (const hours of ['5 hours', '7 hours'] as const) {
      const polls = seen.length
      await vi.waitUntil(() => seen.length > polls, { timeout: 30_000 })
      await lake.local.clock.advance(hours)
    }
    await waiting
    expect(new Set(seen)).toEqual(new Set([0, 1, 2].filter((count) => seen.includes(count))))
    expect(seen.at(-1)).toBe(2)
    expect([await readable('raw/a'), await readable('raw/b')]).toEqual([5000, 5000])
    await lake.local.clock.advanceTo(plan.copiesUntil)
    expect([await readable('raw/a'), await readable('raw/b')]).toEqual(['InvalidObjectState', 'InvalidObjectState'])
  })

  it('by the command line: plan, apply, go on, wait', async () => {
    await archived()
    vi.stubEnv('AWS_ENDPOINT_URL', lake.local.env.AWS_ENDPOINT_URL)
    vi.stubEnv('AWS_REGION', lake.local.env.AWS_REGION)
    vi.stubEnv('AWS_ACCESS_KEY_ID', lake.local.env.AWS_ACCESS_KEY_ID)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', lake.local.env.AWS_SECRET_ACCESS_KEY)
    try {
      const run = async (...rest: string[]) => {
        const rawArgs = ['--bucket', bucket, '--prefix', 'raw/', '--days', '5', ...rest]
        refuseUnknown('restore', restoreCommand.args, rawArgs)
        const [out, notes]: [string[], string[]] = [[], []]
        const output = { out: (text: string) => out.push(text), note: (text: string) => notes.push(text), progress: () => {} }
        const { signal } = new AbortController()
        const code = await restoreCommand.run(parseArgs(rawArgs, restoreCommand.args) as Arguments, { output, signal })
        return { code, out: out.join('\n'), notes: notes.join('\n') }
      }
      const planned = await run('--tier', 'Standard')
      expect(planned.out).toMatch(
        /^2 objects, .*: Standard, ready in 0–12 hours, .*\nnot asked for: 1 readable, 0 restored, 0 in progress/,
      )
      expect(await readable('raw/a')).toBe('InvalidObjectState')
      expect((await run('--tier', 'Standard', '--apply')).notes).toBe('2 asked for, 0 already, 0 gone')
      expect((await run('--tier', 'Standard')).out).toContain('1 readable, 0 restored, 2 in progress')
      await lake.local.clock.advance('12 hours')
      const done = await run('--apply', '--wait', '--json')
      expect(JSON.parse(done.out)).toMatchObject({ keys: 0, skipped: { readable: 1, restored: 2, inProgress: 0 } })
      expect(done.code).toBe(0)
      expect([await readable('raw/a'), await readable('raw/b')]).toEqual([5000, 5000])
    } finally {
      vi.unstubAllEnvs()
    }
  })
})
