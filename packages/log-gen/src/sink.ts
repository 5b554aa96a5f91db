import type { RawFile } from './raw-file'

/** Where raw files go. */
export interface LogSink {
  /** Stores a file, all or nothing. The same file again gives the same bytes under the same key. Returns where it lies. */
  put(file: RawFile, options: { readonly signal?: AbortSignal | undefined }): Promise<{ readonly uri: string }>
  /** Releases what the sink holds. Idempotent. */
  close(): void | Promise<void>
}
