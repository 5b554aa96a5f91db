import { checkOptions } from '@pipe/core/internal'
import type { ReplicationStatus } from './stored-object'

/** What {@link backfillJob} takes. */
export interface BackfillJobOptions {
  /** Id of the account of the source, twelve digits. */
  readonly account: string
  /** The bucket whose objects are replicated. */
  readonly sourceBucket: string
  /** Role of the job; must trust `batchoperations.s3.amazonaws.com` and may `s3:InitiateReplication`. */
  readonly roleArn: string
  /** Where the completion report goes, in the Region of the source. */
  readonly report: { readonly bucket: string; readonly prefix: string }
  /** Which objects. Default those that were never replicated and those that failed. */
  readonly statuses?: readonly ('NONE' | Exclude<ReplicationStatus, 'PENDING'>)[] | undefined
  /** Only objects written before. Default: all. */
  readonly createdBefore?: Date | undefined
  /** Only keys that begin with one of these. Default: all. */
  readonly prefixes?: readonly string[] | undefined
  /** Default 10. */
  readonly priority?: number | undefined
}

/** Input of `CreateJob` of `@aws-sdk/client-s3-control`, and the policies of the job's role. */
export interface BackfillJob {
  readonly createJob: object
  readonly trust: object
  readonly role: object
  readonly notes: readonly string[]
}

/**
 * A job of S3 Batch Replication for objects that live replication does not reach: those written before the rule, and those that failed. It
 * waits for a confirmation in the console or by `UpdateJobStatus`.
 *
 * @example
 * ```ts
 * const { createJob } = backfillJob({ account, sourceBucket: 'lake', roleArn, report: { bucket: 'reports', prefix: 'replication/' } })
 * await s3Control.send(new CreateJobCommand({ ...createJob, ClientRequestToken: randomUUID() }))
 * ```
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
 */
export function backfillJob(options: BackfillJobOptions): BackfillJob {
  checkOptions('backfillJob', options, {
    required: ['account', 'sourceBucket', 'roleArn', 'report'],
    optional: ['statuses', 'createdBefore', 'prefixes', 'priority'],
  })
  const {
    account,
    sourceBucket,
    roleArn,
    report,
    statuses = ['NONE', 'FAILED'],
    createdBefore,
    prefixes,
    priority = 10,
  } = options
  const source = `arn:aws:s3:::${sourceBucket}`
  const reports = `arn:aws:s3:::${report.bucket}`
  const allow = (Action: readonly string[], Resource: string) => ({ Effect: 'Allow', Action, Resource })
  return {
    createJob: {
      AccountId: account,
      ConfirmationRequired: true,
      Operation: { S3ReplicateObject: {} },
      Report: {
        Enabled: true,
        Bucket: reports,
        Prefix: report.prefix,
        Format: 'Report_CSV_20180820',
        ReportScope: 'AllTasks',
      },
      ManifestGenerator: {
        S3JobManifestGenerator: {
          ExpectedBucketOwner: account,
          SourceBucket: source,
          EnableManifestOutput: false,
          Filter: {
            EligibleForReplication: true,
            ObjectReplicationStatuses: [...statuses],
            ...(createdBefore !== undefined && { CreatedBefore: createdBefore }),
            ...(prefixes !== undefined && { KeyNameConstraint: { MatchAnyPrefix: [...prefixes] } }),
          },
        },
      },
      Priority: priority,
      RoleArn: roleArn,
      Description: `Replicate ${statuses.join(', ')} objects of ${sourceBucket}`,
    },
    trust: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'batchoperations.s3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    },
    role: {
      Version: '2012-10-17',
      Statement: [
        allow(['s3:InitiateReplication'], `${source}/*`),
        allow(['s3:GetReplicationConfiguration', 's3:PutInventoryConfiguration'], source),
        allow(['s3:PutObject'], `${reports}/${report.prefix}*`),
      ],
    },
    notes: [
      'The bucket needs its replication before the job is made.',
      'Disable lifecycle rules of the source while it runs: S3 does not replicate what they delete or move meanwhile.',
      'Objects in GLACIER and DEEP_ARCHIVE are not replicated: restore them first.',
    ],
  }
}
