import { createHash, randomUUID } from 'node:crypto'
import { type Clock, type Duration, durationMs, type ObjectStore, PipeError, systemClock } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'

/** What records need of a store: `createObjectStore` of `@pipe/core` fits. */
export type RecordStore = Pick<ObjectStore, 'get' | 'putIfAbsent' | 'putIfMatch' | 'deleteIfMatch'>

/** Options of {@link createIdempotency}. */
export interface IdempotencyOptions {
  /** Where the records lie: `createObjectStore({ location: 's3://lake/keys/' })`. */
  readonly store: RecordStore
  /** How long work may hold a key before another may take it over; never longer than what is left of the invocation. Default `'15 minutes'`. */
  readonly lease?: Duration
  /** Default: the machine's. */
  readonly clock?: Pick<Clock, 'now'>
}

/** Options of one run. */
export interface OnceOptions {
  /** What is left of the invocation: the lease ends with it. Default: no limit. */
  readonly remainingMs?: number
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal
}

/** How a run went. `repeated`: the work had been done before; `value` is what it returned then. */
export interface Once<T> {
  readonly value: T
  readonly repeated: boolean
}

/** Does work once a key, by one object of S3 for each key. */
export interface Idempotency {
  /**
   * Runs `work` unless it was done before under this key. Its result must be JSON (`undefined` becomes `null`). When it fails, the key is
   * free again.
   *
   * @throws PipeError `PIPE_IDEMPOTENCY_RUNNING` (retryable) when another run holds the key; `PIPE_IDEMPOTENCY_LOST` when this run took
   * longer than its lease and another took over: its result was not kept; whatever the work and the store throw.
   */
  once<T>(key: string, work: () => Promise<T>, options?: OnceOptions): Promise<Once<T>>
}

interface KeyRecord {
  readonly key: string
  readonly state: 'running' | 'done'
  readonly run: string
  /** Milliseconds since the epoch; of a running one. */
  readonly until?: number
  readonly result?: unknown
}

/**
 * Idempotency without a database: create-only and compare-and-swap writes of S3. Rights: `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject`
 * on the prefix. Records stay until a lifecycle rule removes them: expire them later than any retry can come (AWS: 24 hours).
 *
 * @throws ConfigError `PIPE_CONFIG` for options.
 * @example
 * ```ts
 * const idempotency = createIdempotency({ store: createObjectStore({ location: 's3://lake/keys/' }) })
 * const { value, repeated } = await idempotency.once(`invoice ${order.id}`, () => sendInvoice(order))
 * ```
 */
export function createIdempotency(options: IdempotencyOptions): Idempotency {
  checkOptions('createIdempotency', options, { required: ['store'], optional: ['lease', 'clock'] })
  const { store, lease = '15 minutes', clock = systemClock } = options
  const leaseMs = durationMs(lease)

  /** Takes the key, or tells what was done under it. */
  const acquire = async (
    key: string,
    mine: KeyRecord,
    signal: AbortSignal | undefined,
  ): Promise<{ etag: string } | KeyRecord> => {
    const name = objectKey(key)
    for (;;) {
      const created = await store.putIfAbsent(name, JSON.stringify(mine), put(signal))
      if (created.outcome === 'created') return { etag: created.etag }
      const body = await store.get(name, signal ? { signal } : {})
      // Freed between the two calls.
      if (!body) continue
      const found = JSON.parse(await body.text()) as KeyRecord
      if (found.state === 'done') return found
      if ((found.until ?? 0) > clock.now()) {
        throw new PipeError(
          'PIPE_IDEMPOTENCY_RUNNING',
          `"${key}" is being worked on until ${new Date(found.until!).toISOString()}.`,
          {
            retryable: true,
            hint: 'Let the source deliver it again later.',
            details: { key, until: found.until },
          },
        )
      }
      const taken = await store.putIfMatch(name, JSON.stringify(mine), body.etag, put(signal))
      if (taken.outcome === 'replaced') return { etag: taken.etag }
    }
  }

  return {
    async once<T>(key: string, work: () => Promise<T>, given: OnceOptions = {}): Promise<Once<T>> {
      checkOptions('idempotency.once', given, { optional: ['remainingMs', 'signal'] })
      const { remainingMs = Number.POSITIVE_INFINITY, signal } = given
      const run = randomUUID()
      const until = clock.now() + Math.min(leaseMs, remainingMs)
      const held = await acquire(key, { key, state: 'running', run, until }, signal)
      if (!('etag' in held)) return { value: held.result as T, repeated: true }
      let value: T
      try {
        value = await work()
      } catch (error) {
        // Without the signal: it may be why the work failed.
        await store.deleteIfMatch(objectKey(key), held.etag)
        throw error
      }
      const done: KeyRecord = { key, state: 'done', run, result: value ?? null }
      const kept = await store.putIfMatch(objectKey(key), JSON.stringify(done), held.etag, put(undefined))
      if (kept.outcome === 'replaced') return { value, repeated: false }
      throw new PipeError('PIPE_IDEMPOTENCY_LOST', `"${key}": the work took longer than its lease, and another run took over.`, {
        hint: 'Make the lease longer than the longest run.',
        details: { key },
      })
    },
  }
}

function put(signal: AbortSignal | undefined): { contentType: string; signal?: AbortSignal } {
  return { contentType: 'application/json', ...(signal ? { signal } : {}) }
}

/** Any text may be a key: its digest is the name of the object. */
function objectKey(key: string): string {
  return `${createHash('sha256').update(key).digest('hex')}.json`
}
