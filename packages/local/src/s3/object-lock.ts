import { AwsError } from '../service'
import { isLocked, lockModes, type ObjectLockDocument, objectLockShape } from './lock'
import type { ObjectRecord, Retention } from './object-record'
import { sendEmpty } from './respond'
import { authorizeObject, bucketArn, checkOwner, header, type S3Context, type S3Request } from './s3-request'
import { receiveShape, sendShape } from './shaped-body'
import { findObject } from './versions'
import { amendObject } from './write-version'
import { type ObjectShape, oneOf, optional, required } from './xml-shape'

/** PutObjectLockConfiguration: switches Object Lock on (for ever) and sets the retention of new objects. */
export async function putObjectLockConfiguration(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:PutBucketObjectLockConfiguration', bucketArn(request.bucket))
  checkOwner(context, request)
  context.store.bucket(request.bucket)
  const document = await receiveShape<ObjectLockDocument>(request, 'ObjectLockConfiguration', objectLockShape)
  const { Days, Years } = document.Rule?.DefaultRetention ?? { Days: 1 }
  if ((Days === undefined) === (Years === undefined)) {
    throw new AwsError(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
    )
  }
  if ((Days ?? Years)! < 1) {
    throw new AwsError('InvalidArgument', 'Default retention period must be a positive integer value.')
  }
  const index = context.store.bucket(request.bucket)
  if (index.configuration.versioning !== 'Enabled') {
    const text = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
    throw new AwsError('InvalidBucketState', text, 409)
  }
  index.configure('objectLock', document)
  sendEmpty(request.call, 200)
}

/** GetObjectLockConfiguration. */
export async function getObjectLockConfiguration(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:GetBucketObjectLockConfiguration', bucketArn(request.bucket))
  checkOwner(context, request)
  const { objectLock } = context.store.bucket(request.bucket).configuration
  if (objectLock === undefined) {
    const text = 'Object Lock configuration does not exist for this bucket'
    throw new AwsError('ObjectLockConfigurationNotFoundError', text, 404, { BucketName: request.bucket })
  }
  sendShape(request, 'ObjectLockConfiguration', objectLockShape, objectLock)
}

const retentionShape: ObjectShape = { Mode: optional(lockModes), RetainUntilDate: optional('date') }

/** GetObjectRetention. */
export async function getObjectRetention(context: S3Context, request: S3Request): Promise<void> {
  const { record } = lockedObject(context, request, 's3:GetObjectRetention')
  if (!record.retention) throw noObjectLock()
  const { mode, until } = record.retention
  sendShape(request, 'Retention', retentionShape, { Mode: mode, RetainUntilDate: new Date(until).toISOString() })
}

/** PutObjectRetention: longer always, shorter or none only by those who may bypass governance. */
export async function putObjectRetention(context: S3Context, request: S3Request): Promise<void> {
  lockedObject(context, request, 's3:PutObjectRetention')
  const { Mode: mode, RetainUntilDate } = await receiveShape<{ Mode?: Retention['mode']; RetainUntilDate?: string }>(
    request,
    'Retention',
    retentionShape,
  )
  const wanted = retentionOf(mode, RetainUntilDate === undefined ? undefined : Date.parse(RetainUntilDate), context.store.now())
  const { index, record } = lockedObject(context, request, 's3:PutObjectRetention')
  const before = record.retention
  const isWeaker =
    before !== undefined &&
    before.until > context.store.now() &&
    (wanted === undefined || wanted.until < before.until || (before.mode === 'COMPLIANCE' && wanted.mode !== 'COMPLIANCE'))
  if (isWeaker && !(before.mode === 'GOVERNANCE' && mayBypass(context, request))) throw protectedByLock()
  const { retention: _, ...rest } = record
  amendObject(context.store, index, wanted ? { ...rest, retention: wanted } : rest)
  sendEmpty(request.call, 200)
}

const legalHoldShape: ObjectShape = { Status: required(oneOf('ON', 'OFF')) }

/** GetObjectLegalHold. */
export async function getObjectLegalHold(context: S3Context, request: S3Request): Promise<void> {
  const { record } = lockedObject(context, request, 's3:GetObjectLegalHold')
  sendShape(request, 'LegalHold', legalHoldShape, { Status: record.legalHold ? 'ON' : 'OFF' })
}

