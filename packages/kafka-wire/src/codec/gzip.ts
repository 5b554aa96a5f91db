import { promisify } from 'node:util'
import { gunzipSync, gzip } from 'node:zlib'
import { WireError } from '../wire-error'
import type { Codec } from './codec'

const gzipLater = promisify(gzip)

/** gzip, by node:zlib. Compresses off the main thread. */
export const gzipCodec: Codec = {
  id: 1,
  name: 'gzip',
  compress: (bytes) => gzipLater(bytes),
  decompress(bytes, maxBytes) {
    try {
      return gunzipSync(bytes, { maxOutputLength: maxBytes })
    } catch (error) {
      throw unpackError('gzip', error, maxBytes)
    }
  },
}

/** The error for what node:zlib throws. */
export function unpackError(name: string, error: unknown, maxBytes: number): WireError {
  const { code, message } = error as { code?: string; message: string }
  if (code === 'ERR_BUFFER_TOO_LARGE') return new WireError(`A ${name} batch unpacks to more than ${maxBytes} bytes.`)
  return new WireError(`A ${name} batch cannot be unpacked: ${message}.`)
}
