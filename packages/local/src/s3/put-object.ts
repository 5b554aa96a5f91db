import type { ObjectRecord } from './bucket-index'
import { checksumHeader } from './checksum'
import { checkWrite, type WriteConditions, writeConditions } from './conditions'
import { requestedHeaders } from './object-headers'
import { receiveBody } from './receive-body'
import { sendEmpty } from './respond'
import { authorizeObject, checkOwner, type S3Context, type S3Request } from './s3-request'

/** PutObject, with If-Match and If-None-Match: *. */
export async function putObject(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  const conditions = authorizedWrite(context, request)
  checkOwner(request)
  const headers = requestedHeaders(request)
  // Lost already: answer before the body is read.
  checkWrite(store.bucket(request.bucket), request.key, conditions)
  const body = await receiveBody(store.bodies, request)
  let record: ObjectRecord
  try {
    // From here to the change of the index nothing is awaited: check and commit are one step.
    const index = store.bucket(request.bucket)
    checkWrite(index, request.key, conditions)
    record = {
      key: request.key,
      size: body.size,
      etag: `"${body.md5}"`,
      lastModified: store.now(),
      body: body.body,
      checksum: body.checksum,
      ...headers,
    }
    index.put(record)
  } catch (error) {
    store.bodies.discard(body.body)
    throw error
  }
  sendEmpty(request.call, 200, {
    etag: record.etag,
    'x-amz-server-side-encryption': 'AES256',
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
