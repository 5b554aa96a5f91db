import * as zlib from 'node:zlib'
import type { Codec } from './codec'
import { unpackError } from './gzip'

// Node has zstd since 22.15 and 23.8; the types of Node 20 do not know it.
const { zstdCompress, zstdDecompressSync } = zlib as unknown as {
  readonly zstdCompress?: (bytes: Uint8Array, done: (error: Error | null, packed: Buffer) => void) => void
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer
}

/** zstd, by node:zlib; `undefined` on a Node without it. */
export const zstdCodec: Codec | undefined =
  zstdCompress && zstdDecompressSync
    ? {
        id: 4,
        name: 'zstd',
        compress: (bytes) =>
          new Promise((resolve, reject) => {
            zstdCompress(bytes, (error, packed) => (error ? reject(error) : resolve(packed)))
          }),
        decompress(bytes, maxBytes) {
          try {
            return zstdDecompressSync(bytes, { maxOutputLength: maxBytes })
          } catch (error) {
            throw unpackError('zstd', error, maxBytes)
          }
        },
      }
    : undefined
