import { contractOf, type EventContract } from './contract'
import { type Shape, shape } from './shape'

const { object, text, number, optional, boolean } = shape
const open = { open: true } as const

/** Detail of S3's events about one object. */
export interface S3EventDetail {
  readonly version: string
  readonly bucket: { readonly name: string }
  readonly object: {
    readonly key: string
    readonly size?: number
    readonly etag?: string
    readonly 'version-id'?: string
    readonly sequencer?: string
  }
  readonly 'request-id'?: string
  readonly requester?: string
  readonly 'source-ip-address'?: string
  /** `PutObject`, `CompleteMultipartUpload`, `DeleteObject`, `Lifecycle Expiration` … */
  readonly reason?: string
  /** `Permanently Deleted` or `Delete Marker Created`; for deletions. */
  readonly 'deletion-type'?: string
}

/** Detail of CodeCommit's events about a branch or a tag. */
export interface CodeCommitReferenceDetail {
  /** `referenceCreated`, `referenceUpdated` or `referenceDeleted`. */
  readonly event: string
  readonly repositoryName: string
  readonly repositoryId: string
  readonly referenceType?: string
  readonly referenceName?: string
  readonly referenceFullName?: string
  readonly commitId?: string
  readonly oldCommitId?: string
  readonly callerUserArn?: string
}

/** Detail of Athena's events about the state of a query. */
export interface AthenaQueryStateDetail {
  readonly currentState: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'
  readonly previousState?: 'QUEUED' | 'RUNNING'
  readonly queryExecutionId: string
  readonly sequenceNumber: string
  readonly statementType?: string
  readonly versionId: string
  readonly workgroupName: string
  readonly athenaError?: {
    readonly errorCategory: number
    readonly errorType: number
    readonly errorMessage: string
    readonly retryable: boolean
  }
}

const s3Detail: Shape<S3EventDetail> = object(
  {
    version: text(),
    bucket: object({ name: text() }, open),
    object: object(
      {
        key: text(),
        size: optional(number({ min: 0 })),
        etag: optional(text()),
        'version-id': optional(text()),
        sequencer: optional(text()),
      },
      open,
    ),
    'request-id': optional(text()),
    requester: optional(text()),
    'source-ip-address': optional(text()),
    reason: optional(text()),
    'deletion-type': optional(text()),
  },
  open,
)
const codeCommitDetail: Shape<CodeCommitReferenceDetail> = object(
  {
    event: text(),
    repositoryName: text(),
    repositoryId: text(),
    referenceType: optional(text()),
    referenceName: optional(text()),
    referenceFullName: optional(text()),
    commitId: optional(text()),
    oldCommitId: optional(text()),
    callerUserArn: optional(text()),
  },
  open,
)
const athenaDetail: Shape<AthenaQueryStateDetail> = object(
  {
    currentState: shape.oneOf('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'),
    previousState: optional(shape.oneOf('QUEUED', 'RUNNING')),
    queryExecutionId: text(),
    sequenceNumber: text(),
    statementType: optional(text()),
    versionId: text(),
    workgroupName: text(),
    athenaError: optional(
      object({ errorCategory: number(), errorType: number(), errorMessage: text(), retryable: boolean() }, open),
    ),
  },
  open,
)
const nothing: Shape<object> = object({})

function aws<T, const Source extends string, const Type extends string>(
  source: Source,
  type: Type,
  detail: Shape<T>,
): EventContract<T, Source, Type> {
  return contractOf(`${source} ${type}`, source, type, detail)
}

/**
 * Contracts of events that AWS itself sends. Fields beyond those listed are let through: AWS adds some now and then.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 * @see https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
 * @see https://docs.aws.amazon.com/athena/latest/ug/athena-events.html
 * @example
 * ```ts
 * eventPattern(awsEvents.s3ObjectCreated, { detail: { bucket: { name: ['lake'] }, object: { key: [{ prefix: 'raw/' }] } } })
 * ```
 */
export const awsEvents: {
  /** An object was written (`reason` says by which call). */
  readonly s3ObjectCreated: EventContract<S3EventDetail, 'aws.s3', 'Object Created'>
  /** An object or a version was deleted, by a call or by a lifecycle rule. */
  readonly s3ObjectDeleted: EventContract<S3EventDetail, 'aws.s3', 'Object Deleted'>
  /** A rule with a schedule fired. */
  readonly scheduled: EventContract<object, 'aws.events', 'Scheduled Event'>
  /** A branch or a tag of a CodeCommit repository was made, moved or deleted. */
  readonly codeCommitReferenceChanged: EventContract<
    CodeCommitReferenceDetail,
    'aws.codecommit',
    'CodeCommit Repository State Change'
  >
  /** A query of Athena changed its state. */
  readonly athenaQueryStateChanged: EventContract<AthenaQueryStateDetail, 'aws.athena', 'Athena Query State Change'>
} = Object.freeze({
  s3ObjectCreated: aws('aws.s3', 'Object Created', s3Detail),
  s3ObjectDeleted: aws('aws.s3', 'Object Deleted', s3Detail),
  scheduled: aws('aws.events', 'Scheduled Event', nothing),
  codeCommitReferenceChanged: aws('aws.codecommit', 'CodeCommit Repository State Change', codeCommitDetail),
  athenaQueryStateChanged: aws('aws.athena', 'Athena Query State Change', athenaDetail),
})
