import { keyArn } from './kms-key'
import { sendEmpty } from './respond'
import { bucketArn, checkOwner, type S3Context, type S3Request } from './s3-request'
import { receiveShape, sendShape } from './shaped-body'
import { malformedXml } from './xml'
import { list, type ObjectShape, oneOf, optional, required } from './xml-shape'

const shape: ObjectShape = {
  Rule: list({
    ApplyServerSideEncryptionByDefault: required({
      SSEAlgorithm: required(oneOf('AES256', 'aws:kms')),
      KMSMasterKeyID: optional('text'),
    }),
    BucketKeyEnabled: optional('boolean'),
  }),
}

interface EncryptionDocument {
  readonly Rule?: readonly {
    readonly ApplyServerSideEncryptionByDefault: {
      readonly SSEAlgorithm: 'AES256' | 'aws:kms'
      readonly KMSMasterKeyID?: string
    }
  }[]
}

function open(context: S3Context, request: S3Request, action: string) {
  context.authorizer.authorize(request.call.principal, action, bucketArn(request.bucket))
  checkOwner(context, request)
  return context.store.bucket(request.bucket)
}

/** GetBucketEncryption: every bucket has one, by default S3's own keys. */
export async function getBucketEncryption(context: S3Context, request: S3Request): Promise<void> {
  const { kmsKey } = open(context, request, 's3:GetEncryptionConfiguration').configuration
  const byDefault = kmsKey === undefined ? { SSEAlgorithm: 'AES256' } : { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: kmsKey }
  const document = { Rule: [{ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: false }] }
  sendShape(request, 'ServerSideEncryptionConfiguration', shape, document)
}

/** PutBucketEncryption. */
export async function putBucketEncryption(context: S3Context, request: S3Request): Promise<void> {
  open(context, request, 's3:PutEncryptionConfiguration')
  const { Rule = [] } = await receiveShape<EncryptionDocument>(request, 'ServerSideEncryptionConfiguration', shape)
  if (Rule.length !== 1) throw malformedXml()
  const { SSEAlgorithm, KMSMasterKeyID } = Rule[0]!.ApplyServerSideEncryptionByDefault
  const index = context.store.bucket(request.bucket)
  index.configure('kmsKey', SSEAlgorithm === 'aws:kms' ? keyArn(KMSMasterKeyID) : undefined)
  sendEmpty(request.call, 200)
}

/** DeleteBucketEncryption: back to S3's own keys. */
export async function deleteBucketEncryption(context: S3Context, request: S3Request): Promise<void> {
  open(context, request, 's3:PutEncryptionConfiguration').configure('kmsKey', undefined)
  sendEmpty(request.call, 204)
}
