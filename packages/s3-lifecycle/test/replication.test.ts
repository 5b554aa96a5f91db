import { describe, expect, it } from 'vitest'
import {
  applyReplication,
  backfillJob,
  defineReplication,
  diagnoseReplication,
  keyPrefix,
  planReplication,
  type ReplicationRuleOptions,
  replicationDocument,
  replicationFailureFix,
  replicationPolicies,
  replicationRule,
  wholeBucket,
} from '../src/index'
import { type FakeBucket, fakeS3, s3Error } from './fake-s3'

const roleArn = 'arn:aws:iam::111111111111:role/replication'
const replicaKey = 'arn:aws:kms:eu-west-1:222222222222:key/replica'
const sourceKey = 'arn:aws:kms:eu-central-1:111111111111:key/source'
const account = '222222222222'

const replication = defineReplication({
  roleArn,
  rules: [
    replicationRule('archive', {
      scope: keyPrefix('compacted/'),
      kmsObjects: true,
      destination: { bucket: 'archive', account, ownerOverride: true, kmsKeyArn: replicaKey, timeControl: true },
    }),
    replicationRule('copy', {
      scope: wholeBucket(),
      destination: { bucket: 'copy' },
      deleteMarkers: true,
      except: { prefixes: ['tmp/', 'x/'] },
    }),
  ],
})

describe('defineReplication', () => {
  it('is always written as version 2: filter, priority, delete markers', () => {
    expect(replicationDocument(replication)).toEqual({
      Role: roleArn,
      Rules: [
        {
          ID: 'archive',
          Priority: 2,
          Status: 'Enabled',
          Filter: { Prefix: 'compacted/' },
          DeleteMarkerReplication: { Status: 'Disabled' },
          SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
          Destination: {
            Bucket: 'arn:aws:s3:::archive',
            Account: account,
            AccessControlTranslation: { Owner: 'Destination' },
            EncryptionConfiguration: { ReplicaKmsKeyID: replicaKey },
            ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } },
            Metrics: { Status: 'Enabled', EventThreshold: { Minutes: 15 } },
          },
        },
        {
          ID: 'copy',
          Priority: 1,
          Status: 'Enabled',
          Filter: { Not: { Or: { Prefixes: ['tmp/', 'x/'] } } },
          DeleteMarkerReplication: { Status: 'Enabled' },
          Destination: { Bucket: 'arn:aws:s3:::copy' },
        },
      ],
    })
  })

  it.each<readonly [string, ReplicationRuleOptions, object]>([
    ['nothing', { scope: wholeBucket(), destination: { bucket: 'copy' } }, { Prefix: '' }],
    ['one tag', { scope: wholeBucket({ tags: { a: '1' } }), destination: { bucket: 'copy' } }, { Tag: { Key: 'a', Value: '1' } }],
    [
      'prefix and tags and an exclusion',
      { scope: keyPrefix('p/', { tags: { a: '1' } }), destination: { bucket: 'copy' }, except: { prefixes: ['p/x/'] } },
      { And: { Prefix: 'p/', Tags: [{ Key: 'a', Value: '1' }], Not: { Prefix: 'p/x/' } } },
    ],
    [
      'an exclusion by tag',
      { scope: wholeBucket(), destination: { bucket: 'copy' }, except: { tags: { a: '1' } } },
      { Not: { Tag: { Key: 'a', Value: '1' } } },
    ],
  ])('a filter by %s', (_, options, filter) => {
    const one = defineReplication({ roleArn, rules: [replicationRule('r', options as never)] })
    expect(replicationDocument(one).Rules[0]!.Filter).toEqual(filter)
  })

  it('refuses what S3 would reject or fail on later', () => {
    const rule = (options: object) => () =>
      replicationRule('r', { scope: wholeBucket(), destination: { bucket: 'copy' }, ...options } as never)
    expect(rule({ scope: wholeBucket({ largerThanBytes: 1 }) })).toThrow(/no filter by size/)
    expect(rule({ scope: wholeBucket({ tags: { a: 'b' } }), deleteMarkers: true })).toThrow(/have no tags/)
    expect(rule({ destination: { bucket: 'copy', kmsKeyArn: '1234' }, kmsObjects: true })).toThrow(/no ARN of a KMS key/)
    expect(rule({ destination: { bucket: 'copy', account: '1' } })).toThrow(/12 digits/)
    expect(rule({ except: {} })).toThrow(/leaves nothing out/)
    expect(rule({ destination: { bucket: 'copy', region: 'x' } })).toThrow(/no option "region"/)
    expect(() => defineReplication({ roleArn: 'replication', rules: replication.rules })).toThrow(/no ARN of a role/)
    expect(() => defineReplication({ roleArn, rules: [] })).toThrow(/1 to 1 000/)
    expect(() => defineReplication({ roleArn, rules: [replication.rules[0]!, replication.rules[0]!] })).toThrow(
      /two rules have the id/,
    )
    const same = ['a', 'b'].map((id) =>
      replicationRule(id, { scope: wholeBucket(), destination: { bucket: 'copy' }, priority: 1 }),
    )
    expect(() => defineReplication({ roleArn, rules: same })).toThrow(/two rules have the priority 1/)
  })
})

