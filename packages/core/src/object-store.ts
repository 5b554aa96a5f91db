import type { Readable } from 'node:stream'

/** One object of a listing. */
export interface ObjectSummary {
  /** Relative to the location of the store. */
  readonly key: string
  readonly size: number
  /** With quotes, as S3 gives it. */
  readonly etag: string
  readonly lastModified: Date
}

/** One object with its metadata. */
export interface ObjectHead extends ObjectSummary {
  readonly metadata: Readonly<Record<string, string>>
}

/** The body of an object. One of the three ways may be used, once. */
export interface ObjectBody extends ObjectHead {
  stream(): Readable
  bytes(): Promise<Uint8Array>
  text(): Promise<string>
}

/** Options of a write. */
export interface PutOptions {
  /** User metadata (`x-amz-meta-…`), 2 KB at most. Default none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Default: that of S3, `application/octet-stream`. */
  readonly contentType?: string | undefined
  /** Default none. Files named `.gz` need none: readers go by the bytes. */
  readonly contentEncoding?: string | undefined
  /** Default `STANDARD`. */
  readonly storageClass?: string | undefined
  /** An abort rejects with its reason. A conditional write may have taken place by then. */
  readonly signal?: AbortSignal | undefined
}

/** What a body may be: bytes, text, or a stream (sent in parts). */
export type PutBody = Uint8Array | string | Readable

/** How a create-only write ended. `created` also when the reply to the own write was lost and the read-back shows it is ours. */
export type CreateOutcome =
  | { readonly outcome: 'created'; readonly etag: string }
  | { readonly outcome: 'exists'; readonly etag: string }

/** How a conditional replace or delete ended. `changed`: the object is no longer what the caller saw (or is gone). */
export type ReplaceOutcome = { readonly outcome: 'replaced'; readonly etag: string } | { readonly outcome: 'changed' }

/** How a conditional delete ended. `changed`: the object is no longer what the caller saw; `absent`: it was gone already. */
export type DeleteOutcome = { readonly outcome: 'deleted' | 'changed' | 'absent' }

/**
 * Objects below one location. Keys are relative to it and can not leave it.
 *
 * Conditional writes carry a nonce in the object's metadata: when the reply to a write is lost, the SDK's own retry gets 412 for its own
 * object, so on 412 or a broken connection the object is read back and the outcome is decided by the nonce (compaction protocol §3).
 */
export interface ObjectStore {
  /** `s3://bucket/prefix/`. */
  readonly location: string
  /** `s3://bucket/prefix/key`. */
  uri(key: string): string
  list(options?: {
    readonly prefix?: string
    readonly startAfter?: string
    readonly signal?: AbortSignal
  }): AsyncIterable<ObjectSummary>
  /** `undefined` when there is no such object; a missing permission is an error, never "absent". */
  head(key: string, options?: { readonly signal?: AbortSignal }): Promise<ObjectHead | undefined>
  /** `undefined` when there is no such object. With `ifMatch`, a changed object is an error `PIPE_OBJECT_CHANGED`. */
  get(
    key: string,
    options?: {
      /** Bytes `start ≤ i < end`; without `end` to the end. */
      readonly range?: { readonly start: number; readonly end?: number }
      readonly ifMatch?: string
      readonly signal?: AbortSignal
    },
  ): Promise<ObjectBody | undefined>
  put(key: string, body: PutBody, options?: PutOptions): Promise<{ readonly etag: string }>
  putIfAbsent(key: string, body: Uint8Array | string, options?: PutOptions): Promise<CreateOutcome>
  putIfMatch(key: string, body: Uint8Array | string, etag: string, options?: PutOptions): Promise<ReplaceOutcome>
  delete(key: string, options?: { readonly signal?: AbortSignal }): Promise<void>
  deleteIfMatch(key: string, etag: string, options?: { readonly signal?: AbortSignal }): Promise<DeleteOutcome>
  /** Closes the client when the store made it. Idempotent. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}
