import { checkOptions } from '@pipe/core/internal'
import type { ObjectCount } from './affected'
import { type ClassChangeItem, changeClass, copyLimitBytes, copyPartBytes } from './copy-in-place'
import { LifecycleError } from './errors'
import { inParallel } from './in-parallel'
import { earlyDeletePrice, monthlyPrice, pricedClass } from './price-of'
import { type PriceList, usEast1Prices } from './prices'
import { bucketCalls, type S3Options, s3OptionNames } from './s3-call'
import { isArchived, type ObjectClass } from './storage-class'
import type { StoredObject } from './stored-object'

/** What {@link planClassChange} takes. */
export interface PlanClassChangeOptions {
  /** The bucket of the objects. */
  readonly bucket: string
  /** The objects to change, for example of `listBucket`. Noncurrent versions and delete markers are passed over. */
  readonly objects: AsyncIterable<StoredObject> | Iterable<StoredObject>
  /** The class that the objects shall have. */
  readonly to: Exclude<ObjectClass, 'REDUCED_REDUNDANCY'>
  /** Default {@link usEast1Prices}. */
  readonly prices?: PriceList | undefined
  /** More are refused: for those a lifecycle rule or a batch job is the tool. Default 100 000. */
  readonly maxObjects?: number | undefined
  /** For minimum storage durations. Default: now. */
  readonly at?: Date | undefined
}

/** What changing classes by hand does and costs. Data: may be kept as JSON. */
export interface ClassChangePlan extends ObjectCount {
  readonly kind: 'class-change-plan'
  readonly bucket: string
  readonly to: Exclude<ObjectClass, 'REDUCED_REDUNDANCY'>
  readonly items: readonly ClassChangeItem[]
  /** Not changed, by reason. */
  readonly skipped: { readonly already: number; readonly archived: number; readonly notCurrent: number }
  readonly currency: string
  /** Copy requests (PUT of the class; a part of a multipart copy each) and retrieval. */
  readonly requestPrice: number
  /** Rest of minimum storage durations. */
  readonly earlyDeletePrice: number
  /** What is saved each month from then on; negative: it costs more. */
  readonly savedPerMonth: number
  readonly warnings: readonly string[]
}

/**
 * What changing the storage class of objects by copying them onto themselves would do. Reads the listing only.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_REFUSED` for more than `maxObjects`.
 */
export async function planClassChange(options: PlanClassChangeOptions): Promise<ClassChangePlan> {
  checkOptions('planClassChange', options, { required: ['bucket', 'objects', 'to'], optional: ['prices', 'maxObjects', 'at'] })
  const { bucket, to, prices = usEast1Prices, maxObjects = 100_000, at = new Date() } = options
  const items: ClassChangeItem[] = []
  const skipped = { already: 0, archived: 0, notCurrent: 0 }
  const sum = { bytes: 0, requestPrice: 0, earlyDeletePrice: 0, savedPerMonth: 0, early: 0, small: 0 }
  for await (const object of options.objects) {
    const { key, sizeBytes, etag, storageClass: from = 'STANDARD' } = object
    if (object.isDeleteMarker || object.isLatest === false) skipped.notCurrent++
    else if (from === to) skipped.already++
    else if (isArchived(from) && (object.restore === undefined || object.restore === 'in-progress')) skipped.archived++
    else {
      if (items.length >= maxObjects) {
        throw new LifecycleError('PIPE_LIFECYCLE_REFUSED', `planClassChange: more than ${maxObjects} objects.`, {
          hint: 'Use a lifecycle rule or an S3 batch job, or raise maxObjects.',
          details: { bucket },
        })
      }
      items.push({ key, sizeBytes, etag, from })
      const own = pricedClass(from, prices)
      const days = (at.getTime() - object.lastModified.getTime()) / 86_400_000
      const early = earlyDeletePrice(prices, own, sizeBytes, days)
      const copies = sizeBytes > copyLimitBytes ? Math.ceil(sizeBytes / copyPartBytes(sizeBytes)) + 2 : 1
      sum.bytes += sizeBytes
      sum.requestPrice +=
        (copies * prices.classes[to].putPer1000) / 1000 + (sizeBytes / 1024 ** 3) * prices.classes[own].retrievalPerGiB
      sum.earlyDeletePrice += early
      sum.savedPerMonth += monthlyPrice(prices, own, sizeBytes) - monthlyPrice(prices, to, sizeBytes)
      if (early > 0) sum.early++
      if (sizeBytes < prices.classes[to].minBillableBytes) sum.small++
    }
  }
  const { minDays, minBillableBytes } = prices.classes[to]
  const warnings = [
    ...(sum.early > 0
      ? [`${sum.early} objects leave their class before its minimum storage duration: the rest of it is charged.`]
      : []),
    ...(sum.small > 0
      ? [`${sum.small} objects are smaller than ${minBillableBytes} bytes and are billed as if they had that size.`]
      : []),
    ...(minDays > 0 ? [`${to} charges at least ${minDays} days.`] : []),
    ...(sum.savedPerMonth < 0 ? [`The objects cost more in ${to} than now.`] : []),
    ...(skipped.archived > 0 ? [`${skipped.archived} objects are archived: restore them first.`] : []),
    ...(items.length > 0
      ? [
          'A copy is a new object: its age starts again, and in a versioned bucket the old version stays and is paid for. ACLs are not copied.',
        ]
      : []),
  ]
  return {
    kind: 'class-change-plan',
    bucket,
    to,
    items,
    objects: items.length,
    bytes: sum.bytes,
    skipped,
    currency: prices.currency,
    requestPrice: sum.requestPrice,
    earlyDeletePrice: sum.earlyDeletePrice,
    savedPerMonth: sum.savedPerMonth,
    warnings,
  }
}

