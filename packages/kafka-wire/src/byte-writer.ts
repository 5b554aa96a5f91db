import { sizeOfUnsignedVarint, writeUnsignedVarint } from './varint'

/** Writes the primitive types of the Kafka protocol (big-endian) into a buffer that grows. */
export interface ByteWriter {
  int8(value: number): void
  int16(value: number): void
  int32(value: number): void
  int64(value: bigint): void
  uint32(value: number): void
  boolean(value: boolean): void
  float64(value: number): void
  /** Unsigned varint: lengths and tags of flexible messages. */
  unsignedVarint(value: number): void
  /** The bytes themselves, without a length. */
  raw(bytes: Uint8Array): void
  /** Text as UTF-8 without a length; `byteLength` is its size in bytes. */
  utf8(text: string, byteLength: number): void
  /** What was written so far: a view, valid until the next write. */
  bytes(): Buffer
}

/** Makes a writer. `size` is a first guess of the bytes to come. */
export function createByteWriter(size = 256): ByteWriter {
  let buffer = Buffer.allocUnsafe(size)
  let end = 0

  /** Makes room and returns where to write. */
  function take(count: number): number {
    const start = end
    end += count
    if (end > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, buffer.length * 2))
      buffer.copy(larger, 0, 0, start)
      buffer = larger
    }
    return start
  }

  return {
    int8(value) {
      const at = take(1)
      buffer.writeInt8(value, at)
    },
    int16(value) {
      const at = take(2)
      buffer.writeInt16BE(value, at)
    },
    int32(value) {
      const at = take(4)
      buffer.writeInt32BE(value, at)
    },
    int64(value) {
      const at = take(8)
      buffer.writeBigInt64BE(value, at)
    },
    uint32(value) {
      const at = take(4)
      buffer.writeUInt32BE(value, at)
    },
    boolean(value) {
      const at = take(1)
      buffer[at] = value ? 1 : 0
    },
    float64(value) {
      const at = take(8)
      buffer.writeDoubleBE(value, at)
    },
    unsignedVarint(value) {
      const at = take(sizeOfUnsignedVarint(value))
      writeUnsignedVarint(buffer, at, value)
    },
    raw(bytes) {
      const at = take(bytes.length)
      buffer.set(bytes, at)
    },
    utf8(text, byteLength) {
      const at = take(byteLength)
      buffer.write(text, at, byteLength, 'utf8')
    },
    bytes: () => buffer.subarray(0, end),
  }
}
