import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketReplicationCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type ReplicationRule,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'

const other = '222222222222'
const Role = 'arn:aws:iam::000000000000:role/replication'
const sourceKey = 'arn:aws:kms:us-east-1:000000000000:key/source'
const replicaKey = `arn:aws:kms:us-east-1:${other}:key/replica`

let dir: string
let local: Local<VirtualClock>
let s3: S3Client
let archive: S3Client

async function start(): Promise<void> {
  local = await startLocal({ dir, clock: virtualClock('2026-01-01T10:00:00Z') })
  s3 = new S3Client({ ...local.aws, maxAttempts: 1 })
  archive = new S3Client({ ...local.account(other), maxAttempts: 1 })
}

async function stop(): Promise<void> {
  s3.destroy()
  archive.destroy()
  await local.close()
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pipe-s3-replication-'))
  await start()
  for (const [client, Bucket] of [
    [s3, 'lake'],
    [s3, 'copy'],
    [archive, 'archive'],
  ] as const) {
    await client.send(new CreateBucketCommand({ Bucket }))
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  }
})
afterEach(async () => {
  await stop()
  rmSync(dir, { recursive: true, force: true })
})

const failure = (work: Promise<unknown>) =>
  work.then(
    () => Promise.reject(new Error('no failure')),
    (error: unknown) => error,
  )
const rule = (ID: string, bucket: string, more: Partial<ReplicationRule> = {}): ReplicationRule => ({
  ID,
  Priority: 1,
  Status: 'Enabled',
  Filter: { Prefix: '' },
  DeleteMarkerReplication: { Status: 'Disabled' },
  Destination: { Bucket: `arn:aws:s3:::${bucket}` },
  ...more,
})
const replicate = (...Rules: ReplicationRule[]) =>
  s3.send(new PutBucketReplicationCommand({ Bucket: 'lake', ReplicationConfiguration: { Role, Rules } }))
const allow = (...statements: [string[], string][]) =>
  local.iam.setRolePolicy('replication', {
    Version: '2012-10-17',
    Statement: statements.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource })),
  })
const reading: [string[], string][] = [
  [['s3:GetReplicationConfiguration', 's3:ListBucket'], 'arn:aws:s3:::lake'],
  [['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'], 'arn:aws:s3:::lake/*'],
]
const writing = (bucket: string, ...more: string[]): [string[], string] => [
  ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags', ...more],
  `arn:aws:s3:::${bucket}/*`,
]
const put = (Key: string, more: object = {}) => s3.send(new PutObjectCommand({ Bucket: 'lake', Key, Body: Key, ...more }))
const statusOf = async (client: S3Client, Bucket: string, Key: string) =>
  (await client.send(new HeadObjectCommand({ Bucket, Key }))).ReplicationStatus

