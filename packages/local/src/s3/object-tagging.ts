import { AwsError } from '../service'
import type { ObjectRecord } from './object-record'
import { sendEmpty } from './respond'
import { authorizeObject, checkOwner, header, type S3Context, type S3Request } from './s3-request'
import { receiveShape, sendShape } from './shaped-body'
import { findObject, versionedAction, versionHeader } from './versions'
import { amendObject } from './write-version'
import { list, type ObjectShape, required } from './xml-shape'

/** `<Tag>` */
const tagShape: ObjectShape = { Key: required('text'), Value: required('text') }

const taggingShape: ObjectShape = { TagSet: required({ Tag: list(tagShape) }) }

interface TaggingDocument {
  readonly TagSet: { readonly Tag?: readonly TagDocument[] }
}

interface TagDocument {
  readonly Key: string
  readonly Value: string
}

/** GetObjectTagging. */
export async function getObjectTagging(context: S3Context, request: S3Request): Promise<void> {
  const { index, record } = taggedObject(context, request, 's3:GetObjectTagging')
  const Tag = Object.entries(record.tags ?? {}).map(([Key, Value]) => ({ Key, Value }))
  sendShape(request, 'Tagging', taggingShape, { TagSet: { Tag } }, versionHeader(index, record))
}

/** PutObjectTagging: replaces all tags of a version, without making it a new one. */
export async function putObjectTagging(context: S3Context, request: S3Request): Promise<void> {
  taggedObject(context, request, 's3:PutObjectTagging')
  const { TagSet } = await receiveShape<TaggingDocument>(request, 'Tagging', taggingShape)
  const tags = checkTags(TagSet.Tag ?? [])
  const { index, record } = taggedObject(context, request, 's3:PutObjectTagging')
  amendObject(context.store, index, withTags(record, tags), 's3:ObjectTagging:Put')
  sendEmpty(request.call, 200, versionHeader(index, record))
}

/** DeleteObjectTagging. */
export async function deleteObjectTagging(context: S3Context, request: S3Request): Promise<void> {
  const { index, record } = taggedObject(context, request, 's3:DeleteObjectTagging')
  amendObject(context.store, index, withTags(record, {}), 's3:ObjectTagging:Delete')
  sendEmpty(request.call, 204, versionHeader(index, record))
}

function taggedObject(context: S3Context, request: S3Request, action: string) {
  authorizeObject(context, request, versionedAction(request, action))
  checkOwner(context, request)
  const index = context.store.bucket(request.bucket)
  return { index, record: findObject(context, request, index) }
}

function withTags(record: ObjectRecord, tags: Readonly<Record<string, string>>): ObjectRecord {
  const { tags: _, ...rest } = record
  return Object.keys(tags).length === 0 ? rest : { ...rest, tags }
}

/**
 * The tags of the header `x-amz-tagging` (`a=1&b=2`, URL-encoded); undefined without the header.
 *
 * @throws {@link AwsError} InvalidArgument, InvalidTag, BadRequest, AccessDenied (`s3:PutObjectTagging`)
 */
export function requestedTags(context: S3Context, request: S3Request): Readonly<Record<string, string>> | undefined {
  const text = header(request, 'x-amz-tagging')
  if (text === undefined || text === '') return undefined
  const pairs = text.split('&').map((pair): TagDocument => {
    const [Key = '', Value = '', ...more] = pair.split('=')
    try {
      if (more.length === 0) return { Key: decodeTag(Key), Value: decodeTag(Value) }
    } catch {
      // Told below.
    }
    throw new AwsError(
      'InvalidArgument',
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      400,
      { ArgumentName: 'x-amz-tagging', ArgumentValue: text },
    )
  })
  authorizeObject(context, request, 's3:PutObjectTagging')
  return checkTags(pairs)
}

function decodeTag(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

/** @throws {@link AwsError} BadRequest for more than ten, InvalidTag for keys and values that are too long or twice */
function checkTags(pairs: readonly TagDocument[], most = 10): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {}
  if (pairs.length > most) throw new AwsError('BadRequest', `Object tags cannot be greater than ${most}`)
  for (const { Key, Value } of pairs) {
    if (Object.hasOwn(tags, Key))
      throw new AwsError('InvalidTag', 'Cannot provide multiple Tags with the same key', 400, { TagKey: Key })
    if (Key === '' || Key.length > 128 || !isTagText(Key) || Key.startsWith('aws:'))
      throw new AwsError('InvalidTag', 'The TagKey you have provided is invalid', 400, { TagKey: Key })
    if (Value.length > 256 || !isTagText(Value))
      throw new AwsError('InvalidTag', 'The TagValue you have provided is invalid', 400, { TagKey: Key, TagValue: Value })
    tags[Key] = Value
  }
  return tags
}

/** Letters, digits, spaces and `+ - = . _ : / @` (user guide, "Object tagging"). */
function isTagText(text: string): boolean {
  return /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text)
}
