import { constants, gzipSync } from 'node:zlib'

/** Compression level of raw files: the function's bill is its start and the put, not the compression. */
const level = 6

/** One gzip member. The same bytes give the same member: no time, no file name, and the same system byte everywhere. */
export function gzipWhole(bytes: Uint8Array): Buffer {
  return withSystemByte(gzipSync(bytes, { level }))
}

/**
 * A member that ends too early, as after a broken upload: header and data flushed to a byte boundary, but no last block, no checksum.
 * A reader gets all of `bytes` and then an unexpected end.
 */
export function gzipCut(bytes: Uint8Array): Buffer {
  return withSystemByte(gzipSync(bytes, { level, finishFlush: constants.Z_SYNC_FLUSH }))
}

function withSystemByte(member: Buffer): Buffer {
  // zlib names the system it was built for (RFC 1952 §2.3.1): 3 is Unix.
  member[9] = 3
  return member
}