describe('replication on the clock', () => {
  it('copies new versions with id, tags and metadata; waiting ones go on after a restart', async () => {
    allow(...reading, writing('copy'))
    await put('before')
    await replicate(rule('all', 'copy'))
    const { VersionId } = await put('k', { Tagging: 'a=1', Metadata: { by: 'test' } })
    expect(await statusOf(s3, 'lake', 'k')).toBe('PENDING')
    await stop()
    await start()
    allow(...reading, writing('copy'))
    await local.clock.advance('1 minute')
    expect([await statusOf(s3, 'lake', 'k'), await statusOf(s3, 'copy', 'k')]).toEqual(['COMPLETED', 'REPLICA'])
    const replica = await s3.send(new GetObjectCommand({ Bucket: 'copy', Key: 'k', VersionId }))
    expect([await replica.Body!.transformToString(), replica.Metadata]).toEqual(['k', { by: 'test' }])
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket: 'copy', Key: 'k' }))).TagSet).toEqual([{ Key: 'a', Value: '1' }])
    // What was there before the rule stays where it is.
    expect(await statusOf(s3, 'lake', 'before')).toBeUndefined()
    expect(await failure(statusOf(s3, 'copy', 'before'))).toMatchObject({ name: 'NotFound' })
  })

  it('goes by filter, exclusion and priority; to different buckets by all rules', async () => {
    allow(...reading, writing('copy'), writing('archive'))
    await archive.send(
      new PutBucketPolicyCommand({
        Bucket: 'archive',
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS: Role }, Action: 's3:Replicate*', Resource: 'arn:aws:s3:::archive/*' }],
        }),
      }),
    )
    await replicate(
      rule('low', 'copy', { Priority: 1, Destination: { Bucket: 'arn:aws:s3:::copy', StorageClass: 'GLACIER' } }),
      rule('high', 'copy', {
        Priority: 2,
        Filter: { Prefix: 'a' },
        Destination: { Bucket: 'arn:aws:s3:::copy', StorageClass: 'STANDARD_IA' },
      }),
      rule('cross', 'archive', { Priority: 3, Filter: { And: { Prefix: 'a', Not: { Prefix: 'a/tmp' } } } }),
    )
    for (const key of ['a/1', 'a/tmp', 'b']) await put(key)
    await local.clock.advance('1 minute')
    const listed = async (client: S3Client, Bucket: string) =>
      (await client.send(new ListObjectVersionsCommand({ Bucket }))).Versions?.map(
        ({ Key, StorageClass }) => `${Key} ${StorageClass}`,
      )
    expect(await listed(s3, 'copy')).toEqual(['a/1 STANDARD_IA', 'a/tmp STANDARD_IA', 'b GLACIER'])
    expect(await listed(archive, 'archive')).toEqual(['a/1 STANDARD'])
  })

  it('takes delete markers along when asked to, never what lifecycle or a delete by version does', async () => {
    allow(...reading, writing('copy'))
    await replicate(rule('all', 'copy', { DeleteMarkerReplication: { Status: 'Enabled' } }))
    await put('a')
    const { VersionId } = await put('b')
    await local.clock.advance('1 minute')
    await s3.send(new DeleteObjectCommand({ Bucket: 'lake', Key: 'a' }))
    await s3.send(new DeleteObjectCommand({ Bucket: 'lake', Key: 'b', VersionId }))
    await put('c')
    await local.clock.advance('1 minute')
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: 'lake',
        LifecycleConfiguration: { Rules: [{ ID: 'x', Status: 'Enabled', Filter: { Prefix: 'c' }, Expiration: { Days: 1 } }] },
      }),
    )
    await local.clock.advance('5 days')
    const { DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: 'copy' }))
    expect(DeleteMarkers.map(({ Key }) => Key)).toEqual(['a'])
    expect(await failure(statusOf(s3, 'lake', 'c'))).toMatchObject({ name: 'NotFound' })
    expect([await statusOf(s3, 'copy', 'b'), await statusOf(s3, 'copy', 'c')]).toEqual(['REPLICA', 'REPLICA'])
  })
})

