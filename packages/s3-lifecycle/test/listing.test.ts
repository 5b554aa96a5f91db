import { describe, expect, it } from 'vitest'
import { listBucket, type StoredObject } from '../src/index'
import { type FakeObject, fakeS3, s3Error } from './fake-s3'

const at = (day: number) => new Date(Date.UTC(2026, 10, day))

async function all(
  objects: readonly FakeObject[],
  options: { readonly versions?: boolean; readonly prefix?: string } = {},
): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  const { client } = fakeS3({ lake: { objects: [...objects] } })
  for await (const object of listBucket({ bucket: 'lake', client, ...options })) found.push(object)
  return found
}

describe('listBucket', () => {
  it('lists current objects page by page, keys of any characters, restore state included', async () => {
    const found = await all([
      { Key: 'a b+ü/😀\n', Size: 1, LastModified: at(1), ETag: '"e"' },
      { Key: 'b', Size: 2, LastModified: at(2), StorageClass: 'GLACIER', RestoreStatus: { IsRestoreInProgress: true } },
      {
        Key: 'c',
        Size: 3,
        LastModified: at(3),
        StorageClass: 'GLACIER',
        RestoreStatus: { IsRestoreInProgress: false, RestoreExpiryDate: at(9) },
      },
    ])
    expect(found).toEqual([
      { key: 'a b+ü/😀\n', sizeBytes: 1, lastModified: at(1), storageClass: 'STANDARD', etag: '"e"' },
      { key: 'b', sizeBytes: 2, lastModified: at(2), storageClass: 'GLACIER', etag: undefined, restore: 'in-progress' },
      { key: 'c', sizeBytes: 3, lastModified: at(3), storageClass: 'GLACIER', etag: undefined, restore: { until: at(9) } },
    ])
  })

  it('puts versions and delete markers of a key back into their order, across pages', async () => {
    const version = (Key: string, VersionId: string, day: number, IsLatest: boolean, IsDeleteMarker = false): FakeObject => ({
      Key,
      VersionId,
      Size: 1,
      LastModified: at(day),
      IsLatest,
      IsDeleteMarker,
    })
    const found = await all(
      [
        version('Z', '1', 5, true),
        version('a', '4', 9, true, true),
        version('a', '3', 8, false),
        version('a', '2', 7, false, true),
        version('a', '1', 6, false),
        version('é', '2', 4, true),
        version('é', '1', 4, false, true),
      ],
      { versions: true },
    )
    expect(
      found.map(
        ({ key, versionId, isLatest, isDeleteMarker }) =>
          `${key}${versionId}${isLatest ? '*' : ''}${isDeleteMarker ? ' marker' : ''}`,
      ),
    ).toEqual(['Z1*', 'a4* marker', 'a3', 'a2 marker', 'a1', 'é2*', 'é1 marker'])
  })

  it('names the permission and the bucket', async () => {
    const { client } = fakeS3({ lake: { objects: [] } }, (command) => {
      if (command.startsWith('List')) throw s3Error('AccessDenied', 403)
    })
    const list = async (bucket: string) => {
      for await (const _ of listBucket({ bucket, client, versions: true })) return
    }
    await expect(list('lake')).rejects.toMatchObject({
      code: 'PIPE_IAM_DENIED',
      details: { action: 's3:ListBucketVersions', resource: 'arn:aws:s3:::lake' },
    })
    await expect(list('Lake')).rejects.toMatchObject({ code: 'PIPE_LIFECYCLE_BUCKET' })
  })
})
