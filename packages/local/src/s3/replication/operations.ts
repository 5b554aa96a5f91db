import { randomUUID } from 'node:crypto'
import { AwsError } from '../../service'
import { sendEmpty } from '../respond'
import { bucketArn, checkOwner, type S3Context, type S3Request } from '../s3-request'
import { receiveShape, sendShape } from '../shaped-body'
import { type ReplicationDocument, replicationShape } from './document'
import { checkReplication } from './rejections'

function open(context: S3Context, request: S3Request, action: string) {
  context.authorizer.authorize(request.call.principal, action, bucketArn(request.bucket))
  checkOwner(context, request)
  return context.store.bucket(request.bucket)
}

/** PutBucketReplication. The rights of the role are not looked at, as on S3: without them every object fails. */
export async function putReplication(context: S3Context, request: S3Request): Promise<void> {
  open(context, request, 's3:PutReplicationConfiguration')
  const document = await receiveShape<ReplicationDocument>(request, 'ReplicationConfiguration', replicationShape)
  checkReplication(context.store, request.bucket, document)
  context.authorizer.authorize(request.call.principal, 'iam:PassRole', document.Role)
  const Rule = document.Rule.map((rule) => (rule.ID ? rule : { ...rule, ID: randomUUID() }))
  context.store.bucket(request.bucket).configure('replication', { ...document, Rule })
  sendEmpty(request.call, 200)
}

/** GetBucketReplication. */
export async function getReplication(context: S3Context, request: S3Request): Promise<void> {
  const { replication } = open(context, request, 's3:GetReplicationConfiguration').configuration
  if (replication === undefined) {
    const text = 'The replication configuration was not found'
    throw new AwsError('ReplicationConfigurationNotFoundError', text, 404, { BucketName: request.bucket })
  }
  sendShape(request, 'ReplicationConfiguration', replicationShape, replication)
}

/** DeleteBucketReplication. */
export async function deleteReplication(context: S3Context, request: S3Request): Promise<void> {
  open(context, request, 's3:PutReplicationConfiguration').configure('replication', undefined)
  sendEmpty(request.call, 204)
}
