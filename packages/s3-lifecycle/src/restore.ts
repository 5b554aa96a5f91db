import { RestoreObjectCommand } from '@aws-sdk/client-s3'
import { type Duration, durationMs, sleep } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { ObjectCount } from './affected'
import { dueAfterDays } from './due'
import { LifecycleError } from './errors'
import { inParallel } from './in-parallel'
import { listBucket } from './listing'
import { GiB, type PriceList, type RestoreTier, usEast1Prices } from './prices'
import { bucketCalls, type S3Options, s3OptionNames, statusOf } from './s3-call'
import { isArchived } from './storage-class'
import type { StoredObject } from './stored-object'

/** What {@link planRestore} takes. */
export interface PlanRestoreOptions {
  /** The bucket of the objects. */
  readonly bucket: string
  /** For example of `listBucket`, which knows what is restored already. */
  readonly objects: AsyncIterable<StoredObject> | Iterable<StoredObject>
  /** `Expedited` is for GLACIER only, below 250 MB an object. Default `'Bulk'`, the cheapest. */
  readonly tier?: RestoreTier | undefined
  /** Days that the copies stay readable. */
  readonly days: number
  /** Default {@link usEast1Prices}. */
  readonly prices?: PriceList | undefined
  /** More are refused: for those a batch job is the tool. Default 1 000 000. */
  readonly maxObjects?: number | undefined
  /** Default: now. */
  readonly at?: Date | undefined
}

/** What a restore does, costs and how long it takes. Data: may be kept as JSON. */
export interface RestorePlan extends ObjectCount {
  readonly kind: 'restore-plan'
  readonly bucket: string
  readonly tier: RestoreTier
  readonly days: number
  readonly keys: readonly { readonly key: string; readonly versionId: string | undefined }[]
  readonly skipped: { readonly readable: number; readonly restored: number; readonly inProgress: number }
  readonly currency: string
  /** Requests, retrieval, and the copies in STANDARD for `days`. */
  readonly price: number
  /** Hours until the first and the last object can be read, by S3's own figures. */
  readonly hours: { readonly least: number; readonly most: number }
  /** When the copies go, if they were asked for at `at`. */
  readonly copiesUntil: Date
  readonly warnings: readonly string[]
}

/** Hours by class and tier (user guide, "Archive retrieval options"). */
const hours: Readonly<Record<'GLACIER' | 'DEEP_ARCHIVE', Readonly<Partial<Record<RestoreTier, readonly [number, number]>>>>> = {
  GLACIER: { Expedited: [1 / 60, 5 / 60], Standard: [3, 5], Bulk: [5, 12] },
  DEEP_ARCHIVE: { Standard: [0, 12], Bulk: [0, 48] },
}

const expeditedBytes = 250 * 1000 ** 2

/**
 * What bringing archived objects back would do. Reads the listing only.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_REFUSED` for `Expedited` on DEEP_ARCHIVE, for more than `maxObjects`; `PIPE_LIFECYCLE_INPUT`
 * for days that are none.
 */
