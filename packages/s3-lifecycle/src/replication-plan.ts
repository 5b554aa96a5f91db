import { DeleteBucketReplicationCommand, GetBucketReplicationCommand, PutBucketReplicationCommand } from '@aws-sdk/client-s3'
import { checkOptions } from '@pipe/core/internal'
import { readVersioning } from './configuration-store'
import { LifecycleError } from './errors'
import { type Replication, type ReplicationDocument, type ReplicationRuleDocument, replicationDocument } from './replication'
import { type BucketCalls, bucketCalls, type S3Options, s3OptionNames } from './s3-call'

/** What {@link planReplication} takes. */
export interface PlanReplicationOptions extends S3Options {
  /** The source bucket. */
  readonly bucket: string
  /** `'none'` removes the owner's rules. */
  readonly replication: Replication | 'none'
  /** Whose rules these are: their ids begin with it and a colon in the bucket. Default `'pipe'`. */
  readonly owner?: string | undefined
}

/** What has to change in the replication of a bucket. Data: may be kept as JSON. */
export interface ReplicationPlan {
  readonly kind: 'replication-plan'
  readonly bucket: string
  readonly owner: string
  /** What the bucket had; `null`: nothing. */
  readonly observed: ReplicationDocument | null
  /** What it will have; `null`: no replication. */
  readonly desired: ReplicationDocument | null
  readonly changes: readonly { readonly change: 'add' | 'remove' | 'change'; readonly id: string }[]
  readonly foreign: readonly string[]
  /** Why it cannot be applied. */
  readonly refused: readonly string[]
  /** What will not happen by itself, in sentences. */
  readonly notes: readonly string[]
}

/**
 * Compares a replication with that of a bucket. Reads only. Rules of others pass through unchanged.
 *
 * Needs `s3:GetReplicationConfiguration` and `s3:GetBucketVersioning`.
 *
 * @throws {@link PipeError} `PIPE_IAM_DENIED`; {@link LifecycleError} `PIPE_LIFECYCLE_BUCKET`, `PIPE_LIFECYCLE_S3`.
 */
export async function planReplication(options: PlanReplicationOptions): Promise<ReplicationPlan> {
  checkOptions('planReplication', options, { required: ['bucket', 'replication'], optional: ['owner', ...s3OptionNames] })
  const { bucket, replication, owner = 'pipe' } = options
  const calls = bucketCalls('planReplication', bucket, options)
  try {
    const observed = await readReplication(calls)
    const versioning = await readVersioning(calls)
    const plan = mergeReplication(observed, replication === 'none' ? undefined : replicationDocument(replication), owner)
    const refused = [...plan.refused]
    if (plan.desired !== null && versioning !== 'enabled') {
      const text = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
      refused.push(`${text}: ${bucket} is ${versioning}. Enable versioning first.`)
    }
    const notes = plan.changes.some(({ change }) => change === 'add')
      ? [
          'Objects that are there already, and those that lifecycle rules delete or move, are not replicated: see backfillJob for the first.',
        ]
      : []
    return { kind: 'replication-plan', bucket, owner, observed: observed ?? null, ...plan, refused, notes }
  } finally {
    calls.close()
  }
}

/** The replication of a bucket; `undefined` when it has none. A missing permission is an error, never "none". */
export async function readReplication(calls: BucketCalls): Promise<ReplicationDocument | undefined> {
  return calls.send('s3:GetReplicationConfiguration', async (client, place, options) => {
    try {
      const answer = await client.send(new GetBucketReplicationCommand(place), options)
      return answer.ReplicationConfiguration as ReplicationDocument | undefined
    } catch (error) {
      if ((error as Error).name === 'ReplicationConfigurationNotFoundError') return undefined
      throw error
    }
  })
}

