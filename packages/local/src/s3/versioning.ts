import { AwsError } from '../service'
import { sendEmpty } from './respond'
import { bucketArn, checkOwner, type S3Context, type S3Request } from './s3-request'
import { receiveShape, sendShape } from './shaped-body'
import { type ObjectShape, oneOf, optional } from './xml-shape'

const shape: ObjectShape = {
  Status: optional(oneOf('Enabled', 'Suspended')),
  MfaDelete: optional(oneOf('Enabled', 'Disabled')),
}

interface VersioningDocument {
  readonly Status?: 'Enabled' | 'Suspended'
  readonly MfaDelete?: 'Enabled' | 'Disabled'
}

/** GetBucketVersioning: empty for a bucket that never had it. */
export async function getBucketVersioning(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:GetBucketVersioning', bucketArn(request.bucket))
  checkOwner(context, request)
  const { versioning } = context.store.bucket(request.bucket).configuration
  sendShape(request, 'VersioningConfiguration', shape, versioning === undefined ? {} : { Status: versioning })
}

/** PutBucketVersioning: on or suspended, never off again. */
export async function putBucketVersioning(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:PutBucketVersioning', bucketArn(request.bucket))
  checkOwner(context, request)
  context.store.bucket(request.bucket)
  const { Status, MfaDelete } = await receiveShape<VersioningDocument>(request, 'VersioningConfiguration', shape, {
    checksum: false,
  })
  if (MfaDelete === 'Enabled') throw new AwsError('NotImplemented', 'The local S3 does not implement MfaDelete.', 501)
  if (Status === undefined) {
    const text = 'The Versioning element must be specified'
    throw new AwsError('IllegalVersioningConfigurationException', text)
  }
  const index = context.store.bucket(request.bucket)
  const { objectLock, replication } = index.configuration
  if (Status === 'Suspended' && objectLock) {
    const text = 'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.'
    throw new AwsError('InvalidBucketState', text, 409)
  }
  if (Status === 'Suspended' && replication) {
    const text = 'A replication configuration is present on this bucket, so the versioning state cannot be changed.'
    throw new AwsError('InvalidBucketState', text, 409)
  }
  index.configure('versioning', Status)
  sendEmpty(request.call, 200)
}
