import { AwsError } from '../service'
import { beginRestore, isArchived, restoreState } from './archive'
import type { Restore } from './object-record'
import { sendEmpty } from './respond'
import { authorizeObject, checkOwner, type S3Context, type S3Request } from './s3-request'
import { receiveShape } from './shaped-body'
import { findObject, versionHeader } from './versions'
import { amendObject } from './write-version'
import { type ObjectShape, oneOf, optional } from './xml-shape'

const tiers = oneOf('Expedited', 'Standard', 'Bulk')
const restoreShape: ObjectShape = {
  Days: optional('integer'),
  GlacierJobParameters: optional({ Tier: optional(tiers) }),
  Tier: optional(tiers),
  Description: optional('text'),
}
const fastestFirst: readonly Restore['tier'][] = ['Expedited', 'Standard', 'Bulk']

interface RestoreDocument {
  readonly Days?: number
  readonly GlacierJobParameters?: { readonly Tier?: Restore['tier'] }
  readonly Tier?: Restore['tier']
}

/** RestoreObject: a readable copy for some days; longer for one that is there, sooner for one that is on its way. */
export async function restoreObject(context: S3Context, request: S3Request): Promise<void> {
  const { store } = context
  const find = () => {
    authorizeObject(context, request, 's3:RestoreObject')
    checkOwner(context, request)
    const index = store.bucket(request.bucket)
    return { index, record: findObject(context, request, index) }
  }
  find()
  const asked = await receiveShape<RestoreDocument>(request, 'RestoreRequest', restoreShape, { checksum: false })
  const { index, record } = find()
  const now = store.now()
  if (!isArchived(record.storageClass)) {
    throw new AwsError('InvalidObjectState', "Restore is not allowed for the object's current storage class", 403, {
      StorageClass: record.storageClass,
    })
  }
  const days = asked.Days
  if (days === undefined || days < 1) throw new AwsError('InvalidArgument', 'restoration days should be at least 1')
  const tier = asked.GlacierJobParameters?.Tier ?? asked.Tier ?? 'Standard'
  const begun = beginRestore(record, tier, days, now)
  const state = restoreState(record, now)
  if (state === 'in-progress' && fastestFirst.indexOf(tier) >= fastestFirst.indexOf(record.restore!.tier)) {
    throw new AwsError('RestoreAlreadyInProgress', 'Object restore is already in progress', 409)
  }
  // What can be read stays readable: only its end moves.
  const isThere = typeof state === 'object'
  const restore: Restore = isThere
    ? { ...record.restore!, until: begun.until }
    : state === 'in-progress'
      ? { ...record.restore!, tier, readyAt: Math.min(begun.readyAt, record.restore!.readyAt) }
      : begun
  amendObject(store, index, { ...record, restore }, 's3:ObjectRestore:Post')
  sendEmpty(request.call, isThere ? 200 : 202, versionHeader(index, record))
}