function mergeReplication(
  observed: ReplicationDocument | undefined,
  wanted: ReplicationDocument | undefined,
  owner: string,
): Pick<ReplicationPlan, 'desired' | 'changes' | 'foreign' | 'refused'> {
  const isOurs = ({ ID }: ReplicationRuleDocument) => ID?.startsWith(`${owner}:`) === true
  const before = observed?.Rules ?? []
  const ours = (wanted?.Rules ?? []).map((rule) => ({ ...rule, ID: `${owner}:${rule.ID}` }))
  const others = before.filter((rule) => !isOurs(rule))
  const refused: string[] = []
  if (ours.length > 0 && others.some(({ Filter }) => Filter === undefined))
    refused.push(
      'The bucket has rules of version 1 (a prefix on the rule itself), which S3 does not mix with version 2. Convert them first.',
    )
  if (wanted !== undefined && others.length > 0 && observed!.Role !== wanted.Role)
    refused.push(
      `The rules of others use the role ${observed!.Role}; a bucket has one role. Use that one, with the policies of both.`,
    )
  const taken = new Map(others.map(({ Priority, ID }) => [Priority, ID]))
  for (const { ID, Priority } of ours)
    if (taken.has(Priority))
      refused.push(`${ID} has the priority ${Priority}, as ${taken.get(Priority)} of others. Give it another one.`)
  const desired: ReplicationRuleDocument[] = [
    ...before.flatMap((rule) => (isOurs(rule) ? ours.filter(({ ID }) => ID === rule.ID) : [rule])),
    ...ours.filter(({ ID }) => !before.some((rule) => rule.ID === ID)),
  ]
  const changes: { readonly change: 'add' | 'remove' | 'change'; readonly id: string }[] = []
  for (const rule of ours) {
    const old = before.find(({ ID }) => ID === rule.ID)
    if (old === undefined) changes.push({ change: 'add', id: rule.ID })
    else if (sorted(old) !== sorted(rule) || observed!.Role !== wanted!.Role) changes.push({ change: 'change', id: rule.ID })
  }
  for (const rule of before)
    if (isOurs(rule) && !ours.some(({ ID }) => ID === rule.ID)) changes.push({ change: 'remove', id: rule.ID! })
  const Role = wanted?.Role ?? observed?.Role ?? ''
  return {
    desired: desired.length === 0 ? null : { Role, Rules: desired },
    changes,
    foreign: others.map(({ ID }, at) => ID ?? `#${at}`),
    refused,
  }
}

/** Equal for documents that mean the same, whatever the order of their keys and rules. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).sort().join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${key}:${sorted(item)}`)
    .join()}}`
}

/**
 * Writes a planned replication. Reads the bucket again just before and refuses when it changed; reads it back afterwards.
 *
 * Needs `s3:PutReplicationConfiguration`, `s3:GetReplicationConfiguration` and `iam:PassRole` on the role.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_REFUSED`, `PIPE_LIFECYCLE_CHANGED`, `PIPE_LIFECYCLE_UNVERIFIED`; `PIPE_LIFECYCLE_S3` with
 * S3's own text (`Destination bucket must have versioning enabled.` …).
 */
export async function applyReplication(
  plan: ReplicationPlan,
  options: S3Options = {},
): Promise<{ readonly outcome: 'applied' | 'unchanged' }> {
  checkOptions('applyReplication', options, { optional: [...s3OptionNames] })
  if (plan?.kind !== 'replication-plan')
    throw new LifecycleError('PIPE_LIFECYCLE_REFUSED', 'applyReplication takes a plan made by planReplication.')
  const { bucket, desired } = plan
  if (plan.refused.length > 0)
    throw new LifecycleError(
      'PIPE_LIFECYCLE_REFUSED',
      `The plan for ${bucket} is refused:\n${plan.refused.map((text) => `  ${text}`).join('\n')}\n`,
    )
  if (plan.changes.length === 0) return { outcome: 'unchanged' }
  const calls = bucketCalls('applyReplication', bucket, options)
  try {
    if (sorted((await readReplication(calls)) ?? null) !== sorted(plan.observed)) {
      throw new LifecycleError(
        'PIPE_LIFECYCLE_CHANGED',
        `The replication of ${bucket} changed since the plan was made. Nothing was written.`,
        {
          hint: 'Plan again and look at the difference.',
          details: { bucket },
        },
      )
    }
    await calls.send('s3:PutReplicationConfiguration', (client, place, sendOptions) =>
      desired === null
        ? client.send(new DeleteBucketReplicationCommand(place), sendOptions)
        : client.send(new PutBucketReplicationCommand({ ...place, ReplicationConfiguration: desired as never }), sendOptions),
    )
    const shown = await readReplication(calls)
    const isShown = (desired?.Rules ?? []).every((rule) => shown?.Rules.some((other) => other.ID === rule.ID))
    if (!isShown) {
      throw new LifecycleError(
        'PIPE_LIFECYCLE_UNVERIFIED',
        `The replication was written to ${bucket}, but S3 does not show it yet.`,
        {
          hint: 'Plan again after a while: a plan without changes means that it is there.',
          retryable: true,
        },
      )
    }
    return { outcome: 'applied' }
  } finally {
    calls.close()
  }
}