const empty = (more: Partial<FakeBucket> = {}): FakeBucket => ({ objects: [], versioning: 'Enabled', ...more })
const others = {
  Role: roleArn,
  Rules: [
    {
      ID: 'other',
      Priority: 77,
      Status: 'Enabled',
      Filter: { Prefix: 'o/' },
      DeleteMarkerReplication: { Status: 'Disabled' },
      Destination: { Bucket: 'arn:aws:s3:::other' },
    },
  ],
}

describe('planReplication and applyReplication', () => {
  it("own their rules only and leave others' as they are", async () => {
    const lake = empty({ replication: structuredClone(others) })
    const { client } = fakeS3({ lake })
    const plan = await planReplication({ bucket: 'lake', replication, client })
    expect(plan).toMatchObject({
      changes: [
        { change: 'add', id: 'pipe:archive' },
        { change: 'add', id: 'pipe:copy' },
      ],
      foreign: ['other'],
      refused: [],
    })
    expect(plan.notes[0]).toContain('backfillJob')
    await applyReplication(plan, { client })
    expect((lake.replication as typeof others).Rules[0]).toEqual(others.Rules[0])
    const again = await planReplication({ bucket: 'lake', replication, client })
    expect(again.changes).toEqual([])
    expect(await applyReplication(again, { client })).toEqual({ outcome: 'unchanged' })
    await applyReplication(await planReplication({ bucket: 'lake', replication: 'none', client }), { client })
    expect(lake.replication).toEqual(others)
  })

  it('deletes the configuration with the last rule, refuses a race, an unversioned bucket, a taken priority, another role', async () => {
    const lake = empty()
    const { client } = fakeS3({
      lake,
      plain: empty({ versioning: undefined }),
      taken: empty({ replication: { ...others, Rules: [{ ...others.Rules[0]!, Priority: 2 }] } }),
      role: empty({ replication: { ...others, Role: 'arn:aws:iam::1:role/x' } }),
      old: empty({
        replication: {
          Role: roleArn,
          Rules: [{ ID: 'old', Prefix: '', Status: 'Enabled', Destination: { Bucket: 'arn:aws:s3:::o' } }],
        },
      }),
    })
    const plan = await planReplication({ bucket: 'lake', replication, client })
    lake.replication = structuredClone(others)
    await expect(applyReplication(plan, { client })).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_CHANGED' })
    lake.replication = undefined
    await applyReplication(plan, { client })
    await applyReplication(await planReplication({ bucket: 'lake', replication: 'none', client }), { client })
    expect(lake.replication).toBeUndefined()
    const refused = async (bucket: string) => (await planReplication({ bucket, replication, client })).refused.join()
    expect(await refused('plain')).toContain("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    expect(await refused('taken')).toContain('priority 2')
    expect(await refused('role')).toContain('a bucket has one role')
    expect(await refused('old')).toContain('version 1')
    await expect(
      applyReplication(await planReplication({ bucket: 'plain', replication, client }), { client }),
    ).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_REFUSED' })
  })
})

const policies = replicationPolicies({
  replication,
  sourceBucket: 'lake',
  sourceRegion: 'eu-central-1',
  sourceKmsKeyArns: [sourceKey],
  destinationRegions: { archive: 'eu-west-1' },
  bucketKeys: ['archive'],
})

describe('replicationPolicies', () => {
  it('give the role the least it needs', () => {
    expect(policies.trust.Statement).toEqual([
      { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' },
    ])
    const byAction = (action: string) => policies.role.Statement.filter(({ Action }) => Action.includes(action))
    expect(byAction('s3:GetReplicationConfiguration')).toMatchObject([{ Resource: 'arn:aws:s3:::lake' }])
    expect(byAction('s3:GetObjectVersionForReplication')).toMatchObject([
      { Resource: ['arn:aws:s3:::lake/compacted/*', 'arn:aws:s3:::lake/*'] },
    ])
    expect(byAction('s3:ObjectOwnerOverrideToBucketOwner')).toMatchObject([{ Resource: 'arn:aws:s3:::archive/*' }])
    expect(byAction('s3:ReplicateObject')).toHaveLength(2)
    expect(byAction('kms:Decrypt')).toMatchObject([
      {
        Resource: sourceKey,
        Condition: {
          StringLike: {
            'kms:ViaService': 's3.eu-central-1.amazonaws.com',
            'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::lake/*',
          },
        },
      },
    ])
    // A Bucket Key changes the encryption context to the bucket itself.
    expect(byAction('kms:GenerateDataKey')).toMatchObject([
      {
        Action: ['kms:Encrypt', 'kms:GenerateDataKey'],
        Resource: replicaKey,
        Condition: {
          StringLike: {
            'kms:ViaService': 's3.eu-west-1.amazonaws.com',
            'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::archive',
          },
        },
      },
    ])
    expect(JSON.stringify(policies)).not.toMatch(/"(s3|kms):\*"/)
  })

  it('name what the other account must allow: bucket and key', () => {
    expect(Object.keys(policies.destinationBuckets)).toEqual(['archive'])
    expect(policies.destinationBuckets['archive']!.Statement).toMatchObject([
      { Principal: { AWS: roleArn }, Resource: 'arn:aws:s3:::archive/*' },
    ])
    expect(Object.keys(policies.keys)).toEqual([replicaKey])
    expect(policies.keys[replicaKey]).toMatchObject([{ Principal: { AWS: roleArn }, Resource: '*' }])
  })
})

describe('diagnoseReplication', () => {
  const healthy = () => ({
    lake: empty({
      replication: replicationDocument(replication),
      objects: [
        { Key: 'a', Size: 1, LastModified: new Date(), ReplicationStatus: 'COMPLETED' },
        { Key: 'b', Size: 1, LastModified: new Date(), ReplicationStatus: 'FAILED' },
        { Key: 'c', Size: 1, LastModified: new Date() },
      ],
    }),
    archive: empty({ policy: JSON.stringify(policies.destinationBuckets['archive']) }),
    copy: empty(),
  })
  const keyPolicy = { Version: '2012-10-17', Statement: policies.keys[replicaKey]! } as const
  const rights = { rolePolicy: policies.role, keyPolicies: { [replicaKey]: keyPolicy }, sourceKmsKeyArns: [sourceKey] }
  const diagnose = async (buckets: Record<string, FakeBucket>, options: object = {}) => {
    const { findings } = await diagnoseReplication({ bucket: 'lake', client: fakeS3(buckets).client, ...rights, ...options })
    return findings.filter(({ severity }) => severity !== 'doubtful')
  }

  it('finds nothing broken where the generated policies are in force', async () => {
    expect(await diagnose(healthy())).toEqual([])
  })

  it.each<readonly [string, (buckets: ReturnType<typeof healthy>) => void]>([
    [
      'no-replication',
      ({ lake }) => {
        lake.replication = undefined
      },
    ],
    [
      'source-unversioned',
      ({ lake }) => {
        lake.versioning = 'Suspended'
      },
    ],
    [
      'destination-unversioned',
      ({ archive }) => {
        archive.versioning = undefined
      },
    ],
    [
      'destination-unlocked',
      ({ lake }) => {
        lake.objectLock = true
      },
    ],
    [
      'requester-pays',
      ({ copy }) => {
        copy.requestPayment = 'Requester'
      },
    ],
    [
      'destination-missing',
      (buckets) => {
        Reflect.deleteProperty(buckets, 'copy')
      },
    ],
    [
      'missing-right',
      ({ archive }) => {
        archive.policy = undefined
      },
    ],
  ])('finds %s', async (what, spoil) => {
    const buckets = healthy()
    spoil(buckets)
    const found = await diagnose(buckets)
    expect(found.map((finding) => finding.what)).toContain(what)
    for (const { text, fix } of found) expect(text.length * fix.length).toBeGreaterThan(0)
  })

  it('finds a missing KMS right, of the role and of the key, with its fix', async () => {
    const without = (action: string) => ({
      ...policies.role,
      Statement: policies.role.Statement.filter(({ Action }) => !Action.includes(action)),
    })
    expect(await diagnose(healthy(), { rolePolicy: without('kms:GenerateDataKey') })).toMatchObject([
      { what: 'missing-right', rule: 'archive', text: expect.stringContaining('kms:Encrypt') },
      {
        severity: 'broken',
        what: 'missing-right',
        text: `archive: the role may not kms:GenerateDataKey on ${replicaKey}.`,
        fix: `Allow kms:GenerateDataKey on ${replicaKey} in the policy of the role: see replicationPolicies().role.`,
      },
    ])
    expect(await diagnose(healthy(), { rolePolicy: without('kms:Decrypt') })).toMatchObject([
      { text: expect.stringContaining('kms:Decrypt') },
    ])
    const closed = { [replicaKey]: { Version: '2012-10-17', Statement: [] } }
    const found = await diagnose(healthy(), { keyPolicies: closed })
    expect(found.map(({ fix }) => fix)).toEqual(
      Array(2).fill('Add the statement of replicationPolicies().keys to the key policy.'),
    )
  })

  it('finds a missing owner override', async () => {
    const buckets = healthy()
    const [statement] = policies.destinationBuckets['archive']!.Statement
    const actions = (statement!.Action as string[]).filter((action) => !action.includes('Owner'))
    buckets.archive.policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, Action: actions }] })
    expect(await diagnose(buckets)).toMatchObject([{ text: expect.stringContaining('s3:ObjectOwnerOverrideToBucketOwner') }])
  })

  it('samples the status of objects, and says what FAILED means', async () => {
    const { findings, sampled } = await diagnoseReplication({
      bucket: 'lake',
      client: fakeS3(healthy()).client,
      ...rights,
      sampleKeys: ['a', 'b', 'c', 'gone'],
    })
    expect(sampled).toEqual({ COMPLETED: 1, FAILED: 1, NONE: 1, GONE: 1 })
    expect(findings.find(({ what }) => what === 'failed-objects')!.text).toContain('lifecycle neither moves nor deletes them')
  })

  it('what it may not read is said, not guessed', async () => {
    const { client } = fakeS3(healthy(), (command, input) => {
      if (input['Bucket'] === 'archive' && command !== 'GetBucketVersioningCommand') throw s3Error('AccessDenied', 403)
    })
    const { findings } = await diagnoseReplication({ bucket: 'lake', client, ...rights, rolePolicy: undefined })
    expect(findings.filter(({ severity }) => severity === 'unknown').map(({ what, rule }) => `${what} ${rule}`)).toEqual([
      'requester-pays archive',
      'destination-policy archive',
      'role-policy archive',
      'role-policy copy',
    ])
  })

  it('knows the reasons of S3', () => {
    expect(replicationFailureFix('DstKmsKeyNotFound')).toMatchObject({ fix: expect.stringContaining('kmsKeyArn') })
    expect(replicationFailureFix('SrcGetObjectNotPermitted')!.fix).toContain('s3:GetObjectVersionForReplication')
    expect(replicationFailureFix('toString')).toBeUndefined()
  })
})

describe('backfillJob', () => {
  it('is a batch replication of what was never replicated and what failed', () => {
    const job = backfillJob({
      account: '111111111111',
      sourceBucket: 'lake',
      roleArn,
      report: { bucket: 'reports', prefix: 'r/' },
      prefixes: ['compacted/'],
    })
    expect(job.createJob).toMatchObject({
      Operation: { S3ReplicateObject: {} },
      ConfirmationRequired: true,
      ManifestGenerator: {
        S3JobManifestGenerator: {
          SourceBucket: 'arn:aws:s3:::lake',
          Filter: {
            EligibleForReplication: true,
            ObjectReplicationStatuses: ['NONE', 'FAILED'],
            KeyNameConstraint: { MatchAnyPrefix: ['compacted/'] },
          },
        },
      },
    })
    expect(JSON.stringify(job.role)).toContain('s3:InitiateReplication')
    expect(JSON.stringify(job.trust)).toContain('batchoperations.s3.amazonaws.com')
  })
})