/** PutObjectLegalHold. */
export async function putObjectLegalHold(context: S3Context, request: S3Request): Promise<void> {
  lockedObject(context, request, 's3:PutObjectLegalHold')
  const { Status } = await receiveShape<{ Status: 'ON' | 'OFF' }>(request, 'LegalHold', legalHoldShape)
  const { index, record } = lockedObject(context, request, 's3:PutObjectLegalHold')
  const { legalHold: _, ...rest } = record
  amendObject(context.store, index, Status === 'ON' ? { ...rest, legalHold: true } : rest)
  sendEmpty(request.call, 200)
}

function lockedObject(context: S3Context, request: S3Request, action: string) {
  authorizeObject(context, request, action)
  checkOwner(context, request)
  const index = context.store.bucket(request.bucket)
  if (!index.configuration.objectLock) throw noLockOnBucket()
  return { index, record: findObject(context, request, index) }
}

/** What a put asks for by the headers `x-amz-object-lock-*`. */
export interface RequestedLock {
  readonly retention?: Retention
  readonly legalHold?: true
}

/** @throws {@link AwsError} InvalidRequest for a bucket without Object Lock, InvalidArgument, AccessDenied (`s3:PutObjectRetention`, `s3:PutObjectLegalHold`) */
export function requestedLock(context: S3Context, request: S3Request): RequestedLock {
  const mode = header(request, 'x-amz-object-lock-mode')
  const date = header(request, 'x-amz-object-lock-retain-until-date')
  const hold = header(request, 'x-amz-object-lock-legal-hold')
  if (mode === undefined && date === undefined && hold === undefined) return {}
  if (!context.store.bucket(request.bucket).configuration.objectLock) throw noLockOnBucket()
  if (mode !== undefined && mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') {
    throw new AwsError('InvalidArgument', 'Unknown wormMode directive.', 400, {
      ArgumentName: 'x-amz-object-lock-mode',
      ArgumentValue: mode,
    })
  }
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF') {
    throw new AwsError('InvalidArgument', 'Legal Hold must be either of ON or OFF', 400, {
      ArgumentName: 'x-amz-object-lock-legal-hold',
    })
  }
  if ((mode === undefined) !== (date === undefined)) {
    const text = 'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied'
    throw new AwsError('InvalidArgument', text)
  }
  const retention = retentionOf(mode, date === undefined ? undefined : Date.parse(date), context.store.now())
  if (retention) authorizeObject(context, request, 's3:PutObjectRetention')
  if (hold) authorizeObject(context, request, 's3:PutObjectLegalHold')
  return { ...(retention && { retention }), ...(hold === 'ON' && { legalHold: true }) }
}

function retentionOf(mode: Retention['mode'] | undefined, until: number | undefined, now: number): Retention | undefined {
  if (mode === undefined && until === undefined) return undefined
  if (mode === undefined || until === undefined || Number.isNaN(until)) {
    throw new AwsError(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
    )
  }
  if (until <= now) throw new AwsError('InvalidArgument', 'The retain until date must be in the future!')
  return { mode, until }
}

/** @throws {@link AwsError} AccessDenied for a version that is locked, except under governance for those who may bypass it and ask to. */
export function checkLock(context: S3Context, request: S3Request, key: string, record: ObjectRecord): void {
  if (!isLocked(record, context.store.now())) return
  if (!record.legalHold && record.retention?.mode === 'GOVERNANCE' && mayBypass(context, request, key)) return
  throw protectedByLock()
}

function mayBypass(context: S3Context, request: S3Request, key: string = request.key): boolean {
  return (
    header(request, 'x-amz-bypass-governance-retention')?.toLowerCase() === 'true' &&
    context.authorizer.isAllowed(request.call.principal, 's3:BypassGovernanceRetention', `${bucketArn(request.bucket)}/${key}`)
  )
}

function protectedByLock(): AwsError {
  return new AwsError('AccessDenied', 'Access Denied because object protected by object lock.', 403)
}

function noObjectLock(): AwsError {
  return new AwsError('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration', 404)
}

function noLockOnBucket(): AwsError {
  return new AwsError('InvalidRequest', 'Bucket is missing Object Lock Configuration')
}
