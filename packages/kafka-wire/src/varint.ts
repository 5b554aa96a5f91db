// Variable-length integers of Kafka's record format and of its flexible messages (KIP-98, KIP-482): seven bits a byte, the lowest first.
// Record fields are zig-zag encoded (small magnitudes are short); lengths of flexible messages are unsigned.

/** Bytes of an unsigned varint (0 … 2^32 − 1). */
export function sizeOfUnsignedVarint(value: number): number {
  // ceil(bits / 7); zero takes one byte too.
  return ((38 - Math.clz32(value | 1)) / 7) | 0
}

/** Bytes of a zig-zag varint of a 32-bit integer. */
export function sizeOfVarint(value: number): number {
  return sizeOfUnsignedVarint(zigzag(value))
}

/** Bytes of a zig-zag varint of an integer of up to 53 bits. */
export function sizeOfVarlong(value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return sizeOfVarint(value)
  let rest = value < 0 ? -(value + 1) : value
  // One bit goes to the sign: the first byte holds six bits of the magnitude.
  let size = 1
  rest = Math.floor(rest / 64)
  while (rest > 0) {
    size++
    rest = Math.floor(rest / 128)
  }
  return size
}

/** 0, −1, 1, −2 … → 0, 1, 2, 3 … of a 32-bit integer, as an unsigned number. */
export function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}

/** The inverse of {@link zigzag}. */
export function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}

/** Writes an unsigned varint; returns the position after it. */
export function writeUnsignedVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0
  let position = at
  while (rest > 0x7f) {
    bytes[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[position++] = rest
  return position
}

/** Writes a zig-zag varint of a 32-bit integer; returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  return writeUnsignedVarint(bytes, at, zigzag(value))
}

/** Writes a zig-zag varint of an integer of up to 53 bits; returns the position after it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return writeVarint(bytes, at, value)
  const isNegative = value < 0
  let rest = isNegative ? -(value + 1) : value
  let position = at
  let low = (rest % 64) * 2 + (isNegative ? 1 : 0)
  rest = Math.floor(rest / 64)
  while (rest > 0) {
    bytes[position++] = low | 0x80
    low = rest % 128
    rest = Math.floor(rest / 128)
  }
  bytes[position++] = low
  return position
}
