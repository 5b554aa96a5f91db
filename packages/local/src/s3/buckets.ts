import { AwsError, localAccount, localRegion } from '../service'
import { isoSeconds } from './copy-object'
import { receiveDocument } from './receive-body'
import { sendEmpty, sendXml } from './respond'
import { bucketArn, checkOwner, header, type S3Context, type S3Request } from './s3-request'
import { childNodes, childText, element, readXml, textElement, xmlDocument } from './xml'

/** Canonical user id of an account. */
export function canonicalId(account: string): string {
  return account.padStart(64, '0')
}

/** `<Owner>` */
export function ownerElement(account: string): string {
  return element('Owner', textElement('ID', canonicalId(account)) + textElement('DisplayName', 'local'))
}

/** ListBuckets, with prefix and paging. */
export async function listBuckets(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:ListAllMyBuckets', 'arn:aws:s3:::*')
  const prefix = request.query.get('prefix') ?? ''
  const after = Buffer.from(request.query.get('continuation-token') ?? '', 'base64url').toString('utf8')
  const region = request.query.get('bucket-region')
  const limit = Number(request.query.get('max-buckets') ?? 10_000)
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new AwsError('InvalidArgument', 'max-buckets must be an integer between 1 and 10000', 400, {
      ArgumentName: 'max-buckets',
    })
  }
  const account = request.call.principal.account ?? localAccount
  const all = context.store
    .buckets()
    .filter(
      ({ name, location, owner }) =>
        owner === account && name.startsWith(prefix) && name > after && (region === undefined || location === region),
    )
  const page = all.slice(0, limit)
  const token = page.length < all.length ? Buffer.from(page.at(-1)!.name).toString('base64url') : undefined
  const buckets = page.map(({ name, createdAt, location }) =>
    element(
      'Bucket',
      textElement('Name', name) + textElement('CreationDate', isoSeconds(createdAt)) + textElement('BucketRegion', location),
    ),
  )
  sendXml(
    request.call,
    xmlDocument(
      'ListAllMyBucketsResult',
      ownerElement(account) +
        element('Buckets', buckets.join('')) +
        textElement('ContinuationToken', token) +
        (prefix ? textElement('Prefix', prefix) : ''),
    ),
  )
}

/** CreateBucket. Creating a bucket that one owns is no error in us-east-1. */
export async function createBucket(context: S3Context, request: S3Request): Promise<void> {
  const { bucket, call } = request
  context.authorizer.authorize(call.principal, 's3:CreateBucket', bucketArn(bucket))
  checkBucketName(bucket)
  const acl = header(request, 'x-amz-acl')
  if (acl !== undefined && acl !== 'private') {
    throw new AwsError(
      'InvalidBucketAclWithObjectOwnership',
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
      400,
    )
  }
  const { bytes } = await receiveDocument(request, 64 << 10)
  const location = bytes.length === 0 ? undefined : await requestedLocation(bytes)
  const account = call.principal.account ?? localAccount
  const existing = context.store.find(bucket)
  if (existing && existing.owner !== account) {
    const text =
      'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.'
    throw new AwsError('BucketAlreadyExists', text, 409, { BucketName: bucket })
  }
  if (!existing) {
    const index = context.store.createBucket(bucket, location, account)
    if (header(request, 'x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true') {
      index.configure('versioning', 'Enabled')
      index.configure('objectLock', { ObjectLockEnabled: 'Enabled' })
    }
  }
  sendEmpty(call, 200, { location: `/${bucket}`, 'x-amz-bucket-arn': bucketArn(bucket) })
}

async function requestedLocation(bytes: Buffer): Promise<string | undefined> {
  const root = await readXml(bytes, 'CreateBucketConfiguration')
  for (const name of ['Tags', 'Location', 'Bucket']) {
    if (childNodes(root, name).length > 0) {
      throw new AwsError('NotImplemented', `The local S3 does not implement ${name} in CreateBucketConfiguration.`, 501)
    }
  }
  const location = childText(root, 'LocationConstraint')
  if (location === undefined || location === '') return undefined
  // us-east-1 is asked for by leaving the constraint out.
  if (location === localRegion || !/^[A-Za-z]{2}(-[a-z]+)*(-\d)?$/.test(location)) {
    throw new AwsError('InvalidLocationConstraint', 'The specified location-constraint is not valid', 400, {
      LocationConstraint: location,
    })
  }
  return location
}

/** @throws {@link AwsError} InvalidBucketName (rules of the S3 user guide, "Bucket naming rules") */
export function checkBucketName(bucket: string): void {
  if (
    !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) ||
    bucket.includes('..') ||
    /^\d+\.\d+\.\d+\.\d+$/.test(bucket) ||
    /^(xn--|sthree-)/.test(bucket) ||
    /(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(bucket)
  ) {
    throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', 400, { BucketName: bucket })
  }
}

/** DeleteBucket: only an empty one; unfinished uploads go with it. */
export async function deleteBucket(context: S3Context, request: S3Request): Promise<void> {
  const { bucket, call } = request
  context.authorizer.authorize(call.principal, 's3:DeleteBucket', bucketArn(bucket))
  checkOwner(context, request)
  const index = context.store.bucket(bucket)
  if (!index.isEmpty) {
    const isVersioned = index.configuration.versioning !== undefined
    const text = `The bucket you tried to delete is not empty${isVersioned ? '. You must delete all versions in the bucket.' : ''}`
    throw new AwsError('BucketNotEmpty', text, 409, { BucketName: bucket })
  }
  context.store.deleteBucket(bucket)
  sendEmpty(call, 204)
}

/** HeadBucket. */
export async function headBucket(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:ListBucket', bucketArn(request.bucket))
  checkOwner(context, request)
  const { location } = context.store.bucket(request.bucket)
  sendEmpty(request.call, 200, {
    'x-amz-bucket-region': location,
    'x-amz-bucket-arn': bucketArn(request.bucket),
    'x-amz-access-point-alias': 'false',
  })
}

/** GetBucketLocation: empty for us-east-1. */
export async function getBucketLocation(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:GetBucketLocation', bucketArn(request.bucket))
  checkOwner(context, request)
  const { location } = context.store.bucket(request.bucket)
  sendXml(request.call, xmlDocument('LocationConstraint', location === localRegion ? '' : location))
}
