import { checkOptions } from '@pipe/core/internal'
import type { Replication } from './replication'

/** One statement of a policy. */
export interface PolicyStatement {
  readonly Sid?: string | undefined
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: unknown
  readonly Action: string | readonly string[]
  /** Absent in a trust policy. */
  readonly Resource?: string | readonly string[] | undefined
  readonly Condition?: object | undefined
}

/** A policy document. */
export interface PolicyDocument {
  readonly Version: '2012-10-17'
  readonly Statement: readonly PolicyStatement[]
}

/** What {@link replicationPolicies} takes. */
export interface ReplicationPoliciesOptions {
  /** The rules that the policies are made for: {@link defineReplication}. */
  readonly replication: Replication
  /** The bucket that is replicated. */
  readonly sourceBucket: string
  /** Region of the source bucket, for the conditions on keys. */
  readonly sourceRegion: string
  /** Keys that objects of the source are encrypted with; needed when a rule has `kmsObjects`. */
  readonly sourceKmsKeyArns?: readonly string[] | undefined
  /** Region of each destination bucket. Default: that of the source. */
  readonly destinationRegions?: Readonly<Record<string, string>> | undefined
  /** Buckets that use S3 Bucket Keys: the encryption context is then the bucket's ARN instead of the object's. */
  readonly bucketKeys?: readonly string[] | undefined
}

/** Policies of a replication. */
export interface ReplicationPolicies {
  /** Who may assume the role: S3. */
  readonly trust: PolicyDocument
  /** What the role may do. */
  readonly role: PolicyDocument
  /** By bucket in another account: what must stand in its policy. */
  readonly destinationBuckets: Readonly<Record<string, PolicyDocument>>
  /** By key ARN of another account: statements that its key policy needs. */
  readonly keys: Readonly<Record<string, readonly PolicyStatement[]>>
}

/** What reading the source and writing each destination needs (user guide, "Setting up permissions for live replication"). */
export const replicationActions = {
  sourceBucket: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
  sourceObjects: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
  destination: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'],
  ownerOverride: 's3:ObjectOwnerOverrideToBucketOwner',
  decrypt: ['kms:Decrypt'],
  encrypt: ['kms:Encrypt', 'kms:GenerateDataKey'],
} as const

/**
 * The smallest policies with which a replication works: trust and permissions of the role, and what destination buckets and keys of other
 * accounts must allow it. Without them S3 takes the configuration and then fails on every object.
 *
 * @example
 * ```ts
 * const { role, destinationBuckets } = replicationPolicies({ replication, sourceBucket: 'lake', sourceRegion: 'eu-central-1' })
 * ```
 */
