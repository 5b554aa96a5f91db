import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3'
import { places } from './places'

/** Keys below a prefix of the lake, in order. */
export async function listKeys(s3: S3Client, prefix: string): Promise<string[]> {
  return (await listObjects(s3, prefix)).map(({ key }) => key)
}

/** Keys and sizes below a prefix of the lake. */
export async function listObjects(s3: S3Client, prefix: string): Promise<{ readonly key: string; readonly size: number }[]> {
  const objects: { key: string; size: number }[] = []
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: places.bucket, Prefix: prefix })) {
    for (const { Key, Size } of page.Contents ?? []) objects.push({ key: Key!, size: Size! })
  }
  return objects
}
