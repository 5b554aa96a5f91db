import type { BucketIndex } from './bucket-index'
import { checksumHeader } from './checksum'
import { checkWrite, type WriteConditions, writeConditions } from './conditions'
import { encryptionHeaders } from './kms-key'
import { expirationHeader } from './lifecycle/expiration-header'
import { requestedHeaders } from './object-headers'
import type { ObjectRecord } from './object-record'
import { receiveBody } from './receive-body'
import { sendEmpty } from './respond'
import { authorizeObject, checkOwner, type S3Context, type S3Request } from './s3-request'
import { versionHeader } from './versions'
import { storeObject } from './write-version'

/** PutObject, with If-Match and If-None-Match: *. */
export async function putObject(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  const conditions = authorizedWrite(context, request)
  checkOwner(context, request)
  const headers = requestedHeaders(context, request)
  // Lost already: answer before the body is read.
  checkWrite(store.bucket(request.bucket), request.key, conditions)
  const body = await receiveBody(store.bodies, request)
  let record: ObjectRecord
  try {
    // From here to the change of the index nothing is awaited: check and commit are one step.
    const index = store.bucket(request.bucket)
    checkWrite(index, request.key, conditions)
    record = storeObject(store, index, 's3:ObjectCreated:Put', {
      key: request.key,
      size: body.size,
      etag: `"${body.md5}"`,
      lastModified: store.now(),
      body: body.body,
      checksum: body.checksum,
      ...headers,
    })
  } catch (error) {
    store.bodies.discard(body.body)
    throw error
  }
  sendEmpty(request.call, 200, {
    etag: record.etag,
    ...writtenHeaders(store.bucket(request.bucket), record),
    [checksumHeader(body.checksum.algorithm)]: body.checksum.value,
    'x-amz-checksum-type': body.checksum.type,
  })
}

/**
 * Authorises a write of the object of the request and reads its conditions. If-Match reveals the present ETag, so it takes s3:GetObject
 * as well (S3 user guide, "Conditional writes").
 */
export function authorizedWrite(context: S3Context, request: S3Request): WriteConditions {
  authorizeObject(context, request, 's3:PutObject')
  const conditions = writeConditions(request.headers)
  if (conditions.ifMatch !== undefined) authorizeObject(context, request, 's3:GetObject')
  return conditions
}

/** What the answer to a write tells of the version that it made. */
export function writtenHeaders(index: BucketIndex, record: ObjectRecord): Readonly<Record<string, string>> {
  return { ...encryptionHeaders(record), ...versionHeader(index, record), ...expirationHeader(index, record) }
}
