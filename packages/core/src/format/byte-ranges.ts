import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Bytes that can be read from anywhere, as the footer of a Parquet file stands at its end. */
export interface ByteRanges {
  readonly byteLength: number
  /** Bytes `start ≤ i < end`; fewer only at the end of the file. */
  read(start: number, end: number): Promise<Uint8Array>
  /** Frees what is held. Idempotent. */
  close(): Promise<void>
}

/** A file on disk. */
export async function fileRanges(path: string): Promise<ByteRanges> {
  const handle = await open(path, 'r')
  const { size } = await handle.stat()
  return handleRanges(handle, size)
}

function handleRanges(handle: FileHandle, byteLength: number): ByteRanges {
  let closed: Promise<void> | undefined
  return {
    byteLength,
    async read(start, end) {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(end, byteLength) - start))
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    },
    close() {
      closed ??= handle.close()
      return closed
    },
  }
}

/** Up to this size a stream is held in memory; beyond, in a temporary file. */
const memoryBytes = 32 * 1024 * 1024

/** A stream, made readable from anywhere: held in memory when small, else in a temporary file that is gone once it is closed. */
export async function spooledRanges(source: AsyncIterable<Uint8Array>): Promise<ByteRanges> {
  const chunks: Uint8Array[] = []
  let length = 0
  let handle: FileHandle | undefined
  try {
    for await (const chunk of source) {
      length += chunk.length
      if (handle) await handle.appendFile(chunk)
      else {
        chunks.push(chunk)
        if (length > memoryBytes) {
          const path = join(tmpdir(), `pipe-${randomUUID()}`)
          handle = await open(path, 'wx+')
          // The name is not needed: the file lives as long as the handle, even when the process dies.
          await unlink(path).catch(async (error: NodeJS.ErrnoException) => {
            // Windows keeps an open file; there it stays until the system clears its temporary files.
            if (error.code !== 'EBUSY' && error.code !== 'EPERM') throw error
          })
          for (const held of chunks.splice(0)) await handle.appendFile(held)
        }
      }
    }
  } catch (error) {
    await handle?.close()
    throw error
  }
  if (handle) return handleRanges(handle, length)
  const bytes = Buffer.concat(chunks)
  return { byteLength: length, read: async (start, end) => bytes.subarray(start, end), close: async () => {} }
}
