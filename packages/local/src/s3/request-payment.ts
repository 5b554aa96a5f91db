import { sendEmpty } from './respond'
import { bucketArn, checkOwner, type S3Context, type S3Request } from './s3-request'
import { receiveShape, sendShape } from './shaped-body'
import { type ObjectShape, oneOf, required } from './xml-shape'

const shape: ObjectShape = { Payer: required(oneOf('BucketOwner', 'Requester')) }

/** GetBucketRequestPayment. */
export async function getRequestPayment(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:GetBucketRequestPayment', bucketArn(request.bucket))
  checkOwner(context, request)
  const { payer = 'BucketOwner' } = context.store.bucket(request.bucket).configuration
  sendShape(request, 'RequestPaymentConfiguration', shape, { Payer: payer })
}

/** PutBucketRequestPayment. */
export async function putRequestPayment(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:PutBucketRequestPayment', bucketArn(request.bucket))
  checkOwner(context, request)
  context.store.bucket(request.bucket)
  const { Payer } = await receiveShape<{ Payer: 'BucketOwner' | 'Requester' }>(request, 'RequestPaymentConfiguration', shape)
  context.store.bucket(request.bucket).configure('payer', Payer)
  sendEmpty(request.call, 200)
}
