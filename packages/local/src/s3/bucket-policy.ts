import { AwsError } from '../service'
import { receiveDocument } from './receive-body'
import { resourceStatements } from './resource-policy'
import { sendEmpty } from './respond'
import { bucketArn, checkOwner, type S3Context, type S3Request } from './s3-request'

const maxPolicyBytes = 20 << 10

/** PutBucketPolicy. */
export async function putBucketPolicy(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:PutBucketPolicy', bucketArn(request.bucket))
  checkOwner(context, request)
  context.store.bucket(request.bucket)
  const { bytes } = await receiveDocument(request, maxPolicyBytes)
  const policy = bytes.toString('utf8')
  resourceStatements(request.bucket, policy)
  context.store.bucket(request.bucket).configure('policy', policy)
  sendEmpty(request.call, 204)
}

/** GetBucketPolicy: as it was put. */
export async function getBucketPolicy(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:GetBucketPolicy', bucketArn(request.bucket))
  checkOwner(context, request)
  const { policy } = context.store.bucket(request.bucket).configuration
  if (policy === undefined) {
    throw new AwsError('NoSuchBucketPolicy', 'The bucket policy does not exist', 404, { BucketName: request.bucket })
  }
  const bytes = Buffer.from(policy)
  request.call.response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  request.call.response.end(bytes)
}

/** DeleteBucketPolicy. */
export async function deleteBucketPolicy(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:DeleteBucketPolicy', bucketArn(request.bucket))
  checkOwner(context, request)
  context.store.bucket(request.bucket).configure('policy', undefined)
  sendEmpty(request.call, 204)
}
