import {
  GetBucketPolicyCommand,
  GetBucketRequestPaymentCommand,
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { readVersioning } from './configuration-store'
import { LifecycleError } from './errors'
import type { ReplicationRuleDocument } from './replication'
import { readReplication } from './replication-plan'
import { type PolicyDocument, policyAllows, replicationActions } from './replication-policy'
import { type BucketCalls, bucketCalls, type S3Options, s3OptionNames, statusOf } from './s3-call'

/** What {@link diagnoseReplication} takes. */
export interface DiagnoseReplicationOptions extends S3Options {
  /** The source bucket. */
  readonly bucket: string
  /** Client of an account that may read the destination buckets. Default: the same client. */
  readonly destinationClient?: S3Client | undefined
  /** Permissions of the role, all its policies in one document (IAM is not asked). Without it rights are not checked. */
  readonly rolePolicy?: PolicyDocument | undefined
  /** Key policies by key ARN, of keys in other accounts. */
  readonly keyPolicies?: Readonly<Record<string, PolicyDocument>> | undefined
  /** Keys that objects of the source are encrypted with. */
  readonly sourceKmsKeyArns?: readonly string[] | undefined
  /** Keys whose replication status is looked at. */
  readonly sampleKeys?: readonly string[] | undefined
}

/** One thing that keeps objects from being replicated, or may. */
export interface ReplicationFinding {
  readonly severity: 'broken' | 'doubtful' | 'unknown'
  /** `no-replication`, `destination-unversioned`, `missing-right` … */
  readonly what: string
  /** Id of the rule; `undefined`: all. */
  readonly rule: string | undefined
  readonly text: string
  readonly fix: string
}

/** What {@link diagnoseReplication} returns. */
export interface ReplicationDiagnosis {
  readonly findings: readonly ReplicationFinding[]
  /** Sampled objects by status; `NONE` was never to be replicated. */
  readonly sampled: Readonly<Record<string, number>>
}

type Note = (severity: ReplicationFinding['severity'], what: string, rule: string | undefined, text: string, fix: string) => void

/**
 * Looks for what makes replication fail without a word: both versionings, Object Lock, requester pays, the rights of the role on source,
 * destination and keys, the destination's bucket policy, ownership, and the status of some objects. Reads only.
 *
 * What it may not read is a finding of its own (`unknown`), with the permission.
 *
 * @throws {@link PipeError} `PIPE_IAM_DENIED` when the replication itself may not be read.
 */
export async function diagnoseReplication(options: DiagnoseReplicationOptions): Promise<ReplicationDiagnosis> {
  checkOptions('diagnoseReplication', options, {
    required: ['bucket'],
    optional: ['destinationClient', 'rolePolicy', 'keyPolicies', 'sourceKmsKeyArns', 'sampleKeys', ...s3OptionNames],
  })
  const findings: ReplicationFinding[] = []
  const note: Note = (severity, what, rule, text, fix) => findings.push({ severity, what, rule, text, fix })
  const { bucket } = options
  const calls = bucketCalls('diagnoseReplication', bucket, options)
  try {
    const document = await readReplication(calls)
    if (document === undefined) {
      note('broken', 'no-replication', undefined, `${bucket} has no replication.`, 'Plan and apply one.')
      return { findings, sampled: {} }
    }
    const versioning = await readVersioning(calls)
    if (versioning !== 'enabled')
      note('broken', 'source-unversioned', undefined, `${bucket} is ${versioning}.`, 'Enable versioning on it.')
    const isLocked = await hasObjectLock(calls)
    for (const rule of document.Rules) {
      checkRule(note, rule)
      await checkDestination(note, options, rule, document.Role, isLocked)
      checkRole(note, options, rule)
    }
    const sampled = await sample(note, calls, options.sampleKeys ?? [])
    return { findings, sampled }
  } finally {
    calls.close()
  }
}

const bucketOf = ({ Destination }: ReplicationRuleDocument) => Destination.Bucket.split(':').at(-1)!

const field = (value: unknown, name: string): unknown => (value as Record<string, unknown> | undefined)?.[name]

function checkRule(note: Note, rule: ReplicationRuleDocument): void {
  const { ID, Status } = rule
  if (Status !== 'Enabled') note('doubtful', 'rule-disabled', ID, `${ID} is disabled.`, 'Enable it, if it is meant to work.')
  if (rule.Filter === undefined)
    note(
      'doubtful',
      'version-1',
      ID,
      `${ID} is of version 1 (a prefix on the rule itself).`,
      'Write it with Filter, Priority and DeleteMarkerReplication.',
    )
  const kms = field(field(rule.SourceSelectionCriteria, 'SseKmsEncryptedObjects'), 'Status') === 'Enabled'
  if (!kms)
    note(
      'doubtful',
      'kms-skipped',
      ID,
      `${ID} skips objects that are encrypted with KMS.`,
      'Set kmsObjects and destination.kmsKeyArn if there are any.',
    )
}

async function checkDestination(
  note: Note,
  options: DiagnoseReplicationOptions,
  rule: ReplicationRuleDocument,
  role: string,
  isSourceLocked: boolean | undefined,
): Promise<void> {
  const destination = bucketOf(rule)
  const { ID } = rule
  const client = options.destinationClient ?? options.client
  const { signal } = options
  const account = field(rule.Destination, 'Account') as string | undefined
  const calls = bucketCalls('diagnoseReplication', destination, {
    ...(client && { client }),
    ...(account !== undefined && { expectedBucketOwner: account }),
    signal,
  })
  const known = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read()
    } catch (error) {
      signal?.throwIfAborted()
      if (LifecycleError.isInstance(error) && error.code === 'PIPE_LIFECYCLE_BUCKET') {
        note(
          'broken',
          'destination-missing',
          ID,
          `${ID}: there is no bucket ${destination}.`,
          'Create it with versioning, or correct its name.',
        )
        return undefined
      }
      if (!PipeError.isInstance(error) || error.code !== 'PIPE_IAM_DENIED') throw error
      const { action } = error.details as { action: string }
      note(
        'unknown',
        what,
        ID,
        `${ID}: ${destination} may not be looked at (${action}).`,
        `Give destinationClient an identity that may ${action}.`,
      )
      return undefined
    }
  }
  try {
    const versioning = await known('destination-versioning', () => readVersioning(calls))
    if (versioning === undefined) return
    if (versioning !== 'enabled')
      note('broken', 'destination-unversioned', ID, `${ID}: ${destination} is ${versioning}.`, 'Enable versioning on it.')
    if (isSourceLocked && (await known('destination-lock', () => hasObjectLock(calls))) === false)
      note(
        'broken',
        'destination-unlocked',
        ID,
        `${ID}: the source has Object Lock, ${destination} has not.`,
        'Enable Object Lock on it.',
      )
    const payer = await known('requester-pays', () =>
      calls.send('s3:GetBucketRequestPayment', (s3, place, send) => s3.send(new GetBucketRequestPaymentCommand(place), send)),
    )
    if (payer?.Payer === 'Requester')
      note('broken', 'requester-pays', ID, `${ID}: ${destination} is Requester Pays.`, 'Let the owner pay; replication cannot.')
    const ownAccount = role.split(':')[4]!
    if (account === undefined || account === ownAccount) return
    const policy = await known('destination-policy', () => readPolicy(calls))
    if (policy === undefined) return
    for (const action of destinationActions(rule)) {
      const resource = `arn:aws:s3:::${destination}/any-key`
      if (policy !== null && policyAllows(policy, action, resource, role).isAllowed) continue
      const fix = `Add it to the policy of ${destination}: see replicationPolicies().destinationBuckets.`
      note('broken', 'missing-right', ID, `${ID}: the policy of ${destination} does not allow ${role} to ${action}.`, fix)
    }
    if (!destinationActions(rule).includes(replicationActions.ownerOverride))
      note(
        'doubtful',
        'ownership',
        ID,
        `${ID}: replicas in ${destination} belong to account ${ownAccount}.`,
        'Set ownerOverride if the other account should read them.',
      )
  } finally {
    calls.close()
  }
}

