import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type S3Server, startS3 } from './s3-server'

let server: S3Server
let s3: S3Client
const Bucket = 'lake'
const at = { Bucket, Key: 'k' }
const [hourMs, dayMs] = [3_600_000, 86_400_000]

beforeEach(async () => {
  server = await startS3()
  s3 = server.client()
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterEach(() => server.close())

const put = (more: object = {}) => s3.send(new PutObjectCommand({ ...at, Body: 'x', ...more }))
const failure = (work: Promise<unknown>) =>
  work.then(
    () => Promise.reject(new Error('no failure')),
    (error: unknown) => error,
  )

describe('tags', () => {
  const tags = async (Key = 'k') =>
    (await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet!.map(({ Key: name, Value }) => `${name}=${Value}`)

  it('come with a put, are replaced and deleted, and outlive a restart', async () => {
    await put({ Tagging: 'class=raw&owner=%C3%B6%2B' })
    expect((await s3.send(new HeadObjectCommand(at))).TagCount).toBe(2)
    await server.restart()
    s3 = server.client()
    expect(await tags()).toEqual(['class=raw', 'owner=ö+'])
    await s3.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: 'a', Value: '' }] } }))
    expect(await tags()).toEqual(['a='])
    await s3.send(new DeleteObjectTaggingCommand(at))
    expect(await tags()).toEqual([])
  })

  it('are copied unless the copy brings its own', async () => {
    await put({ Tagging: 'a=1' })
    const copy = (Key: string, more: object) => s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: 'lake/k', ...more }))
    await copy('same', {})
    await copy('own', { TaggingDirective: 'REPLACE', Tagging: 'b=2' })
    await copy('none', { TaggingDirective: 'REPLACE' })
    expect([await tags('same'), await tags('own'), await tags('none')]).toEqual([['a=1'], ['b=2'], []])
  })

  it('are refused when they are too many, too long or twice', async () => {
    const many = Array.from({ length: 11 }, (_, i) => `k${i}=v`).join('&')
    expect(await failure(put({ Tagging: many }))).toMatchObject({ name: 'BadRequest' })
    expect(await failure(put({ Tagging: `k=${'v'.repeat(257)}` }))).toMatchObject({ name: 'InvalidTag' })
    expect(await failure(put({ Tagging: 'k=1&k=2' }))).toMatchObject({ name: 'InvalidTag' })
    expect(await failure(put({ Tagging: 'k=1=2' }))).toMatchObject({ name: 'InvalidArgument' })
  })
})

