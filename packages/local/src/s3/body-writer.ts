import { type FileHandle, open } from 'node:fs/promises'
import type { BodyFiles } from './body-files'

/** Writes one large body to its file, a megabyte at a time, one write ahead of the reader. */
export interface BodyWriter {
  readonly body: number
  /** Bytes taken so far. */
  readonly size: number
  write(bytes: Buffer): Promise<void>
  /** Waits until everything is in the file, and closes it. */
  finish(): Promise<void>
  /** Closes and removes the file. */
  abandon(): Promise<void>
}

const batchBytes = 1 << 20

/** Reserves a body and opens its file. */
export async function createBodyWriter(bodies: BodyFiles): Promise<BodyWriter> {
  const body = bodies.reserve()
  const file: FileHandle = await open(bodies.path(body), 'wx')
  let batch: Buffer[] = []
  let batched = 0
  let size = 0
  let failure: { readonly error: unknown } | undefined
  let pending: Promise<void> = Promise.resolve()

  async function writeBatch(buffers: Buffer[], bytes: number): Promise<void> {
    try {
      const { bytesWritten } = await file.writev(buffers)
      // A full disk may take part of a batch; writing the rest reports it.
      if (bytesWritten < bytes) await file.appendFile(Buffer.concat(buffers).subarray(bytesWritten))
    } catch (error) {
      failure = { error }
    }
  }

  async function flush(): Promise<void> {
    await pending
    if (failure) throw failure.error
    if (batched === 0) return
    pending = writeBatch(batch, batched)
    batch = []
    batched = 0
  }

  return {
    body,
    get size() {
      return size
    },
    async write(bytes) {
      size += bytes.length
      batched += bytes.length
      batch.push(bytes)
      if (batched >= batchBytes) await flush()
    },
    async finish() {
      await flush()
      await pending
      if (failure) throw failure.error
      await file.close()
    },
    async abandon() {
      await pending
      await file.close()
      bodies.discard(body)
    },
  }
}
