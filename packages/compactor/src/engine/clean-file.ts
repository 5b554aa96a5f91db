import { closeSync, openSync, writeSync } from 'node:fs'

const bufferBytes = 4 * 1024 * 1024

/** A file of clean lines that is written front to back. Writing is synchronous: it is the page cache that takes the bytes. */
export interface CleanFile {
  readonly path: string
  readonly bytes: number
  /** Bytes of the longest line. */
  readonly longestLine: number
  write(bytes: Uint8Array, longestLine: number): void
  /** Writes what is buffered and closes the file. Idempotent. */
  close(): void
}

/** Creates the file; it must not exist. */
export function createCleanFile(path: string): CleanFile {
  const file = openSync(path, 'wx')
  const buffer = Buffer.allocUnsafe(bufferBytes)
  let used = 0
  let bytes = 0
  let longest = 0
  let isOpen = true
  const flush = () => {
    writeAll(file, buffer.subarray(0, used))
    used = 0
  }
  return {
    path,
    get bytes() {
      return bytes
    },
    get longestLine() {
      return longest
    },
    write(chunk, longestLine) {
      bytes += chunk.length
      if (longestLine > longest) longest = longestLine
      if (used + chunk.length > bufferBytes) flush()
      if (chunk.length > bufferBytes) writeAll(file, chunk)
      else {
        buffer.set(chunk, used)
        used += chunk.length
      }
    },
    close() {
      if (!isOpen) return
      isOpen = false
      try {
        flush()
      } finally {
        closeSync(file)
      }
    },
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