describe('Object Lock', () => {
  const inDays = (days: number) => new Date(server.clock.time + days * dayMs)
  const remove = (VersionId: string | undefined, more: object = {}) =>
    s3.send(new DeleteObjectCommand({ Bucket: 'vault', Key: 'k', VersionId, ...more }))

  it('keeps versions until their time is over; a hold keeps them for good', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'vault', ObjectLockEnabledForBucket: true }))
    const vault = { Bucket: 'vault', Key: 'k' }
    await s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket: 'vault',
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 2 } } },
      }),
    )
    const { VersionId } = await s3.send(new PutObjectCommand({ ...vault, Body: 'x' }))
    const head = await s3.send(new HeadObjectCommand(vault))
    expect([head.ObjectLockMode, head.ObjectLockRetainUntilDate]).toEqual(['GOVERNANCE', inDays(2)])
    // A delete marker is no harm to what it hides.
    const marker = await remove(undefined)
    expect(await failure(remove(VersionId))).toMatchObject({ name: 'AccessDenied' })
    await remove(marker.VersionId)
    await s3.send(new PutObjectLegalHoldCommand({ ...vault, LegalHold: { Status: 'ON' } }))
    server.clock.time += 3 * dayMs
    expect(await failure(remove(VersionId, { BypassGovernanceRetention: true }))).toMatchObject({ name: 'AccessDenied' })
    await server.restart()
    s3 = server.client()
    expect((await s3.send(new GetObjectLegalHoldCommand(vault))).LegalHold!.Status).toBe('ON')
    await s3.send(new PutObjectLegalHoldCommand({ ...vault, LegalHold: { Status: 'OFF' } }))
    await remove(VersionId)
    expect(await failure(s3.send(new HeadObjectCommand(vault)))).toMatchObject({ name: 'NotFound' })
  })

  it('governance can be bypassed, compliance only be prolonged', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'vault', ObjectLockEnabledForBucket: true }))
    const vault = { Bucket: 'vault', Key: 'k' }
    const locked = (ObjectLockMode: 'GOVERNANCE' | 'COMPLIANCE') =>
      s3.send(new PutObjectCommand({ ...vault, Body: 'x', ObjectLockMode, ObjectLockRetainUntilDate: inDays(5) }))
    const governed = await locked('GOVERNANCE')
    await remove(governed.VersionId, { BypassGovernanceRetention: true })
    const complied = await locked('COMPLIANCE')
    const retain = (Mode: 'GOVERNANCE' | 'COMPLIANCE', days: number) =>
      s3.send(
        new PutObjectRetentionCommand({
          ...vault,
          Retention: { Mode, RetainUntilDate: inDays(days) },
          BypassGovernanceRetention: true,
        }),
      )
    expect(await failure(retain('COMPLIANCE', 4))).toMatchObject({ name: 'AccessDenied' })
    expect(await failure(retain('GOVERNANCE', 9))).toMatchObject({ name: 'AccessDenied' })
    await retain('COMPLIANCE', 9)
    expect((await s3.send(new GetObjectRetentionCommand(vault))).Retention!.RetainUntilDate).toEqual(inDays(9))
    expect(await failure(remove(complied.VersionId, { BypassGovernanceRetention: true }))).toMatchObject({ name: 'AccessDenied' })
  })

  it('is not there without its configuration, and keeps versioning on', async () => {
    expect(await failure(s3.send(new GetObjectLockConfigurationCommand({ Bucket })))).toMatchObject({
      name: 'ObjectLockConfigurationNotFoundError',
    })
    expect(await failure(put({ ObjectLockLegalHoldStatus: 'ON' }))).toMatchObject({ name: 'InvalidRequest' })
    await s3.send(new CreateBucketCommand({ Bucket: 'vault', ObjectLockEnabledForBucket: true }))
    const suspend = new PutBucketVersioningCommand({ Bucket: 'vault', VersioningConfiguration: { Status: 'Suspended' } })
    expect(await failure(s3.send(suspend))).toMatchObject({ name: 'InvalidBucketState' })
  })
})

describe('archived objects', () => {
  const restore = (Days: number, Tier: 'Expedited' | 'Standard' | 'Bulk') =>
    s3.send(new RestoreObjectCommand({ ...at, RestoreRequest: { Days, GlacierJobParameters: { Tier } } }))
  const restoreHeader = async () => (await s3.send(new HeadObjectCommand(at))).Restore

  it('are read only while a restored copy is there, on the clock', async () => {
    await put({ StorageClass: 'DEEP_ARCHIVE' })
    expect(await failure(s3.send(new GetObjectCommand(at)))).toMatchObject({
      name: 'InvalidObjectState',
      StorageClass: 'DEEP_ARCHIVE',
    })
    expect(await failure(s3.send(new CopyObjectCommand({ Bucket, Key: 'c', CopySource: 'lake/k' })))).toMatchObject({
      name: 'InvalidObjectState',
    })
    expect(await failure(restore(3, 'Expedited'))).toMatchObject({ name: 'InvalidArgument' })
    expect((await restore(3, 'Bulk')).$metadata.httpStatusCode).toBe(202)
    expect(await restoreHeader()).toBe('ongoing-request="true"')
    expect(await failure(restore(3, 'Bulk'))).toMatchObject({ name: 'RestoreAlreadyInProgress' })
    server.clock.time += hourMs
    // A faster tier takes over.
    expect((await restore(3, 'Standard')).$metadata.httpStatusCode).toBe(202)
    server.clock.time += 12 * hourMs
    await server.restart()
    s3 = server.client()
    expect(await restoreHeader()).toBe('ongoing-request="false", expiry-date="Sat, 28 Nov 2026 00:00:00 GMT"')
    expect(await (await s3.send(new GetObjectCommand(at))).Body!.transformToString()).toBe('x')
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, OptionalObjectAttributes: ['RestoreStatus'] }))
    expect(Contents![0]!.RestoreStatus).toEqual({
      IsRestoreInProgress: false,
      RestoreExpiryDate: new Date('2026-11-28T00:00:00Z'),
    })
    expect((await restore(10, 'Bulk')).$metadata.httpStatusCode).toBe(200)
    server.clock.time = Date.parse('2026-12-05T23:59:59Z')
    await s3.send(new GetObjectCommand(at))
    server.clock.time = Date.parse('2026-12-06T00:00:00Z')
    expect(await failure(s3.send(new GetObjectCommand(at)))).toMatchObject({ name: 'InvalidObjectState' })
    expect(await restoreHeader()).toBeUndefined()
  })

  it('what is not archived cannot be restored', async () => {
    await put({ StorageClass: 'GLACIER_IR' })
    expect(await failure(restore(1, 'Standard'))).toMatchObject({ name: 'InvalidObjectState' })
  })
})

