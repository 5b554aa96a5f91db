import { ListObjectsV2Command, ListObjectVersionsCommand, type ObjectVersion } from '@aws-sdk/client-s3'
import { checkOptions } from '@pipe/core/internal'
import { bucketCalls, type S3Options, s3OptionNames } from './s3-call'
import type { StoredObject } from './stored-object'

/** What {@link listBucket} takes. */
export interface ListBucketOptions extends S3Options {
  /** The bucket that is listed. */
  readonly bucket: string
  /** Default: all keys. */
  readonly prefix?: string | undefined
  /** Lists all versions and delete markers, newest first. Default `false`: current objects only. */
  readonly versions?: boolean | undefined
}

/**
 * The objects of a bucket as S3 lists them now, a page of 1 000 at a time. A listing is no snapshot: what is written or deleted meanwhile may
 * or may not be in it.
 *
 * Needs `s3:ListBucket`, with versions `s3:ListBucketVersions`.
 *
 * @throws {@link PipeError} `PIPE_IAM_DENIED`; {@link LifecycleError} `PIPE_LIFECYCLE_BUCKET`, `PIPE_LIFECYCLE_S3`.
 * @example
 * ```ts
 * for await (const { key, storageClass } of listBucket({ bucket: 'lake', prefix: 'raw/' })) …
 * ```
 */
export async function* listBucket(options: ListBucketOptions): AsyncGenerator<StoredObject, void, undefined> {
  checkOptions('listBucket', options, { required: ['bucket'], optional: ['prefix', 'versions', ...s3OptionNames] })
  const calls = bucketCalls('listBucket', options.bucket, options)
  const prefix = options.prefix ?? ''
  try {
    if (options.versions) yield* versionsOf(calls, prefix)
    else yield* objectsOf(calls, prefix)
  } finally {
    calls.close()
  }
}

type Calls = ReturnType<typeof bucketCalls>

async function* objectsOf(calls: Calls, prefix: string): AsyncGenerator<StoredObject, void, undefined> {
  let token: string | undefined
  do {
    const page = await calls.send('s3:ListBucket', (client, place, options) =>
      client.send(
        new ListObjectsV2Command({
          ...place,
          Prefix: prefix,
          // XML cannot hold every character that a key can.
          EncodingType: 'url',
          OptionalObjectAttributes: ['RestoreStatus'],
          ...(token !== undefined && { ContinuationToken: token }),
        }),
        options,
      ),
    )
    for (const { Key, Size, LastModified, StorageClass, ETag, RestoreStatus } of page.Contents ?? []) {
      yield {
        key: decoded(Key!),
        sizeBytes: Size ?? 0,
        lastModified: LastModified ?? new Date(0),
        storageClass: StorageClass ?? 'STANDARD',
        etag: ETag,
        ...restoreOf(RestoreStatus),
      }
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (token !== undefined)
}

async function* versionsOf(calls: Calls, prefix: string): AsyncGenerator<StoredObject, void, undefined> {
  let [keyMarker, versionMarker]: [string | undefined, string | undefined] = [undefined, undefined]
  do {
    const page = await calls.send('s3:ListBucketVersions', (client, place, options) =>
      client.send(
        new ListObjectVersionsCommand({
          ...place,
          Prefix: prefix,
          EncodingType: 'url',
          OptionalObjectAttributes: ['RestoreStatus'],
          ...(keyMarker !== undefined && { KeyMarker: keyMarker }),
          ...(versionMarker !== undefined && { VersionIdMarker: versionMarker }),
        }),
        options,
      ),
    )
    yield* merged(page.Versions ?? [], page.DeleteMarkers ?? [])
    const more: boolean = page.IsTruncated === true
    keyMarker = more ? page.NextKeyMarker && decoded(page.NextKeyMarker) : undefined
    versionMarker = more ? page.NextVersionIdMarker : undefined
  } while (keyMarker !== undefined)
}

type Marker = Pick<ObjectVersion, 'Key' | 'VersionId' | 'IsLatest' | 'LastModified'>

/** The client gives versions and markers as two lists; S3 had them as one: by key, newest first, the current one before all. */
function* merged(versions: readonly ObjectVersion[], markers: readonly Marker[]): Generator<StoredObject> {
  const all = [
    ...versions.map((version) => ({ version, key: decoded(version.Key!), isDeleteMarker: false })),
    ...markers.map((marker) => ({ version: marker as ObjectVersion, key: decoded(marker.Key!), isDeleteMarker: true })),
  ]
  const place = new Map<string, number>()
  for (const { key } of [...all].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))))
    if (!place.has(key)) place.set(key, place.size)
  all.sort(
    (a, b) =>
      place.get(a.key)! - place.get(b.key)! ||
      Number(b.version.IsLatest ?? false) - Number(a.version.IsLatest ?? false) ||
      (b.version.LastModified?.getTime() ?? 0) - (a.version.LastModified?.getTime() ?? 0),
  )
  for (const { version, key, isDeleteMarker } of all) {
    yield {
      key,
      sizeBytes: isDeleteMarker ? 0 : (version.Size ?? 0),
      lastModified: version.LastModified ?? new Date(0),
      versionId: version.VersionId ?? 'null',
      isLatest: version.IsLatest ?? false,
      ...(isDeleteMarker
        ? { isDeleteMarker }
        : { storageClass: version.StorageClass ?? 'STANDARD', etag: version.ETag, ...restoreOf(version.RestoreStatus) }),
    }
  }
}

function restoreOf(
  status: { readonly IsRestoreInProgress?: boolean; readonly RestoreExpiryDate?: Date } | undefined,
): Pick<StoredObject, 'restore'> {
  if (status?.IsRestoreInProgress) return { restore: 'in-progress' }
  return status?.RestoreExpiryDate === undefined ? {} : { restore: { until: status.RestoreExpiryDate } }
}

function decoded(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '))
}
