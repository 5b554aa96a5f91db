import { open } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { AwsError } from '../service'
import { checkReadable } from './archive'
import { smallBodyBytes } from './body-files'
import { type ByteRange, parseRange } from './byte-range'
import { failedRead, preconditionFailed, readConditions } from './conditions'
import { authorizeDecrypt } from './kms-key'
import { expirationHeader } from './lifecycle/expiration-header'
import { objectHeaders, overrideHeaders, stateHeaders } from './object-headers'
import type { ObjectRecord } from './object-record'
import { sendEmpty } from './respond'
import { authorizeObject, checkOwner, header, type S3Context, type S3Request } from './s3-request'
import type { Store } from './store'
import { findObject, versionedAction, versionHeader } from './versions'

const readBlockBytes = 512 << 10

/** GetObject and HeadObject. */
export async function getObject(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  const { response } = request.call
  authorizeObject(context, request, versionedAction(request, 's3:GetObject'))
  checkOwner(context, request)
  const index = store.bucket(request.bucket)
  const record = findObject(context, request, index)
  authorizeDecrypt(context, request, request.bucket, record)
  const failed = failedRead(record, readConditions(request.headers))
  if (failed?.status === 412) throw preconditionFailed(failed.header)
  if (failed) {
    const { etag, 'last-modified': lastModified, 'cache-control': cacheControl } = objectHeaders(record, false)
    sendEmpty(request.call, 304, {
      etag,
      'last-modified': lastModified,
      ...(cacheControl ? { 'cache-control': cacheControl } : {}),
      ...versionHeader(index, record),
    })
    return
  }
  if (request.method !== 'HEAD') checkReadable(record, store.now(), 'object')
  const part = requestedPart(request, record)
  const range = part ?? parseRange(header(request, 'range'), record.size)
  // A checksum covers the whole object, so it goes only with the whole object.
  const whole = range === undefined || (range.start === 0 && range.end === record.size - 1)
  const headers = objectHeaders(record, whole && header(request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED')
  Object.assign(headers, stateHeaders(store, index, record))
  if (!request.query.has('versionId')) Object.assign(headers, expirationHeader(index, record))
  overrideHeaders(headers, request.query)
  if (request.query.has('partNumber') && record.partSizes) headers['x-amz-mp-parts-count'] = String(record.partSizes.length)
  const length = range ? range.end - range.start + 1 : record.size
  headers['content-length'] = String(length)
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${record.size}`
  const status = range ? 206 : 200
  if (request.method === 'HEAD') {
    response.writeHead(status, headers)
    response.end()
  } else if (record.size <= smallBodyBytes) {
    const bytes = wholeBody(store, record)
    response.writeHead(status, headers)
    response.end(range ? bytes.subarray(range.start, range.end + 1) : bytes)
  } else {
    await stream(store.bodies.path(record.body), record, range ?? { start: 0, end: record.size - 1 }, response, status, headers)
  }
}

function wholeBody(store: Store, record: ObjectRecord): Buffer {
  const bytes = store.bodies.read(record.body)
  if (bytes.length !== record.size) throw damaged(store, record, bytes.length)
  return bytes
}

async function stream(
  path: string,
  record: ObjectRecord,
  range: ByteRange,
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
): Promise<void> {
  // Opened before the headers go out, so that a missing file is an error answer and not a cut connection.
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size !== record.size)
      throw new AwsError('InternalError', `The body file ${path} has ${size} bytes instead of ${record.size}.`, 500)
    response.writeHead(status, headers)
    await pipeline(
      file.createReadStream({ start: range.start, end: range.end, highWaterMark: readBlockBytes, autoClose: false }),
      response,
    )
  } catch (error) {
    // The client went away: nobody is left to be told.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  } finally {
    await file.close()
  }
}

function damaged(store: Store, record: ObjectRecord, size: number): AwsError {
  return new AwsError(
    'InternalError',
    `The body file ${store.bodies.path(record.body)} has ${size} bytes instead of ${record.size}.`,
    500,
  )
}

function requestedPart(request: S3Request, record: ObjectRecord): ByteRange | undefined {
  const text = request.query.get('partNumber')
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new AwsError('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive', 400, {
      ArgumentName: 'partNumber',
      ArgumentValue: text,
    })
  }
  if (header(request, 'range') !== undefined) {
    throw new AwsError('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter')
  }
  const sizes = record.partSizes ?? [record.size]
  const size = sizes[number - 1]
  if (size === undefined) throw new AwsError('InvalidPartNumber', 'The requested partnumber is not satisfiable', 416)
  if (size === 0) return undefined
  const start = sizes.slice(0, number - 1).reduce((sum, part) => sum + part, 0)
  return { start, end: start + size - 1 }
}
