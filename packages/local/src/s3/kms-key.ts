import { AwsError, localAccount, localRegion, type Principal } from '../service'
import type { ObjectRecord } from './object-record'
import { header, type S3Context, type S3Request } from './s3-request'

/**
 * Objects under SSE-KMS. Nothing is encrypted here: what counts is which key an object names, and whether a caller has the rights on it that S3 would use in
 * its name.
 */

/** The key that AWS makes for an account when a put names none. */
const managedKey = `arn:aws:kms:${localRegion}:${localAccount}:alias/aws/s3`

/**
 * ARN of the key that a put asks for, or that its bucket gives; undefined for S3's own encryption.
 *
 * @throws {@link AwsError} AccessDenied without `kms:GenerateDataKey`, InvalidArgument, NotImplemented (DSSE)
 */
export function requestedKey(context: S3Context, request: S3Request): string | undefined {
  const encryption = header(request, 'x-amz-server-side-encryption')
  const id = header(request, 'x-amz-server-side-encryption-aws-kms-key-id')
  if (encryption === 'aws:kms:dsse' || (encryption !== undefined && encryption !== 'AES256' && encryption !== 'aws:kms')) {
    const text = `The local S3 does not implement the header x-amz-server-side-encryption: ${encryption}.`
    throw new AwsError('NotImplemented', text, 501, { Header: 'x-amz-server-side-encryption' })
  }
  if (id !== undefined && encryption !== 'aws:kms') {
    const text = 'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms'
    throw new AwsError('InvalidArgument', text, 400, { ArgumentName: 'x-amz-server-side-encryption', ArgumentValue: 'null' })
  }
  const key =
    encryption === 'aws:kms'
      ? keyArn(id)
      : encryption === undefined
        ? context.store.find(request.bucket)?.configuration.kmsKey
        : undefined
  if (key !== undefined) authorizeKey(context, request.call.principal, 'kms:GenerateDataKey', key, request.bucket, request.key)
  return key
}

/** The ARN of a key that was named by ARN or id. */
export function keyArn(id: string | undefined): string {
  if (id === undefined || id === '') return managedKey
  return id.startsWith('arn:') ? id : `arn:aws:kms:${localRegion}:${localAccount}:${id.startsWith('alias/') ? id : `key/${id}`}`
}

/** What S3 tells a key about a call in its name. */
export function keyContext(bucket: string, key: string): Readonly<Record<string, string>> {
  return {
    'kms:ViaService': `s3.${localRegion}.amazonaws.com`,
    'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${bucket}/${key}`,
  }
}

/** @throws {@link AwsError} AccessDenied */
function authorizeKey(
  context: S3Context,
  principal: Principal,
  action: 'kms:GenerateDataKey' | 'kms:Decrypt',
  keyArn: string,
  bucket: string,
  key: string,
): void {
  context.authorizer.authorize(principal, action, keyArn, keyContext(bucket, key))
}

/** Asks for the right to read an object that a key encrypts. @throws {@link AwsError} AccessDenied */
export function authorizeDecrypt(context: S3Context, request: S3Request, bucket: string, record: ObjectRecord): void {
  if (record.kmsKey !== undefined) authorizeKey(context, request.call.principal, 'kms:Decrypt', record.kmsKey, bucket, record.key)
}

/** The headers that tell how an object is encrypted. */
export function encryptionHeaders({ kmsKey }: { readonly kmsKey?: string }): Readonly<Record<string, string>> {
  return kmsKey === undefined
    ? { 'x-amz-server-side-encryption': 'AES256' }
    : { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': kmsKey }
}