export async function planRestore(options: PlanRestoreOptions): Promise<RestorePlan> {
  checkOptions('planRestore', options, {
    required: ['bucket', 'objects', 'days'],
    optional: ['tier', 'prices', 'maxObjects', 'at'],
  })
  const { bucket, tier = 'Bulk', days, prices = usEast1Prices, maxObjects = 1_000_000, at = new Date() } = options
  if (!Number.isInteger(days) || days < 1)
    throw new LifecycleError('PIPE_LIFECYCLE_INPUT', `planRestore: ${days} days; at least 1.`)
  const keys: { readonly key: string; readonly versionId: string | undefined }[] = []
  const skipped = { readable: 0, restored: 0, inProgress: 0 }
  const sum = { bytes: 0, price: 0, least: Number.POSITIVE_INFINITY, most: 0, large: 0 }
  for await (const object of options.objects) {
    const { key, versionId, sizeBytes, storageClass = 'STANDARD', restore } = object
    if (object.isDeleteMarker || !isArchived(storageClass)) skipped.readable++
    else if (restore === 'in-progress') skipped.inProgress++
    else if (restore !== undefined && restore.until > at) skipped.restored++
    else {
      const own = storageClass as 'GLACIER' | 'DEEP_ARCHIVE'
      const [time, price] = [hours[own][tier], prices.restore[own][tier]]
      if (time === undefined || price === undefined)
        throw new LifecycleError('PIPE_LIFECYCLE_REFUSED', `planRestore: ${key} is in ${own}, which has no tier ${tier}.`, {
          hint: 'Use Standard or Bulk.',
        })
      if (keys.length >= maxObjects)
        throw new LifecycleError('PIPE_LIFECYCLE_REFUSED', `planRestore: more than ${maxObjects} objects.`, {
          hint: 'Use an S3 batch job, or raise maxObjects.',
        })
      keys.push({ key, versionId })
      sum.bytes += sizeBytes
      const copy = (prices.classes.STANDARD.storage[0]!.perGiBMonth * days) / prices.monthDays
      sum.price += (sizeBytes / GiB) * (price.perGiB + copy) + price.per1000 / 1000
      sum.least = Math.min(sum.least, time[0])
      sum.most = Math.max(sum.most, time[1])
      if (tier === 'Expedited' && sizeBytes > expeditedBytes) sum.large++
    }
  }
  return {
    kind: 'restore-plan',
    bucket,
    tier,
    days,
    keys,
    objects: keys.length,
    bytes: sum.bytes,
    skipped,
    currency: prices.currency,
    price: sum.price,
    hours: { least: keys.length === 0 ? 0 : sum.least, most: sum.most },
    copiesUntil: new Date(dueAfterDays(at.getTime(), days)),
    warnings: [
      ...(sum.large > 0 ? [`${sum.large} objects are over 250 MB: Expedited may take longer for them.`] : []),
      ...(keys.length > 0 ? ['Athena reads restored copies only with read_restored_glacier_objects=true on the table.'] : []),
    ],
  }
}

/** What {@link applyRestore} takes beside the plan. */
export interface ApplyRestoreOptions extends S3Options {
  /** S3 takes at most 1 000 a second in an account. Default 100. */
  readonly perSecond?: number | undefined
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: { readonly phase: 'request'; readonly done: number; readonly total: number; readonly unit: 'objects' }) => void)
    | undefined
}

/** What {@link applyRestore} did. */
export interface AppliedRestore {
  readonly requested: number
  /** Were being restored, or had been: an earlier run got so far. */
  readonly already: number
  /** No longer there, or no longer archived. */
  readonly gone: readonly string[]
}

/**
 * Asks S3 to restore the objects of a plan, no faster than `perSecond`. May be run again after a break: what was asked for is passed over.
 * It does not wait; see {@link waitForRestore}.
 *
 * Needs `s3:RestoreObject`.
 *
 * @throws {@link PipeError} `PIPE_IAM_DENIED`; {@link LifecycleError} `PIPE_LIFECYCLE_S3`.
 */