function destinationActions(rule: ReplicationRuleDocument): string[] {
  const isOverridden = field(rule.Destination, 'AccessControlTranslation') !== undefined
  return [...replicationActions.destination, ...(isOverridden ? [replicationActions.ownerOverride] : [])]
}

/** The rights of the role, and of keys of other accounts towards it. */
function checkRole(note: Note, options: DiagnoseReplicationOptions, rule: ReplicationRuleDocument): void {
  const { rolePolicy, bucket, sourceKmsKeyArns = [], keyPolicies = {} } = options
  const { ID } = rule
  if (rolePolicy === undefined) {
    note('unknown', 'role-policy', ID, `${ID}: the rights of the role were not checked.`, 'Give rolePolicy.')
    return
  }
  const replicaKey = field(field(rule.Destination, 'EncryptionConfiguration'), 'ReplicaKmsKeyID') as string | undefined
  const isKms = field(field(rule.SourceSelectionCriteria, 'SseKmsEncryptedObjects'), 'Status') === 'Enabled'
  const source = `arn:aws:s3:::${bucket}`
  const needed: [action: string, resource: string][] = [
    ...replicationActions.sourceBucket.map((action): [string, string] => [action, source]),
    ...replicationActions.sourceObjects.map((action): [string, string] => [action, `${source}/${prefixOf(rule)}any-key`]),
    ...destinationActions(rule).map((action): [string, string] => [action, `${rule.Destination.Bucket}/any-key`]),
    ...(isKms
      ? sourceKmsKeyArns.flatMap((key) => replicationActions.decrypt.map((action): [string, string] => [action, key]))
      : []),
    ...(replicaKey === undefined ? [] : replicationActions.encrypt.map((action): [string, string] => [action, replicaKey])),
  ]
  for (const [action, resource] of needed) {
    if (!policyAllows(rolePolicy, action, resource).isAllowed)
      note(
        'broken',
        'missing-right',
        ID,
        `${ID}: the role may not ${action} on ${resource}.`,
        `Allow ${action} on ${resource} in the policy of the role: see replicationPolicies().role.`,
      )
    const keyPolicy = keyPolicies[resource]
    if (keyPolicy !== undefined && action.startsWith('kms:') && !policyAllows(keyPolicy, action, resource).isAllowed)
      note(
        'broken',
        'missing-right',
        ID,
        `${ID}: the policy of the key ${resource} does not allow ${action}.`,
        'Add the statement of replicationPolicies().keys to the key policy.',
      )
  }
}