export function replicationPolicies(options: ReplicationPoliciesOptions): ReplicationPolicies {
  checkOptions('replicationPolicies', options, {
    required: ['replication', 'sourceBucket', 'sourceRegion'],
    optional: ['sourceKmsKeyArns', 'destinationRegions', 'bucketKeys'],
  })
  const { replication, sourceBucket, sourceRegion, sourceKmsKeyArns = [], destinationRegions = {}, bucketKeys = [] } = options
  const { roleArn, rules } = replication
  const own = roleArn.split(':')[4]!
  const statements: PolicyStatement[] = [
    {
      Sid: 'ReadSourceBucket',
      Effect: 'Allow',
      Action: [...replicationActions.sourceBucket],
      Resource: `arn:aws:s3:::${sourceBucket}`,
    },
    {
      Sid: 'ReadSourceObjects',
      Effect: 'Allow',
      Action: [...replicationActions.sourceObjects],
      Resource: [...new Set(rules.map(({ scope }) => `arn:aws:s3:::${sourceBucket}/${scope.prefix}*`))],
    },
  ]
  const destinationBuckets: Record<string, PolicyDocument> = {}
  const keys: Record<string, PolicyStatement[]> = {}
  for (const bucket of new Set(rules.map(({ destination }) => destination.bucket))) {
    const to = rules.filter(({ destination }) => destination.bucket === bucket)
    const actions = [
      ...replicationActions.destination,
      ...(to.some(({ destination }) => destination.ownerOverride) ? [replicationActions.ownerOverride] : []),
    ]
    const Resource = `arn:aws:s3:::${bucket}/*`
    statements.push({ Sid: sid('Write', bucket), Effect: 'Allow', Action: actions, Resource })
    const isForeign = to.some(({ destination }) => destination.account !== undefined && destination.account !== own)
    if (!isForeign) continue
    destinationBuckets[bucket] = {
      Version: '2012-10-17',
      Statement: [{ Sid: 'Replicas', Effect: 'Allow', Principal: { AWS: roleArn }, Action: actions, Resource }],
    }
  }
  const context = (bucket: string) => `arn:aws:s3:::${bucket}${bucketKeys.includes(bucket) ? '' : '/*'}`
  const keyStatement = (Action: readonly string[], key: string, bucket: string, region: string): PolicyStatement => ({
    Sid: sid(Action.includes('kms:Decrypt') ? 'Decrypt' : 'Encrypt', key.split('/').at(-1)!),
    Effect: 'Allow',
    Action: [...Action],
    Resource: key,
    Condition: {
      StringLike: { 'kms:ViaService': `s3.${region}.amazonaws.com`, 'kms:EncryptionContext:aws:s3:arn': context(bucket) },
    },
  })
  const grant = (statement: PolicyStatement) => {
    statements.push(statement)
    const key = statement.Resource as string
    if (key.split(':')[4] === own) return
    // In a key policy the resource is the key itself.
    keys[key] = [...(keys[key] ?? []), { ...statement, Principal: { AWS: roleArn }, Resource: '*' }]
  }
  if (rules.some(({ kmsObjects }) => kmsObjects))
    for (const key of sourceKmsKeyArns) grant(keyStatement(replicationActions.decrypt, key, sourceBucket, sourceRegion))
  for (const { destination } of uniqueKeys(rules)) {
    const region = destinationRegions[destination.bucket] ?? sourceRegion
    grant(keyStatement(replicationActions.encrypt, destination.kmsKeyArn!, destination.bucket, region))
  }
  return {
    trust: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    },
    role: { Version: '2012-10-17', Statement: statements },
    destinationBuckets,
    keys,
  }
}

function uniqueKeys(rules: Replication['rules']): Replication['rules'] {
  const name = ({ destination }: Replication['rules'][number]) => `${destination.kmsKeyArn} ${destination.bucket}`
  return rules.filter(
    (rule, i) => rule.destination.kmsKeyArn !== undefined && rules.findIndex((other) => name(other) === name(rule)) === i,
  )
}

function sid(what: string, name: string): string {
  return `${what}${name.replaceAll(/[^A-Za-z0-9]/g, '')}`
}

/** Whether a policy allows an action on a resource, and does not deny it. Conditions count as met: they are shown, not evaluated. */
export function policyAllows(
  document: PolicyDocument,
  action: string,
  resource: string,
  principal?: string,
): { readonly isAllowed: boolean; readonly isConditional: boolean } {
  const matching = document.Statement.filter(
    (statement) =>
      listOf(statement.Action).some((pattern) => like(pattern, action, true)) &&
      listOf(statement.Resource ?? '*').some((pattern) => like(pattern, resource)) &&
      (principal === undefined || isPrincipal(statement.Principal, principal)),
  )
  const denies = matching.some(({ Effect, Condition }) => Effect === 'Deny' && Condition === undefined)
  const allows = matching.filter(({ Effect }) => Effect === 'Allow')
  return { isAllowed: allows.length > 0 && !denies, isConditional: allows.every(({ Condition }) => Condition !== undefined) }
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}

function like(pattern: string, text: string, ignoreCase = false): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, ignoreCase ? 'is' : 's').test(text)
}

function isPrincipal(principal: unknown, arn: string): boolean {
  if (principal === '*') return true
  const aws = (principal as { AWS?: string | readonly string[] } | undefined)?.AWS
  if (aws === undefined) return false
  const account = arn.split(':')[4]
  return listOf(aws).some((one) => one === '*' || one === arn || one === account || one === `arn:aws:iam::${account}:root`)
}
