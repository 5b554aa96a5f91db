import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { accepted, rejected } from '../../../s3-lifecycle/test/configurations'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'

let dir: string
let local: Local<VirtualClock>
let s3: S3Client
const Bucket = 'lake'

async function start(at: string): Promise<void> {
  local = await startLocal({ dir, clock: virtualClock(at) })
  s3 = new S3Client({ ...local.aws, maxAttempts: 1 })
}

async function stop(): Promise<void> {
  s3.destroy()
  await local.close()
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pipe-s3-lifecycle-'))
  await start('2026-01-01T10:30:00Z')
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterEach(async () => {
  await stop()
  rmSync(dir, { recursive: true, force: true })
})

const setRules = (Rules: LifecycleRule[], more: object = {}) =>
  s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules }, ...more }))
const put = (Key: string, bytes = 200_000, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(bytes), ...more }))
const rule = (ID: string, more: Partial<LifecycleRule>): LifecycleRule => ({
  ID,
  Status: 'Enabled',
  Filter: { Prefix: '' },
  ...more,
})
const failure = (work: Promise<unknown>) =>
  work.then(
    () => Promise.reject(new Error('no failure')),
    (error: unknown) => error,
  )

/** Everything that is there: `key CLASS` or `-key`, newest first. */
async function left(): Promise<string[]> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }))
  return [
    ...Versions.map(({ Key, StorageClass, IsLatest }) => `${Key} ${StorageClass}${IsLatest ? '' : ' noncurrent'}`),
    ...DeleteMarkers.map(({ Key, LastModified }) => `-${Key} ${LastModified!.toISOString()}`),
  ]
}

describe('lifecycle on the clock', () => {
  it('moves and deletes at the midnights of the user guide, also after a restart in between', async () => {
    await put('logs/a')
    await put('logs/small', 1000)
    await put('other')
    await setRules([
      rule('age', {
        Filter: { Prefix: 'logs/' },
        Transitions: [
          { Days: 3, StorageClass: 'STANDARD_IA' },
          { Days: 10, StorageClass: 'DEEP_ARCHIVE' },
        ],
        Expiration: { Days: 20 },
      }),
    ])
    await local.clock.advanceTo(new Date('2026-01-04T23:59:59Z'))
    expect(await left()).toEqual(['logs/a STANDARD', 'logs/small STANDARD', 'other STANDARD'])
    await local.clock.advance('1 second')
    expect(await left()).toEqual(['logs/a STANDARD_IA', 'logs/small STANDARD', 'other STANDARD'])
    await stop()
    await start('2026-01-11T00:00:00Z')
    await local.clock.advance('1 day')
    expect(await left()).toEqual(['logs/a DEEP_ARCHIVE', 'logs/small STANDARD', 'other STANDARD'])
    await local.clock.advance('10 days')
    expect(await left()).toEqual(['other STANDARD'])
  })

  it('in a versioned bucket: marker, then the version behind it, then the marker itself', async () => {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    await put('k')
    await setRules([
      rule('expire', { Expiration: { Days: 5 }, NoncurrentVersionExpiration: { NoncurrentDays: 2 } }),
      rule('markers', { Filter: { Prefix: 'k' }, Expiration: { ExpiredObjectDeleteMarker: true } }),
    ])
    await local.clock.advanceTo(new Date('2026-01-07T00:00:00Z'))
    expect(await left()).toEqual(['k STANDARD noncurrent', '-k 2026-01-07T00:00:00.000Z'])
    await local.clock.advanceTo(new Date('2026-01-10T00:00:00Z'))
    expect(await left()).toEqual(['-k 2026-01-07T00:00:00.000Z'])
    await local.clock.advance('1 day')
    expect(await left()).toEqual([])
  })

  it('aborts uploads, keeps the newest versions, and stops when its rules are taken away', async () => {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'big' }))
    for (let i = 0; i < 4; i++) await put('k')
    await setRules([
      rule('uploads', { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } }),
      rule('versions', { NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } }),
    ])
    await local.clock.advance('4 days')
    expect(await left()).toEqual(['k STANDARD', 'k STANDARD noncurrent', 'k STANDARD noncurrent'])
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([])
    await s3.send(new DeleteBucketLifecycleCommand({ Bucket }))
    await put('k')
    await local.clock.advance('40 days')
    expect(await left()).toHaveLength(4)
  })

  it('tells the expiry of a current object', async () => {
    await setRules([
      rule('späť "x"', { Filter: { Prefix: 'a' }, Expiration: { Days: 3 } }),
      rule('later', { Expiration: { Days: 9 } }),
      rule('tagged', { Filter: { Tag: { Key: 'k', Value: 'v' } }, Expiration: { Date: new Date('2026-01-03') } }),
    ])
    expect((await put('b')).Expiration).toBe('expiry-date="Sun, 11 Jan 2026 00:00:00 GMT", rule-id="later"')
    await put('a')
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }))
    expect(head.Expiration).toBe('expiry-date="Mon, 05 Jan 2026 00:00:00 GMT", rule-id="sp%C3%A4%C5%A5 %22x%22"')
    expect((await put('a', 1, { Tagging: 'k=v' })).Expiration).toBe(
      'expiry-date="Sat, 03 Jan 2026 00:00:00 GMT", rule-id="tagged"',
    )
  })
})

