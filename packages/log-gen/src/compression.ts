import zlib, { constants, gzipSync } from 'node:zlib'
import { ConfigError } from '@pipe/core'
import type { LogCompression } from './log-format'

/** Compression level of raw files: the function's bill is its start and the put, not the compression. */
export const usualLevel = 6

/** One gzip member. The same bytes give the same member: no time, no file name, and the same system byte everywhere. */
export function gzipWhole(bytes: Uint8Array, level: number = usualLevel): Buffer {
  return withSystemByte(gzipSync(bytes, { level }))
}

/**
 * A member that ends too early, as after a broken upload: header and data flushed to a byte boundary, but no last block, no checksum.
 * A reader gets all of `bytes` and then an unexpected end.
 */
export function gzipCut(bytes: Uint8Array, level: number = usualLevel): Buffer {
  return withSystemByte(gzipSync(bytes, { level, finishFlush: constants.Z_SYNC_FLUSH }))
}

function withSystemByte(member: Buffer): Buffer {
  // zlib names the system it was built for (RFC 1952 §2.3.1): 3 is Unix.
  member[9] = 3
  return member
}

// Node 20 has no zstd, and the types are those of Node 20.
const { zstdCompressSync } = zlib as { readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer }

/**
 * One zstd frame.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` where Node has no zstd.
 */
export function zstdWhole(bytes: Uint8Array): Buffer {
  checkZstd()
  return (zstdCompressSync as NonNullable<typeof zstdCompressSync>)(bytes)
}

/** Whether this Node can write zstd. */
export const hasZstd: boolean = zstdCompressSync !== undefined

/** Refuses zstd where Node has none. */
export function checkZstd(): void {
  if (hasZstd) return
  throw new ConfigError(`Node ${process.versions.node} has no zstd.`, {
    hint: "Use Node 22.15 or later, or compression: 'gzip'.",
  })
}

/** Compresses a whole file. */
export function compress(bytes: Buffer, compression: LogCompression, level: number): Buffer {
  if (compression === 'none') return bytes
  return compression === 'gzip' ? gzipWhole(bytes, level) : zstdWhole(bytes)
}