describe('presigned URLs', () => {
  // Its types are of another release of the client than the one here.
  const presign = getSignedUrl as unknown as (
    client: S3Client,
    command: GetObjectCommand | PutObjectCommand,
    options: { readonly expiresIn: number; readonly signingDate: Date },
  ) => Promise<string>
  const signed = (command: GetObjectCommand | PutObjectCommand, client = s3) =>
    presign(client, command, { expiresIn: 900, signingDate: new Date(server.clock.time) })

  it('read and write without credentials until they expire on the clock', async () => {
    // Otherwise the SDK signs the checksum of a body that it does not know.
    const signer = server.client({ requestChecksumCalculation: 'WHEN_REQUIRED' })
    const upload = await signed(
      new PutObjectCommand({ ...at, ContentType: 'text/plain', Tagging: 'a=1', Metadata: { by: 'url' } }),
      signer,
    )
    const answer = await fetch(upload, { method: 'PUT', body: 'by url', headers: { 'content-type': 'text/plain' } })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
    const head = await s3.send(new HeadObjectCommand(at))
    expect([head.Metadata, head.TagCount]).toEqual([{ by: 'url' }, 1])
    const url = await signed(new GetObjectCommand({ ...at, ResponseContentType: 'text/html' }))
    const read = await fetch(url)
    expect([read.status, read.headers.get('content-type'), await read.text()]).toEqual([200, 'text/html', 'by url'])
    server.clock.time += 901_000
    const late = await fetch(url)
    expect([late.status, await late.text()]).toEqual([403, expect.stringContaining('Request has expired')])
  })

  it('for a PUT that signs the checksum of an empty body take no other', async () => {
    const url = await signed(new PutObjectCommand(at))
    expect(url).toContain('x-amz-checksum-crc32=AAAAAA')
    expect(await (await fetch(url, { method: 'PUT', body: 'x' })).text()).toContain('BadDigest')
  })

  it('are refused when they were changed, or last for more than a week', async () => {
    await put()
    const url = await signed(new GetObjectCommand(at))
    expect((await fetch(url.replace('/lake/k', '/lake/other'))).status).toBe(403)
    expect((await fetch(url.replace('X-Amz-Expires=900', 'X-Amz-Expires=90000'))).status).toBe(403)
    expect((await fetch(url.replace('X-Amz-Expires=900', 'X-Amz-Expires=999999'))).status).toBe(400)
  })
})

describe('the notification configuration', () => {
  const set = (NotificationConfiguration: NotificationConfiguration) =>
    s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration, SkipDestinationValidation: true }))
  const get = async () => {
    const { $metadata: _, ...found } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
    return found
  }
  const LambdaFunctionArn = 'arn:aws:lambda:us-east-1:000000000000:function:sink'

  it('is kept as it was sent', async () => {
    expect(await get()).toEqual({})
    const wanted: NotificationConfiguration = {
      LambdaFunctionConfigurations: [
        {
          Id: 'raw',
          LambdaFunctionArn,
          Events: ['s3:ObjectCreated:*'],
          Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'raw/' }] } },
        },
      ],
      EventBridgeConfiguration: {},
    }
    await set(wanted)
    await server.restart()
    s3 = server.client()
    expect(await get()).toEqual(wanted)
    await set({})
    expect(await get()).toEqual({})
  })

  it('is refused for events that do not exist, ARNs of something else and overlaps', async () => {
    const one = (more: object) => ({ LambdaFunctionArn, Events: ['s3:ObjectCreated:Put' as const], ...more })
    const refused = (...targets: object[]) => failure(set({ LambdaFunctionConfigurations: targets as never }))
    expect(await refused(one({ Events: ['s3:ObjectMade'] }))).toMatchObject({ name: 'InvalidArgument' })
    expect(await refused(one({ LambdaFunctionArn: 'arn:aws:sqs:us-east-1:000000000000:q' }))).toMatchObject({
      name: 'InvalidArgument',
    })
    expect(await refused(one({ Id: 'a' }), one({ Id: 'b', Events: ['s3:ObjectCreated:*'] }))).toMatchObject({
      name: 'InvalidArgument',
    })
  })
})