describe('the lifecycle configuration', () => {
  it('is given back as it was put, with an id for rules that had none, and is not there before', async () => {
    const get = () => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    expect(await failure(get())).toMatchObject({ name: 'NoSuchLifecycleConfiguration', $metadata: { httpStatusCode: 404 } })
    const Rules: LifecycleRule[] = [
      { ...rule('all', { Filter: {}, Expiration: { Date: new Date('2027-01-01') } }) },
      rule('and', {
        Filter: { And: { Prefix: '日本/', Tags: [{ Key: 'a', Value: '' }], ObjectSizeGreaterThan: 5 } },
        Transitions: [{ Days: 0, StorageClass: 'GLACIER' }],
        NoncurrentVersionTransitions: [{ NoncurrentDays: 1, NewerNoncurrentVersions: 3, StorageClass: 'GLACIER_IR' }],
      }),
    ]
    await setRules(Rules, { TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' })
    expect(await get()).toMatchObject({ Rules, TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' })
    await setRules([{ Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } }])
    const found = await get()
    expect(found.TransitionDefaultMinimumObjectSize).toBe('all_storage_classes_128K')
    expect(found.Rules![0]!.ID).toMatch(/^[\w-]{36}$/)
    expect(await failure(setRules(Rules, { TransitionDefaultMinimumObjectSize: 'value' }))).toMatchObject({
      name: 'InvalidRequest',
      message: 'Invalid TransitionDefaultMinimumObjectSize found: value',
    })
  })

  // What no XML of the SDK can hold: elements that do not exist, texts in place of structures.
  const unsendable = ['an element that does not exist', 'a filter that is a text', 'a date that is none']

  it('is refused as AWS refuses it', async () => {
    for (const [name, rules, code, message] of rejected) {
      if (unsendable.includes(name)) continue
      const error = (await failure(setRules((rules as LifecycleRule[]).map(dated)))) as Error
      expect(error.name, name).toBe(code)
      if (typeof message === 'string') expect(error.message, name).toBe(message)
      else expect(error.message, name).toMatch(message)
    }
  })

  it('is taken where AWS takes it', async () => {
    for (const [, rules] of accepted) await setRules((rules as LifecycleRule[]).map(dated))
  })
})

/** The fixtures have dates as JSON has them. */
function dated(one: LifecycleRule): LifecycleRule {
  const date = <T extends { Date?: Date | undefined }>(action: T): T =>
    typeof action.Date === 'string' ? { ...action, Date: new Date(action.Date) } : action
  return {
    ...one,
    ...(one.Expiration && { Expiration: date(one.Expiration) }),
    ...(one.Transitions && { Transitions: one.Transitions.map(date) }),
  }
}
