/** Why S3 could not replicate an object, and what to do. */
export interface ReplicationFailureFix {
  readonly reason: string
  readonly meaning: string
  readonly fix: string
}

const role = 'the role of the replication'
const allow = (action: string, where: string) => `Allow ${action} on ${where} in the policy of ${role} (see replicationPolicies).`
const destination = 'the destination bucket; of another account, also in the policy of that bucket'

/** By S3's reason: what it means, what to do. */
const failures: Readonly<Record<string, readonly [meaning: string, fix: string]>> = {
  AssumeRoleNotPermitted: ['S3 may not assume the role.', 'Let s3.amazonaws.com assume it: see replicationPolicies().trust.'],
  DstBucketInvalidRegion: ['The destination is not in the Region of the batch job.', 'Run the job in the Region of the bucket.'],
  DstBucketNotFound: ['The destination bucket does not exist.', 'Create it with versioning, or correct its name.'],
  DstBucketObjectLockConfigMissing: [
    'The source has Object Lock, the destination has not.',
    'Enable Object Lock on the destination.',
  ],
  DstBucketUnversioned: ['The destination has no versioning.', 'Enable versioning on it.'],
  DstDelObjNotPermitted: ['Delete markers may not be replicated.', allow('s3:ReplicateDelete', destination)],
  DstKmsKeyInvalidState: ['The key of the destination is disabled or pending deletion.', 'Enable the key.'],
  DstKmsKeyNotFound: ['The key of the destination does not exist.', 'Give the full ARN of an existing key as kmsKeyArn.'],
  DstMultipartCompleteNotPermitted: ['A large object may not be written.', allow('s3:ReplicateObject', destination)],
  DstMultipartInitNotPermitted: ['A large object may not be written.', allow('s3:ReplicateObject', destination)],
  DstMultipartPartUploadNotPermitted: ['A large object may not be written.', allow('s3:ReplicateObject', destination)],
  DstMultipartUploadNotPermitted: ['A large object may not be written.', allow('s3:ReplicateObject', destination)],
  DstObjectHardDeleted: [
    'The replica was deleted by its version; batch replication does not make it again.',
    'Copy the object instead.',
  ],
  DstPutAclNotPermitted: ['The ACL may not be written.', allow('s3:ReplicateObject', destination)],
  DstPutLegalHoldNotPermitted: ['The legal hold may not be written.', allow('s3:PutObjectLegalHold', destination)],
  DstPutObjectNotPermitted: [
    'The object may not be written.',
    `${allow('s3:ReplicateObject', destination)} With KMS, also kms:Encrypt and kms:GenerateDataKey on the key.`,
  ],
  DstPutRetentionNotPermitted: ['The retention may not be written.', allow('s3:PutObjectRetention', destination)],
  DstPutTaggingNotPermitted: ['Tags may not be written.', allow('s3:ReplicateTags', destination)],
  DstVersionNotFound: ['The replica whose metadata changed is not there.', 'Replicate the object again with a batch job.'],
  InitiateReplicationNotPermitted: [
    'The batch job may not start.',
    'Allow s3:InitiateReplication on the source objects to the role of the job.',
  ],
  SrcBucketInvalidRegion: ['The source is not in the Region of the batch job.', 'Run the job in the Region of the bucket.'],
  SrcBucketNotFound: ['The source bucket does not exist.', 'Correct its name.'],
  SrcBucketReplicationConfigMissing: ['The source has no replication.', 'Apply it first.'],
  SrcGetAclNotPermitted: ['The ACL of the source may not be read.', allow('s3:GetObjectVersionAcl', 'the source objects')],
  SrcGetLegalHoldNotPermitted: [
    'The legal hold of the source may not be read.',
    allow('s3:GetObjectLegalHold', 'the source objects'),
  ],
  SrcGetObjectNotPermitted: [
    'The source may not be read.',
    `${allow('s3:GetObjectVersionForReplication', 'the source objects')} With KMS, also kms:Decrypt on its key.`,
  ],
  SrcGetRetentionNotPermitted: [
    'The retention of the source may not be read.',
    allow('s3:GetObjectRetention', 'the source objects'),
  ],
  SrcGetTaggingNotPermitted: ['Tags of the source may not be read.', allow('s3:GetObjectVersionTagging', 'the source objects')],
  SrcHeadObjectNotPermitted: [
    'The source may not be looked at.',
    allow('s3:GetObjectVersionForReplication', 'the source objects'),
  ],
  SrcKeyNotFound: ['The object is gone.', 'Nothing: it was deleted before it was replicated.'],
  SrcKmsKeyInvalidState: ['The key of the source is disabled or pending deletion.', 'Enable the key.'],
  SrcObjectNotEligible: ['The object does not match any rule (any more).', 'Widen the scope, or leave it.'],
  SrcObjectNotFound: ['The object is gone.', 'Nothing: it was deleted before it was replicated.'],
  SrcReplicationNotPending: [
    'It is replicated already, or was never to be.',
    'Nothing, or a batch job for objects of that status.',
  ],
  SrcVersionNotFound: ['The version is gone.', 'Nothing: it was deleted before it was replicated.'],
}

/**
 * What a failure reason of S3 means (of an event `s3:Replication:OperationFailedReplication` or a batch report) and how to mend it.
 *
 * @returns `undefined` for a reason that is not known here.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
 */
export function replicationFailureFix(reason: string): ReplicationFailureFix | undefined {
  if (!Object.hasOwn(failures, reason)) return undefined
  const [meaning, fix] = failures[reason]!
  return { reason, meaning, fix }
}
