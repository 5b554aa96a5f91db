import { PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { Idempotency } from './idempotency'
import { type DeadlineOptions, type HandlerContext, type LambdaContext, logFailure, withDeadline } from './invocation'

/** One object that something happened to. */
export interface S3ObjectEvent {
  readonly bucket: string
  /** Decoded: as it stands in the bucket. */
  readonly key: string
  /** `s3://bucket/key` */
  readonly uri: string
  /** `ObjectCreated:Put`, `ObjectRemoved:Delete` …; of an EventBridge event: its detail type, `Object Created`. */
  readonly name: string
  readonly time: Date
  /** Absent for deletions. */
  readonly sizeBytes?: number
  readonly etag?: string
  readonly versionId?: string
  /** Orders the events of one key: the longer, then the greater hexadecimal text is the later one. */
  readonly sequencer?: string
}

/** Options of {@link onS3}. */
export interface OnS3Options extends DeadlineOptions {
  /** Does the work once for each object, version and event: S3 notifies at least once. Default: at least once. */
  readonly idempotency?: Idempotency
}

/** A Lambda handler for events of S3. */
export type S3Handler = (event: unknown, context?: LambdaContext) => Promise<void>

/**
 * A Lambda handler for S3: notifications of a bucket and S3's events of EventBridge alike, one call for each object. S3's test event is
 * passed over. When some objects fail the others are still handled, and the invocation fails, so that Lambda retries it.
 *
 * @throws ConfigError `PIPE_CONFIG` for options. The handler throws PipeError `PIPE_S3_EVENT` for what is no event of S3, and
 * `PIPE_S3_FAILED` with the objects in `details.failed`; the first error is the cause.
 * @example
 * ```ts
 * export const handler = onS3(async ({ uri }, { signal }) => index(uri, signal))
 * ```
 */
export function onS3(handle: (object: S3ObjectEvent, context: HandlerContext) => unknown, options: OnS3Options = {}): S3Handler {
  checkOptions('onS3', options, { optional: ['reserve', 'idempotency'] })
  const { reserve, idempotency } = options
  return (event, context) =>
    withDeadline(context, reserve, async (handlerContext) => {
      const { signal, remainingMs } = handlerContext
      const failed: { readonly uri: string; readonly error: unknown }[] = []
      for (const object of objectsOf(event)) {
        const work = async () => {
          signal.throwIfAborted()
          await handle(object, handlerContext)
        }
        try {
          if (!idempotency) await work()
          else await idempotency.once(identityOf(object), work, { signal, remainingMs: remainingMs() })
        } catch (error) {
          logFailure(object.uri, error)
          failed.push({ uri: object.uri, error })
        }
      }
      const [first] = failed
      if (!first) return
      throw new PipeError('PIPE_S3_FAILED', `${failed.length} objects failed, the first is ${first.uri}.`, {
        retryable: true,
        cause: first.error,
        details: { failed: failed.map(({ uri }) => uri) },
      })
    })
}

function identityOf({ uri, name, versionId, sequencer, time }: S3ObjectEvent): string {
  return `${name} ${uri} ${versionId ?? ''} ${sequencer ?? time.toISOString()}`
}

interface Notification {
  readonly eventSource?: string
  readonly eventName: string
  readonly eventTime: string
  readonly s3: {
    readonly bucket: { readonly name: string }
    readonly object: {
      readonly key: string
      readonly size?: number
      readonly eTag?: string
      readonly versionId?: string
      readonly sequencer?: string
    }
  }
}

function objectsOf(given: unknown): S3ObjectEvent[] {
  const event = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>
  if (event['Event'] === 's3:TestEvent') return []
  if (Array.isArray(event['Records'])) return event['Records'].map(notifiedObject)
  if (event['source'] === 'aws.s3') return [eventObject(event)]
  return refuse('it has neither Records nor the source aws.s3')
}

function notifiedObject(record: Notification | undefined, i: number): S3ObjectEvent {
  const { bucket, object } = record?.s3 ?? {}
  if (typeof bucket?.name !== 'string' || typeof object?.key !== 'string') return refuse(`Records[${i}] has no bucket and key`)
  // Keys of notifications are written as in a form: a space is a plus.
  const key = decodeURIComponent(object.key.replaceAll('+', ' '))
  const { size, eTag, versionId, sequencer } = object
  return objectOf(bucket.name, key, record!.eventName, record!.eventTime, { size, etag: eTag, versionId, sequencer })
}

function eventObject(event: Record<string, unknown>): S3ObjectEvent {
  const { bucket, object } = (event['detail'] ?? {}) as {
    readonly bucket?: { readonly name?: unknown }
    readonly object?: Record<string, unknown>
  }
  if (typeof bucket?.name !== 'string' || typeof object?.['key'] !== 'string') return refuse('its detail has no bucket and key')
  const { size, etag, 'version-id': versionId, sequencer } = object as Record<string, never>
  return objectOf(bucket.name, object['key'], String(event['detail-type']), String(event['time']), {
    size,
    etag,
    versionId,
    sequencer,
  })
}

function objectOf(
  bucket: string,
  key: string,
  name: string,
  time: string,
  more: {
    readonly size?: number | undefined
    readonly etag?: string | undefined
    readonly versionId?: string | undefined
    readonly sequencer?: string | undefined
  },
): S3ObjectEvent {
  const { size, etag, versionId, sequencer } = more
  return {
    bucket,
    key,
    uri: `s3://${bucket}/${key}`,
    name,
    time: new Date(time),
    ...(size === undefined ? {} : { sizeBytes: size }),
    ...(etag === undefined ? {} : { etag }),
    ...(versionId === undefined ? {} : { versionId }),
    ...(sequencer === undefined ? {} : { sequencer }),
  }
}

function refuse(problem: string): never {
  throw new PipeError('PIPE_S3_EVENT', `This is no event of S3: ${problem}.`, {
    hint: 'Check what the function is connected to.',
  })
}