function prefixOf(rule: ReplicationRuleDocument): string {
  const prefix = field(rule.Filter, 'Prefix') ?? field(field(rule.Filter, 'And'), 'Prefix') ?? rule.Prefix ?? ''
  return String(prefix)
}

/** `undefined` when that may not be read. */
async function hasObjectLock(calls: BucketCalls): Promise<boolean | undefined> {
  try {
    const answer = await calls.send('s3:GetBucketObjectLockConfiguration', async (client, place, options) => {
      try {
        return await client.send(new GetObjectLockConfigurationCommand(place), options)
      } catch (error) {
        if ((error as Error).name === 'ObjectLockConfigurationNotFoundError') return undefined
        throw error
      }
    })
    return answer?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled'
  } catch (error) {
    if (PipeError.isInstance(error) && error.code === 'PIPE_IAM_DENIED') return undefined
    throw error
  }
}

/** `null`: the bucket has no policy. */
async function readPolicy(calls: BucketCalls): Promise<PolicyDocument | null> {
  const text = await calls.send('s3:GetBucketPolicy', async (client, place, options) => {
    try {
      return (await client.send(new GetBucketPolicyCommand(place), options)).Policy
    } catch (error) {
      if ((error as Error).name === 'NoSuchBucketPolicy') return undefined
      throw error
    }
  })
  return text === undefined ? null : (JSON.parse(text) as PolicyDocument)
}

async function sample(note: Note, calls: BucketCalls, keys: readonly string[]): Promise<Record<string, number>> {
  const sampled: Record<string, number> = {}
  const failed: string[] = []
  for (const key of keys) {
    const status = await calls.send(
      's3:GetObject',
      async (client, place, options) => {
        try {
          return (await client.send(new HeadObjectCommand({ ...place, Key: key }), options)).ReplicationStatus ?? 'NONE'
        } catch (error) {
          if (statusOf(error) === 404) return 'GONE'
          throw error
        }
      },
      key,
    )
    sampled[status] = (sampled[status] ?? 0) + 1
    if (status === 'FAILED') failed.push(key)
  }
  if (failed.length > 0) {
    const text = `${failed.length} of ${keys.length} sampled objects FAILED, for example ${failed[0]}: lifecycle neither moves nor deletes them.`
    note('broken', 'failed-objects', undefined, text, 'Mend the findings above, then replicate them again: see backfillJob.')
  }
  return sampled
}
