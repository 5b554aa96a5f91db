import type { Readable } from 'node:stream'

/** One stored object, as an immutable file on this machine. */
export interface StoredObject {
  readonly bucket: string
  readonly key: string
  readonly size: number
  /** With quotes, as in the ETag header. */
  readonly etag: string
  /** Milliseconds, by the clock of the runtime. */
  readonly lastModified: number
  /** Absolute path of the body. The file never changes; it stays readable for at least ten minutes after the object is replaced or deleted. */
  readonly file: string
  readonly storageClass: string
  /** User metadata without the `x-amz-meta-` prefix. */
  readonly metadata: Readonly<Record<string, string>>
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
}

/** What other services of the runtime (Athena) may do with objects, below HTTP and without authorisation: they authorise themselves. */
export interface ObjectFiles {
  /** Folder of this machine below which the files of all objects lie. */
  readonly dir: string
  hasBucket(bucket: string): boolean
  head(bucket: string, key: string): StoredObject | undefined
  /** All objects whose key starts with `prefix`, in UTF-8 byte order of the key. */
  list(bucket: string, prefix: string): readonly StoredObject[]
  put(
    bucket: string,
    key: string,
    body: Uint8Array | string | Readable,
    options?: { contentType?: string },
  ): Promise<StoredObject>
  /** Moves a finished file of this machine in as an object (same volume: a rename). */
  adoptFile(bucket: string, key: string, file: string, options?: { contentType?: string }): Promise<StoredObject>
  delete(bucket: string, key: string): Promise<void>
}