/** What {@link applyClassChange} takes beside the plan. */
export interface ApplyClassChangeOptions extends S3Options {
  /** Copies at a time. Default 8. */
  readonly concurrency?: number | undefined
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: { readonly phase: 'copy'; readonly done: number; readonly total: number; readonly unit: 'objects' }) => void)
    | undefined
}

/** What {@link applyClassChange} did. */
export interface AppliedClassChange {
  readonly changed: number
  /** Had the class already: an earlier run got so far. */
  readonly already: number
  /** Changed or deleted since the plan was made: left alone. */
  readonly stale: readonly string[]
  readonly failed: readonly { readonly key: string; readonly error: string }[]
}

/**
 * Changes the classes of a plan: each object is copied onto itself, with metadata, tags, encryption, lock and kind of checksum kept; beyond
 * 5 GB by parts. An object that changed since the plan is left alone. May be run again after a break: what is done is passed over.
 *
 * Needs `s3:GetObject`, `s3:PutObject`, `s3:GetObjectTagging`, `s3:PutObjectTagging`; of locked objects the rights for their lock.
 *
 * @throws {@link PipeError} `PIPE_IAM_DENIED` when nothing can go on; single failures are in the result.
 */
export async function applyClassChange(
  plan: ClassChangePlan,
  options: ApplyClassChangeOptions = {},
): Promise<AppliedClassChange> {
  checkOptions('applyClassChange', options, { optional: ['concurrency', 'onProgress', ...s3OptionNames] })
  if (plan?.kind !== 'class-change-plan')
    throw new LifecycleError('PIPE_LIFECYCLE_REFUSED', 'applyClassChange takes a plan made by planClassChange.')
  const { bucket, items, to } = plan
  const calls = bucketCalls('applyClassChange', bucket, options)
  const result = { changed: 0, already: 0, stale: [] as string[], failed: [] as { key: string; error: string }[] }
  let done = 0
  try {
    await inParallel(items, options.concurrency ?? 8, async (item) => {
      options.signal?.throwIfAborted()
      const outcome = await changeClass(calls, item, to, options.signal)
      if (outcome === 'changed') result.changed++
      else if (outcome === 'already') result.already++
      else if (outcome === 'stale') result.stale.push(item.key)
      else result.failed.push({ key: item.key, error: outcome.error })
      options.onProgress?.({ phase: 'copy', done: ++done, total: items.length, unit: 'objects' })
    })
    return result
  } finally {
    calls.close()
  }
}
