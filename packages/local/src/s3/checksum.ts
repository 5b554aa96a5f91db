import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { crc32c } from '@pipe/kafka-wire'
import { AwsError } from '../service'
import { createCrc64Nvme } from './crc64nvme'

/** Checksum algorithms that the local S3 computes, in the spelling of the API. */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'

/** Whether a checksum covers the bytes of the object, or the checksums of its parts. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

/** A stored checksum: base64, with `-N` behind it when composite over N parts. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  readonly value: string
  readonly type: ChecksumType
}

/** A running digest. */
export interface Hasher {
  update(bytes: Uint8Array): void
  digest(): Buffer
}

/** In the order in which S3 documents them. */
export const checksumAlgorithms: readonly ChecksumAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']

// The SDK knows these as well; S3 takes them since 2026. Named so that they are refused and not ignored.
const unsupported = new Set(['md5', 'sha512', 'xxhash3', 'xxhash64', 'xxhash128'])

/** `x-amz-checksum-crc32` … */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`
}

/** `ChecksumCRC32` …, the name of the element in XML. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`
}

/** @throws {@link AwsError} InvalidRequest or NotImplemented when `name` is not an algorithm that is computed here. */
export function parseAlgorithm(name: string): ChecksumAlgorithm {
  const upper = name.toUpperCase()
  const found = checksumAlgorithms.find((algorithm) => algorithm === upper)
  if (found) return found
  if (unsupported.has(name.toLowerCase())) {
    throw new AwsError('NotImplemented', `The local S3 does not compute the checksum algorithm ${upper}.`, 501)
  }
  throw new AwsError(
    'InvalidRequest',
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${checksumAlgorithms.join(', ')}]`,
  )
}

/** Returns a fresh digest of `algorithm`. */
export function createHasher(algorithm: ChecksumAlgorithm): Hasher {
  switch (algorithm) {
    case 'CRC32': {
      let value = 0
      return {
        update(bytes) {
          value = crc32(bytes, value)
        },
        digest: () => bigEndian(value),
      }
    }
    case 'CRC32C': {
      let value = 0
      return {
        update(bytes) {
          value = crc32c(bytes, 0, bytes.length, value)
        },
        digest: () => bigEndian(value),
      }
    }
    case 'CRC64NVME':
      return createCrc64Nvme()
    default: {
      const hash = createHash(algorithm.toLowerCase())
      return {
        update(bytes) {
          hash.update(bytes)
        },
        digest: () => hash.digest(),
      }
    }
  }
}

/** The checksum of `bytes` in base64. */
export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  const hasher = createHasher(algorithm)
  hasher.update(bytes)
  return hasher.digest().toString('base64')
}

function bigEndian(value: number): Buffer {
  const result = Buffer.allocUnsafe(4)
  result.writeUInt32BE(value, 0)
  return result
}

/** A checksum that the client stated, in the header or announced for the trailer. */
export interface StatedChecksum {
  readonly algorithm: ChecksumAlgorithm
  /** Base64; `undefined` while it is still to come in the trailer. */
  readonly value: string | undefined
}

/**
 * The checksum that a request states for its body: `x-amz-checksum-*`, else the one that `x-amz-trailer` announces. Undefined when there is none.
 *
 * @throws {@link AwsError} InvalidRequest for more than one or a malformed one; NotImplemented for an algorithm that is not computed here.
 */
export function statedChecksum(headers: Readonly<Record<string, string | string[] | undefined>>): StatedChecksum | undefined {
  let stated: StatedChecksum | undefined
  for (const name in headers) {
    if (!name.startsWith('x-amz-checksum-')) continue
    const suffix = name.slice('x-amz-checksum-'.length)
    if (suffix === 'algorithm' || suffix === 'type' || suffix === 'mode') continue
    if (stated)
      throw new AwsError('InvalidRequest', 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.')
    const algorithm = parseAlgorithm(suffix)
    const value = String(headers[name]).trim()
    if (!wellFormed(algorithm, value)) {
      throw new AwsError('InvalidRequest', `Value for ${name} header is invalid.`)
    }
    stated = { algorithm, value }
  }
  const trailer = headers['x-amz-trailer']
  if (trailer !== undefined) {
    const name = String(trailer).trim().toLowerCase()
    if (!name.startsWith('x-amz-checksum-')) {
      throw new AwsError('InvalidRequest', `The value specified in the x-amz-trailer header is not supported: ${name}`)
    }
    if (stated)
      throw new AwsError('InvalidRequest', 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.')
    stated = { algorithm: parseAlgorithm(name.slice('x-amz-checksum-'.length)), value: undefined }
  }
  return stated
}

const digestBytes: Readonly<Record<ChecksumAlgorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 }

/** Whether `value` is the base64 form of a digest of `algorithm`. */
export function wellFormed(algorithm: ChecksumAlgorithm, value: string): boolean {
  return (
    Buffer.from(value, 'base64').length === digestBytes[algorithm] && Buffer.from(value, 'base64').toString('base64') === value
  )
}

/** The checksum over the checksums of parts, `<base64>-<count>`. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly string[]): Checksum {
  const hasher = createHasher(algorithm)
  for (const part of parts) hasher.update(Buffer.from(part, 'base64'))
  return { algorithm, value: `${hasher.digest().toString('base64')}-${parts.length}`, type: 'COMPOSITE' }
}
