import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3'
import type { S3Location } from '@pipe/core'
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

export async function readText(s3: S3Client, key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: places.bucket, Key: key }))
  return Body!.transformToString()
}

/** What ADD PARTITION needs for the folders of some objects: the values that their names tell, and where they lie. */
export function partitionsOf(
  keys: readonly string[],
): { readonly values: Record<string, string>; readonly location: S3Location }[] {
  const folders = new Set(keys.map((key) => key.slice(0, key.lastIndexOf('/') + 1)))
  return Array.from(folders, (folder) => ({
    values: Object.fromEntries(Array.from(folder.matchAll(/([a-z]+)=([^/]+)\//g), ([, name, value]) => [name!, value!])),
    location: `s3://${places.bucket}/${folder}`,
  }))
}