describe('replication to the bucket of a second account', () => {
  const toArchive = rule('cross', 'archive', {
    SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
    Destination: {
      Bucket: 'arn:aws:s3:::archive',
      Account: other,
      AccessControlTranslation: { Owner: 'Destination' },
      EncryptionConfiguration: { ReplicaKmsKeyID: replicaKey },
    },
  })
  const override = 's3:ObjectOwnerOverrideToBucketOwner'
  const open = () =>
    archive.send(
      new PutBucketPolicyCommand({
        Bucket: 'archive',
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: Role },
              Action: writing('archive', override)[0],
              Resource: 'arn:aws:s3:::archive/*',
            },
          ],
        }),
      }),
    )
  const encrypted = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: sourceKey } as const
  const decrypt: [string[], string] = [['kms:Decrypt'], sourceKey]
  const encrypt: [string[], string] = [['kms:Encrypt', 'kms:GenerateDataKey'], replicaKey]

  it('hands the replica over, under the key of the destination; only its owner may read it', async () => {
    allow(...reading, writing('archive', override), decrypt, encrypt)
    await open()
    await replicate(toArchive)
    await put('k', encrypted)
    await local.clock.advance('1 minute')
    expect(await statusOf(s3, 'lake', 'k')).toBe('COMPLETED')
    const replica = await archive.send(new GetObjectCommand({ Bucket: 'archive', Key: 'k' }))
    expect([await replica.Body!.transformToString(), replica.SSEKMSKeyId, replica.ReplicationStatus]).toEqual([
      'k',
      replicaKey,
      'REPLICA',
    ])
    expect(await failure(s3.send(new GetObjectCommand({ Bucket: 'archive', Key: 'k' })))).toMatchObject({ name: 'AccessDenied' })
    const { Versions = [] } = await archive.send(new ListObjectVersionsCommand({ Bucket: 'archive' }))
    expect(Versions.map(({ Owner }) => Owner!.ID)).toEqual([other.padStart(64, '0')])
  })

  it('fails when any right is missing: role, keys, owner override, policy of the bucket; lifecycle then leaves the object alone', async () => {
    await replicate(toArchive)
    const all = [...reading, writing('archive', override), decrypt, encrypt] as const
    const outcome = async (key: string) => {
      await put(key, encrypted)
      await local.clock.advance('1 minute')
      return statusOf(s3, 'lake', key)
    }
    allow(...all)
    expect(await outcome('no-bucket-policy')).toBe('FAILED')
    await open()
    expect(await outcome('works')).toBe('COMPLETED')
    allow(...reading, writing('archive', override), decrypt, [['kms:Encrypt'], replicaKey])
    expect(await outcome('no-data-key')).toBe('FAILED')
    allow(...reading, writing('archive', override), encrypt)
    expect(await outcome('no-decrypt')).toBe('FAILED')
    allow(...reading, writing('archive'), decrypt, encrypt)
    expect(await outcome('no-override')).toBe('FAILED')
    allow(writing('archive', override), decrypt, encrypt)
    expect(await outcome('no-source')).toBe('FAILED')
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: 'lake',
        LifecycleConfiguration: { Rules: [{ ID: 'x', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } }] },
      }),
    )
    await local.clock.advance('10 days')
    const { DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: 'lake' }))
    expect(DeleteMarkers.map(({ Key }) => Key)).toEqual(['works'])
  })
})

describe('the replication configuration', () => {
  it('is given back, and refused as AWS refuses it', async () => {
    expect(await failure(s3.send(new GetBucketReplicationCommand({ Bucket: 'lake' })))).toMatchObject({
      name: 'ReplicationConfigurationNotFoundError',
    })
    const good = rule('r', 'copy', { Filter: { And: { Prefix: 'a', Tags: [{ Key: 'k', Value: 'v' }] } } })
    await replicate(good)
    expect((await s3.send(new GetBucketReplicationCommand({ Bucket: 'lake' }))).ReplicationConfiguration).toEqual({
      Role,
      Rules: [good],
    })
    await s3.send(new CreateBucketCommand({ Bucket: 'plain' }))
    const destination = (more: object, to = 'copy') => rule('r', to, { Destination: { Bucket: `arn:aws:s3:::${to}`, ...more } })
    const refusals: [ReplicationRule[], string, string?][] = [
      [[], 'MalformedXML'],
      [[rule('r', 'plain')], 'InvalidRequest', 'Destination bucket must have versioning enabled.'],
      [[rule('r', 'nowhere')], 'InvalidRequest'],
      [[rule('r', 'copy', { DeleteMarkerReplication: undefined })], 'InvalidRequest'],
      [[rule('r', 'copy', { Priority: undefined })], 'InvalidRequest'],
      [[rule('a', 'copy'), rule('b', 'copy')], 'InvalidRequest'],
      [[{ ...good, DeleteMarkerReplication: { Status: 'Enabled' } }], 'InvalidRequest'],
      [[destination({ AccessControlTranslation: { Owner: 'Destination' } })], 'InvalidRequest'],
      [[destination({ Account: other })], 'InvalidRequest'],
      [[destination({ ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } } })], 'InvalidRequest'],
      [[rule('r', 'copy', { SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } } })], 'InvalidRequest'],
    ]
    for (const [rules, name, message] of refusals) {
      const error = (await failure(replicate(...rules))) as Error
      expect(error.name, JSON.stringify(rules)).toBe(name)
      if (message) expect(error.message).toBe(message)
    }
    const onPlain = new PutBucketReplicationCommand({
      Bucket: 'plain',
      ReplicationConfiguration: { Role, Rules: [rule('r', 'copy')] },
    })
    expect(await failure(s3.send(onPlain))).toMatchObject({
      name: 'InvalidRequest',
      message: "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
    })
  })
})
