import { AwsError } from '../service'
import type { BucketIndex } from './bucket-index'
import type { ObjectRecord } from './object-record'

/** Conditions on what stands under a key at the moment of a write. */
export interface WriteConditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

/** @throws {@link AwsError} NotImplemented for what S3 does not take on a write: If-None-Match with an ETag, both at once. */
export function writeConditions(headers: Readonly<Record<string, string | string[] | undefined>>): WriteConditions {
  const ifMatch = headers['if-match'] as string | undefined
  const ifNoneMatch = headers['if-none-match'] as string | undefined
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') throw impliedFunctionality('If-None-Match', ifNoneMatch)
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw impliedFunctionality('If-Match,If-None-Match', `${ifMatch},${ifNoneMatch}`)
  return { ifMatch, ifNoneMatch }
}

function impliedFunctionality(header: string, value: string): AwsError {
  return new AwsError('NotImplemented', 'A header you provided implies functionality that is not implemented', 501, {
    Header: header,
    additionalMessage: `${header}: ${value}`,
  })
}

/**
 * Checks the conditions of a write against the index. Exact when the change of the index follows in the same synchronous step.
 *
 * @throws {@link AwsError} PreconditionFailed 412; NoSuchKey 404 for If-Match on a key that does not exist.
 */
export function checkWrite(index: BucketIndex, key: string, conditions: WriteConditions): void {
  if (conditions.ifMatch === undefined && conditions.ifNoneMatch === undefined) return
  const current = index.get(key)
  if (conditions.ifNoneMatch !== undefined && current) throw preconditionFailed('If-None-Match')
  if (conditions.ifMatch !== undefined) {
    if (!current) throw noSuchKey(key)
    if (!etagMatches(conditions.ifMatch, current.etag)) throw preconditionFailed('If-Match')
  }
}

/** Conditions of a read, by the names of their headers without prefix. */
export interface ReadConditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
  readonly ifModifiedSince?: string | undefined
  readonly ifUnmodifiedSince?: string | undefined
}

/** Reads the conditions of a GET or HEAD, or (`prefix` = `x-amz-copy-source-`) of the source of a copy. */
export function readConditions(headers: Readonly<Record<string, string | string[] | undefined>>, prefix = ''): ReadConditions {
  return {
    ifMatch: headers[`${prefix}if-match`] as string | undefined,
    ifNoneMatch: headers[`${prefix}if-none-match`] as string | undefined,
    ifModifiedSince: headers[`${prefix}if-modified-since`] as string | undefined,
    ifUnmodifiedSince: headers[`${prefix}if-unmodified-since`] as string | undefined,
  }
}

/**
 * Evaluates the conditions of a read in the order of RFC 9110 §13.2.2: an ETag condition makes its date condition void.
 * Returns the header that failed, with the status that a GET answers.
 */
export function failedRead(
  record: ObjectRecord,
  conditions: ReadConditions,
): { readonly header: string; readonly status: 304 | 412 } | undefined {
  // Last-Modified has whole seconds, so comparisons have too.
  const modified = Math.floor(record.lastModified / 1000)
  if (conditions.ifMatch !== undefined) {
    if (!etagMatches(conditions.ifMatch, record.etag)) return { header: 'If-Match', status: 412 }
  } else if (conditions.ifUnmodifiedSince !== undefined) {
    const since = seconds(conditions.ifUnmodifiedSince)
    if (since !== undefined && modified > since) return { header: 'If-Unmodified-Since', status: 412 }
  }
  if (conditions.ifNoneMatch !== undefined) {
    if (etagMatches(conditions.ifNoneMatch, record.etag)) return { header: 'If-None-Match', status: 304 }
  } else if (conditions.ifModifiedSince !== undefined) {
    const since = seconds(conditions.ifModifiedSince)
    if (since !== undefined && modified <= since) return { header: 'If-Modified-Since', status: 304 }
  }
  return undefined
}

// An unreadable date makes the condition void (RFC 9110 §13.1.3).
function seconds(date: string): number | undefined {
  const at = Date.parse(date)
  return Number.isNaN(at) ? undefined : Math.floor(at / 1000)
}

/** Whether a header value (`*`, or ETags with or without quotes, separated by commas) names `etag`. */
export function etagMatches(header: string, etag: string): boolean {
  if (header.trim() === '*') return true
  const bare = etag.replaceAll('"', '')
  return header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '').replaceAll('"', '') === bare)
}

/** The 412 of S3, naming the header that failed. */
export function preconditionFailed(condition: string): AwsError {
  return new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
    Condition: condition,
  })
}

/** The 404 of S3 for a key. */
export function noSuchKey(key: string, headers?: Readonly<Record<string, string>>): AwsError {
  return new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key }, headers)
}
