const prime1 = 0x9e3779b1
const prime2 = 0x85ebca77
const prime3 = 0xc2b2ae3d
const prime4 = 0x27d4eb2f
const prime5 = 0x165667b1

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function read32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, prime2)) | 0, 13), prime1)
}

/** xxHash32 with seed 0 of the bytes from `start` to `end`, unsigned: the checksum of LZ4 frames. */
export function xxhash32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const length = end - start
  let at = start
  let hash: number
  if (length >= 16) {
    let a = (prime1 + prime2) | 0
    let b = prime2 | 0
    let c = 0
    let d = -prime1 | 0
    for (; at <= end - 16; at += 16) {
      a = round(a, read32(bytes, at))
      b = round(b, read32(bytes, at + 4))
      c = round(c, read32(bytes, at + 8))
      d = round(d, read32(bytes, at + 12))
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
  } else hash = prime5 | 0
  hash = (hash + length) | 0
  for (; at <= end - 4; at += 4) hash = Math.imul(rotate((hash + Math.imul(read32(bytes, at), prime3)) | 0, 17), prime4)
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at]!, prime5)) | 0, 11), prime1)
  hash = Math.imul(hash ^ (hash >>> 15), prime2)
  hash = Math.imul(hash ^ (hash >>> 13), prime3)
  return (hash ^ (hash >>> 16)) >>> 0
}
