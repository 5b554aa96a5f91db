import type { LogMessage } from './messages'
import type { RawFile } from './raw-file'

/** Where raw files go. */
export interface LogSink {
  /** Stores a file, all or nothing. The same file again gives the same bytes under the same key. Returns where it lies. */
  put(file: RawFile, options: { readonly signal?: AbortSignal | undefined }): Promise<{ readonly uri: string }>
  /** Releases what the sink holds. Idempotent. */
  close(): void
}

/** Where single records go. It takes files too, by their lines: those of a file that is sent again come twice. */
export interface RecordSink extends LogSink {
  /** Resolves when the messages are taken, and rejects when that is not certain. */
  send(messages: readonly LogMessage[], options: { readonly signal?: AbortSignal | undefined }): Promise<void>
}

/** Messages of a file that a sink is given at a time. */
const batchMessages = 1000

/** Sends the lines of a file in batches, one after the other: their order is kept. */
export async function sendFile(
  file: RawFile,
  send: RecordSink['send'],
  options: { readonly signal?: AbortSignal | undefined },
): Promise<void> {
  let batch: LogMessage[] = []
  for (const message of file.messages()) {
    batch.push(message)
    if (batch.length < batchMessages) continue
    options.signal?.throwIfAborted()
    await send(batch, options)
    batch = []
  }
  if (batch.length > 0) await send(batch, options)
}
