import { AwsError } from '../service'
import type { BucketIndex } from './bucket-index'
import { noSuchKey } from './conditions'
import { idOf, isMarker, type ObjectRecord, type VersionRecord } from './object-record'
import { bucketArn, type S3Context, type S3Request } from './s3-request'

/**
 * The object that a request is about: the version it names, else the current one. Whoever may not list the bucket does not learn that a key is missing,
 * as on S3.
 *
 * @throws {@link AwsError} NoSuchKey or NoSuchVersion 404, MethodNotAllowed 405 for a delete marker by its id, AccessDenied 403, InvalidArgument
 */
export function findObject(context: S3Context, request: S3Request, index: BucketIndex): ObjectRecord {
  return findObjectVersion(context, request, index, request.key, request.query.get('versionId'))
}

/** The same for another key than that of the request: the source of a copy. */
export function findObjectVersion(
  context: S3Context,
  request: S3Request,
  index: BucketIndex,
  key: string,
  versionId: string | undefined,
): ObjectRecord {
  const version = versionId === undefined ? index.get(key) : findVersion(index, key, versionId)
  if (version !== undefined && !isMarker(version)) return version
  const { principal } = request.call
  if (versionId !== undefined) {
    if (version === undefined) throw noSuchVersion(key, versionId)
    throw new AwsError(
      'MethodNotAllowed',
      'The specified method is not allowed against this resource.',
      405,
      {
        Method: request.method,
        ResourceType: 'DeleteMarker',
      },
      { ...markerHeaders(version), allow: 'DELETE' },
    )
  }
  const marker = index.versions(key)[0]
  if (context.authorizer.isAllowed(principal, 's3:ListBucket', bucketArn(index.name))) {
    throw noSuchKey(key, marker && markerHeaders(marker))
  }
  throw new AwsError(
    'AccessDenied',
    `${principal.name} is not authorized to perform: s3:ListBucket on resource: "${bucketArn(index.name)}". The key ${key} does not exist; without s3:ListBucket S3 answers 403 instead of 404.`,
    403,
  )
}

/** The version of that id, `null` for the one without. */
export function findVersion(index: BucketIndex, key: string, versionId: string): VersionRecord | undefined {
  if (versionId !== 'null' && !/^[\w-]{32}$/.test(versionId)) {
    const text = versionId === '' ? 'Version id cannot be the empty string' : 'Invalid version id specified'
    throw new AwsError('InvalidArgument', text, 400, { ArgumentName: 'versionId', ArgumentValue: versionId })
  }
  return index.versions(key).find((version) => idOf(version) === versionId)
}

/** The action on an object, or on one of its versions when the request names one: `s3:GetObject`, `s3:GetObjectVersion`. */
export function versionedAction(request: S3Request, action: string): string {
  return request.query.has('versionId') ? action.replace('Object', 'ObjectVersion') : action
}

/** The header with the id of a version; nothing in a bucket that never had versions. */
export function versionHeader(index: BucketIndex, version: VersionRecord): { readonly 'x-amz-version-id'?: string } {
  return index.configuration.versioning === undefined ? {} : { 'x-amz-version-id': idOf(version) }
}

/** What the answer says of a delete marker. */
export function markerHeaders(marker: VersionRecord): Readonly<Record<string, string>> {
  return { 'x-amz-delete-marker': 'true', 'x-amz-version-id': idOf(marker) }
}

function noSuchVersion(key: string, versionId: string): AwsError {
  return new AwsError('NoSuchVersion', 'The specified version does not exist.', 404, { Key: key, VersionId: versionId })
}