export async function applyRestore(plan: RestorePlan, options: ApplyRestoreOptions = {}): Promise<AppliedRestore> {
  checkOptions('applyRestore', options, { optional: ['perSecond', 'onProgress', ...s3OptionNames] })
  if (plan?.kind !== 'restore-plan')
    throw new LifecycleError('PIPE_LIFECYCLE_REFUSED', 'applyRestore takes a plan made by planRestore.')
  const { perSecond = 100, signal } = options
  if (!(perSecond > 0 && perSecond <= 1000))
    throw new LifecycleError('PIPE_LIFECYCLE_INPUT', `applyRestore: ${perSecond} a second; more than 0, at most 1 000.`)
  const { bucket, keys, tier: Tier, days: Days } = plan
  const calls = bucketCalls('applyRestore', bucket, options)
  const result = { requested: 0, already: 0, gone: [] as string[] }
  const startedAt = Date.now()
  const request = async (key: string, versionId: string | undefined) => {
    try {
      await calls.send(
        's3:RestoreObject',
        (client, place, sendOptions) =>
          client.send(
            new RestoreObjectCommand({
              ...place,
              Key: key,
              ...(versionId !== undefined && { VersionId: versionId }),
              RestoreRequest: { Days, GlacierJobParameters: { Tier } },
            }),
            sendOptions,
          ),
        key,
      )
      result.requested++
    } catch (error) {
      const cause = (error as { cause?: unknown }).cause
      const { name } = (cause ?? error) as { name?: string }
      if (name === 'RestoreAlreadyInProgress') result.already++
      else if (statusOf(cause) === 404 || name === 'InvalidObjectState') result.gone.push(key)
      else throw error
    }
  }
  let done = 0
  try {
    // Several may be under way at once, so that slow answers do not lower the rate.
    await inParallel(keys, 32, async ({ key, versionId }, at) => {
      const waitMs = startedAt + (at / perSecond) * 1000 - Date.now()
      if (waitMs > 0) await sleep(waitMs, signal)
      signal?.throwIfAborted()
      await request(key, versionId)
      options.onProgress?.({ phase: 'request', done: ++done, total: keys.length, unit: 'objects' })
    })
    return result
  } finally {
    calls.close()
  }
}

/** What {@link waitForRestore} takes beside the plan. */
export interface WaitForRestoreOptions extends S3Options {
  /** Pause between listings. Default `'5 minutes'`. */
  readonly every?: Duration | undefined
  /** Default `'3 days'`. */
  readonly timeout?: Duration | undefined
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: { readonly phase: 'restore'; readonly done: number; readonly total: number; readonly unit: 'objects' }) => void)
    | undefined
}

/**
 * Waits until all objects of a plan can be read. It looks by LIST, which shows the state of 1 000 objects a call, instead of a HEAD an object.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_UNVERIFIED` (retryable) when the time is up.
 */
export async function waitForRestore(plan: RestorePlan, options: WaitForRestoreOptions = {}): Promise<void> {
  checkOptions('waitForRestore', options, { optional: ['every', 'timeout', 'onProgress', ...s3OptionNames] })
  const { every = '5 minutes', timeout = '3 days', client, signal, expectedBucketOwner } = options
  const deadlineMs = Date.now() + durationMs(timeout)
  const open = new Set(plan.keys.map(({ key }) => key))
  const prefix = commonPrefix([...open])
  for (;;) {
    for await (const object of listBucket({
      bucket: plan.bucket,
      prefix,
      ...(client && { client }),
      signal,
      expectedBucketOwner,
    })) {
      const isReadable =
        !isArchived(object.storageClass ?? 'STANDARD') || (object.restore !== undefined && object.restore !== 'in-progress')
      if (isReadable) open.delete(object.key)
    }
    options.onProgress?.({ phase: 'restore', done: plan.keys.length - open.size, total: plan.keys.length, unit: 'objects' })
    if (open.size === 0) return
    if (Date.now() + durationMs(every) > deadlineMs) {
      throw new LifecycleError(
        'PIPE_LIFECYCLE_UNVERIFIED',
        `${open.size} of ${plan.keys.length} objects of ${plan.bucket} are not restored yet.`,
        {
          hint: 'Wait again with the same plan.',
          retryable: true,
          details: { bucket: plan.bucket, objects: open.size },
        },
      )
    }
    await sleep(durationMs(every), signal)
  }
}

function commonPrefix(keys: readonly string[]): string {
  const [first = '', ...rest] = keys
  let length = first.length
  for (const key of rest) {
    let same = 0
    while (same < length && key[same] === first[same]) same++
    length = same
  }
  // Not in the middle of a surrogate pair.
  return first.slice(0, length).replace(/[\ud800-\udbff]$/, '')
}
