// Replication into the bucket of a second account, with the owner override and a key on either side: what the generated policies allow works, and what the doctor
// finds missing is what makes objects fail.
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  applyReplication,
  defineReplication,
  diagnoseReplication,
  keyPrefix,
  type PolicyDocument,
  planReplication,
  replicationPolicies,
  replicationRule,
} from '../../src/index'
import { type Lake, startLake } from './lake'

const other = '222222222222'
const roleArn = 'arn:aws:iam::000000000000:role/replication'
const sourceKey = 'arn:aws:kms:us-east-1:000000000000:key/source'
const replicaKey = `arn:aws:kms:us-east-1:${other}:key/replica`
const replication = defineReplication({
  roleArn,
  rules: [
    replicationRule('archive', {
      scope: keyPrefix('compacted/'),
      kmsObjects: true,
      deleteMarkers: true,
      destination: { bucket: 'archive', account: other, ownerOverride: true, kmsKeyArn: replicaKey, storageClass: 'GLACIER_IR' },
    }),
  ],
})
const policies = replicationPolicies({
  replication,
  sourceBucket: 'lake',
  sourceRegion: 'us-east-1',
  sourceKmsKeyArns: [sourceKey],
})
const keyPolicies = { [replicaKey]: { Version: '2012-10-17', Statement: policies.keys[replicaKey]! } } as const

let lake: Lake
let archive: S3Client
beforeEach(async () => {
  lake = await startLake(new Date('2026-01-01T10:00:00Z'))
  archive = new S3Client({ ...lake.local.account(other), maxAttempts: 1 })
  await archive.send(new CreateBucketCommand({ Bucket: 'archive' }))
  for (const [client, Bucket] of [
    [lake.client, 'lake'],
    [archive, 'archive'],
  ] as const)
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  await open(policies.destinationBuckets['archive']!)
})
afterEach(async () => {
  archive.destroy()
  await lake.close()
})

const open = (policy: PolicyDocument) =>
  archive.send(new PutBucketPolicyCommand({ Bucket: 'archive', Policy: JSON.stringify(policy) }))

const withoutAction = (policy: PolicyDocument, action: string): PolicyDocument => ({
  ...policy,
  Statement: policy.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action].flat().filter((one) => one !== action),
  })).filter(({ Action }) => Action.length > 0),
})

/** Puts an encrypted object, lets replication run and asks the doctor. */
async function outcome(
  key: string,
  rolePolicy: PolicyDocument,
): Promise<{ status: string | undefined; broken: { text: string; fix: string }[] }> {
  const { client, local } = lake
  local.iam.setRolePolicy('replication', rolePolicy)
  await client.send(
    new PutObjectCommand({
      Bucket: 'lake',
      Key: key,
      Body: 'x',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: sourceKey,
      Tagging: 'a=1',
    }),
  )
  await local.clock.advance('1 minute')
  const { ReplicationStatus: status } = await client.send(new HeadObjectCommand({ Bucket: 'lake', Key: key }))
  const { findings } = await diagnoseReplication({
    bucket: 'lake',
    client,
    destinationClient: archive,
    rolePolicy,
    keyPolicies,
    sourceKmsKeyArns: [sourceKey],
    sampleKeys: [key],
  })
  const broken = findings.filter(({ severity, what }) => severity === 'broken' && what !== 'failed-objects')
  return { status, broken: broken.map(({ text, fix }) => ({ text, fix })) }
}

it('works with the generated policies; each right that is taken away makes objects fail, and the doctor names it with its fix', async () => {
  const plan = await planReplication({ bucket: 'lake', replication, client: lake.client })
  expect(plan.refused).toEqual([])
  expect(await applyReplication(plan, { client: lake.client })).toEqual({ outcome: 'applied' })
  expect(await planReplication({ bucket: 'lake', replication, client: lake.client })).toMatchObject({ changes: [] })

  expect(await outcome('compacted/works', policies.role)).toEqual({ status: 'COMPLETED', broken: [] })
  const replica = await archive.send(new GetObjectCommand({ Bucket: 'archive', Key: 'compacted/works' }))
  expect(replica).toMatchObject({
    ReplicationStatus: 'REPLICA',
    SSEKMSKeyId: replicaKey,
    StorageClass: 'GLACIER_IR',
    TagCount: 1,
  })
  await expect(lake.client.send(new GetObjectCommand({ Bucket: 'archive', Key: 'compacted/works' }))).rejects.toThrow(
    /resource-based policy/,
  )

  const rights: readonly (readonly [string, string])[] = [
    ['kms:GenerateDataKey', replicaKey],
    ['kms:Encrypt', replicaKey],
    ['kms:Decrypt', sourceKey],
    ['s3:ObjectOwnerOverrideToBucketOwner', 'arn:aws:s3:::archive/any-key'],
    ['s3:ReplicateObject', 'arn:aws:s3:::archive/any-key'],
    ['s3:ReplicateTags', 'arn:aws:s3:::archive/any-key'],
    ['s3:GetObjectVersionForReplication', 'arn:aws:s3:::lake/compacted/any-key'],
    ['s3:GetReplicationConfiguration', 'arn:aws:s3:::lake'],
  ]
  for (const [action, resource] of rights) {
    const found = await outcome(`compacted/${action.replace(':', '-')}`, withoutAction(policies.role, action))
    expect(found, action).toEqual({
      status: 'FAILED',
      broken: [
        {
          text: `pipe:archive: the role may not ${action} on ${resource}.`,
          fix: `Allow ${action} on ${resource} in the policy of the role: see replicationPolicies().role.`,
        },
      ],
    })
  }
  await open(withoutAction(policies.destinationBuckets['archive']!, 's3:ReplicateObject'))
  expect(await outcome('compacted/closed', policies.role)).toEqual({
    status: 'FAILED',
    broken: [
      {
        text: `pipe:archive: the policy of archive does not allow ${roleArn} to s3:ReplicateObject.`,
        fix: 'Add it to the policy of archive: see replicationPolicies().destinationBuckets.',
      },
    ],
  })
})
