import { unzigzag } from './varint'
import { WireError } from './wire-error'

/** Reads the primitive types of the Kafka protocol (big-endian). Every read is bounded; running past the end throws {@link WireError}. */
export interface ByteCursor {
  /** Position of the next byte. */
  readonly position: number
  /** Bytes that are left. */
  readonly remaining: number
  int8(): number
  int16(): number
  int32(): number
  int64(): bigint
  uint32(): number
  boolean(): boolean
  float64(): number
  /** Unsigned varint of up to 32 bits. */
  unsignedVarint(): number
  /** Zig-zag varint of up to 32 bits. */
  varint(): number
  /** Zig-zag varint of up to 64 bits. */
  varlong(): bigint
  /** The next `count` bytes: a view, not a copy. */
  raw(count: number): Buffer
  /** The next `count` bytes as UTF-8 text. */
  utf8(count: number): string
  skip(count: number): void
}

/** Makes a cursor over bytes. `what` names them in errors: `a Produce response`. */
export function createByteCursor(source: Uint8Array, what: string, start = 0, end: number = source.length): ByteCursor {
  const buffer = Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  let at = start

  function take(count: number): number {
    const from = at
    if (count < 0 || from + count > end) {
      throw new WireError(`${what} ends too early: ${count} bytes wanted at ${from}, ${end - from} left.`)
    }
    at += count
    return from
  }

  function unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = buffer[take(1)]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return value >>> 0
      }
    }
    throw new WireError(`${what} has a varint of more than 32 bits at ${at}.`)
  }

  return {
    get position() {
      return at
    },
    get remaining() {
      return end - at
    },
    int8: () => buffer.readInt8(take(1)),
    int16: () => buffer.readInt16BE(take(2)),
    int32: () => buffer.readInt32BE(take(4)),
    int64: () => buffer.readBigInt64BE(take(8)),
    uint32: () => buffer.readUInt32BE(take(4)),
    boolean: () => buffer[take(1)] !== 0,
    float64: () => buffer.readDoubleBE(take(8)),
    unsignedVarint,
    varint: () => unzigzag(unsignedVarint()),
    varlong() {
      // Nearly all fit into 32 bits: bigint arithmetic only where it is needed.
      let low = 0
      for (let shift = 0; shift < 28; shift += 7) {
        const byte = buffer[take(1)]!
        low |= (byte & 0x7f) << shift
        if (byte < 0x80) return BigInt(unzigzag(low >>> 0))
      }
      let value = BigInt(low)
      for (let shift = 28n; shift < 70n; shift += 7n) {
        const byte = buffer[take(1)]!
        value |= BigInt(byte & 0x7f) << shift
        if (byte < 0x80) {
          if (shift === 63n && byte > 1) break
          return (value >> 1n) ^ -(value & 1n)
        }
      }
      throw new WireError(`${what} has a varint of more than 64 bits at ${at}.`)
    },
    raw(count) {
      const from = take(count)
      return buffer.subarray(from, from + count)
    },
    utf8(count) {
      const from = take(count)
      return buffer.toString('utf8', from, from + count)
    },
    skip(count) {
      take(count)
    },
  }
}
