import { WireError } from '../wire-error'
import type { Codec } from './codec'
import { copyWithin } from './snappy'
import { xxhash32 } from './xxhash32'

// LZ4 frames as Kafka's Java client writes them: independent blocks of 64 KiB, no content checksum. Frames of other writers are read with
// whatever the format allows: linked blocks, checksums, content size.
// Formats: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md

const magic = 0x184d2204
const blockBytes = 64 * 1024
const hashBits = 14
const hashTable = new Int32Array(1 << hashBits)

/** lz4, in this package. */
export const lz4Codec: Codec = { id: 3, name: 'lz4', compress: writeFrame, decompress: readFrame }

function writeFrame(bytes: Uint8Array): Buffer {
  const blocks = Math.ceil(bytes.length / blockBytes)
  const target = Buffer.allocUnsafe(7 + blocks * (4 + blockBytes + 512) + 4)
  target.writeUInt32LE(magic, 0)
  // Version 1, independent blocks; blocks of at most 64 KiB.
  target[4] = 0x60
  target[5] = 0x40
  target[6] = (xxhash32(target, 4, 6) >>> 8) & 0xff
  let at = 7
  for (let start = 0; start < bytes.length; start += blockBytes) {
    const end = Math.min(start + blockBytes, bytes.length)
    const written = writeBlock(bytes, start, end, target, at + 4)
    const size = written - at - 4
    if (size < end - start) {
      target.writeUInt32LE(size, at)
      at = written
    } else {
      // The highest bit marks a block that is stored as it is.
      target.writeUInt32LE(((end - start) | 0x80000000) >>> 0, at)
      target.set(bytes.subarray(start, end), at + 4)
      at += 4 + end - start
    }
  }
  target.writeUInt32LE(0, at)
  return target.subarray(0, at + 4)
}

function read32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function writeBlock(source: Uint8Array, start: number, end: number, target: Uint8Array, to: number): number {
  let at = to
  let literalStart = start
  let position = start
  hashTable.fill(0)
  // The format wants the last five bytes as literals, and no match that starts in the last twelve.
  const lastMatch = end - 12
  const matchEnd = end - 5
  while (position <= lastMatch) {
    const word = read32(source, position)
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - hashBits)
    const candidate = hashTable[slot]! - 1 + start
    const isMatch = hashTable[slot]! > 0 && position - candidate <= 0xffff && read32(source, candidate) === word
    hashTable[slot] = position - start + 1
    if (!isMatch) {
      position += 1 + ((position - literalStart) >> 6)
      continue
    }
    let length = 4
    while (position + length < matchEnd && source[candidate + length] === source[position + length]) length++
    at = writeSequence(source, literalStart, position, target, at, length - 4)
    target[at++] = (position - candidate) & 0xff
    target[at++] = (position - candidate) >> 8
    at = writeRest(target, at, length - 4)
    position += length
    literalStart = position
  }
  return writeSequence(source, literalStart, end, target, at, 0)
}

/** Writes the token, the length and the bytes of the literals. */
function writeSequence(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  to: number,
  matchRest: number,
): number {
  const length = end - start
  target[to] = (Math.min(length, 15) << 4) | Math.min(matchRest, 15)
  const at = writeRest(target, to + 1, length)
  target.set(source.subarray(start, end), at)
  return at + length
}

/** A length of 15 and more goes on in bytes of 255. */
function writeRest(target: Uint8Array, to: number, length: number): number {
  let at = to
  if (length < 15) return at
  let rest = length - 15
  for (; rest >= 255; rest -= 255) target[at++] = 255
  target[at++] = rest
  return at
}

function readFrame(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length < 7 || read32(bytes, 0) >>> 0 !== magic) throw damaged('the start of its frame')
  const flags = bytes[4]!
  if (flags >> 6 !== 1) throw damaged('its version')
  const hasBlockChecksum = (flags & 0x10) !== 0
  const hasContentSize = (flags & 0x08) !== 0
  const hasContentChecksum = (flags & 0x04) !== 0
  if ((flags & 0x01) !== 0) throw new WireError('An lz4 batch wants a dictionary, which Kafka does not have.')
  const headerEnd = 6 + (hasContentSize ? 8 : 0)
  if (bytes.length <= headerEnd) throw damaged('its header')
  // Writers before Kafka 0.10 put the magic number into the checksum; record batches are younger than that.
  if (((xxhash32(bytes, 4, headerEnd) >>> 8) & 0xff) !== bytes[headerEnd]) throw damaged('its header checksum')
  const output = growingOutput(bytes.length, maxBytes)
  let at = headerEnd + 1
  for (;;) {
    if (at + 4 > bytes.length) throw damaged('a block')
    const word = read32(bytes, at) >>> 0
    at += 4
    if (word === 0) break
    const size = word & 0x7fffffff
    if (at + size + (hasBlockChecksum ? 4 : 0) > bytes.length) throw damaged('a block')
    if (word >>> 31) output.literal(bytes, at, at + size)
    else readBlock(bytes, at, at + size, output)
    at += size
    if (hasBlockChecksum) {
      if (xxhash32(bytes, at - size, at) !== read32(bytes, at) >>> 0) throw damaged('a block checksum')
      at += 4
    }
  }
  const content = output.bytes()
  if (hasContentChecksum && (at + 4 > bytes.length || xxhash32(content) !== read32(bytes, at) >>> 0))
    throw damaged('its checksum')
  return content
}

interface Output {
  literal(source: Uint8Array, start: number, end: number): void
  match(offset: number, length: number): void
  bytes(): Buffer
}

/** The size is not known before: it grows, but never beyond the limit. */
function growingOutput(packedBytes: number, maxBytes: number): Output {
  let target = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(packedBytes * 4, 1024)))
  let end = 0
  function grow(count: number): void {
    if (end + count <= target.length) return
    if (end + count > maxBytes) throw new WireError(`An lz4 batch unpacks to more than ${maxBytes} bytes.`)
    const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(end + count, target.length * 2)))
    target.copy(larger, 0, 0, end)
    target = larger
  }
  return {
    literal(source, start, stop) {
      grow(stop - start)
      target.set(source.subarray(start, stop), end)
      end += stop - start
    },
    match(offset, length) {
      if (offset === 0 || offset > end) throw damaged('a match')
      grow(length)
      copyWithin(target, end - offset, end, length)
      end += length
    },
    bytes: () => target.subarray(0, end),
  }
}

function readBlock(source: Uint8Array, start: number, end: number, output: Output): void {
  let at = start
  const more = (length: number): number => {
    if (length < 15) return length
    let total = length
    for (;;) {
      if (at >= end) throw damaged('a length')
      const byte = source[at++]!
      total += byte
      if (byte < 255) return total
    }
  }
  while (at < end) {
    const token = source[at++]!
    const literals = more(token >> 4)
    if (at + literals > end) throw damaged('literals')
    output.literal(source, at, at + literals)
    at += literals
    if (at === end) return
    if (at + 2 > end) throw damaged('a match')
    const offset = source[at]! | (source[at + 1]! << 8)
    at += 2
    output.match(offset, more(token & 15) + 4)
  }
}

function damaged(part: string): WireError {
  return new WireError(`An lz4 batch is damaged at ${part}.`)
}
