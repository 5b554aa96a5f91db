import { WireError } from '../wire-error'
import type { Codec } from './codec'

// Snappy blocks in the framing of Java's snappy-java ("xerial"), as Kafka's own client writes them; plain blocks, as librdkafka writes them,
// are read too. Format: https://github.com/google/snappy/blob/main/format_description.txt

const frameMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const frameHeaderBytes = 16
const chunkBytes = 32 * 1024

/** Positions + 1 of the last place where four bytes with this hash stood. */
const hashBits = 14
const hashTable = new Int32Array(1 << hashBits)

/** snappy, in this package. */
export const snappyCodec: Codec = { id: 2, name: 'snappy', compress: snappyFrame, decompress: snappyUnframe }

function snappyFrame(bytes: Uint8Array): Buffer {
  const chunks = Math.ceil(bytes.length / chunkBytes)
  const target = Buffer.allocUnsafe(frameHeaderBytes + chunks * (4 + maxBlockBytes(chunkBytes)))
  target.set(frameMagic, 0)
  target.writeInt32BE(1, 8)
  target.writeInt32BE(1, 12)
  let at = frameHeaderBytes
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    const end = writeBlock(bytes, start, Math.min(start + chunkBytes, bytes.length), target, at + 4)
    target.writeInt32BE(end - at - 4, at)
    at = end
  }
  return target.subarray(0, at)
}

function maxBlockBytes(size: number): number {
  return 32 + size + Math.ceil(size / 6)
}

function writeBlock(source: Uint8Array, start: number, end: number, target: Uint8Array, to: number): number {
  let at = to
  for (let rest = end - start; ; rest >>>= 7) {
    if (rest < 0x80) {
      target[at++] = rest
      break
    }
    target[at++] = (rest & 0x7f) | 0x80
  }
  hashTable.fill(0)
  let literalStart = start
  let position = start
  for (const last = end - 4; position <= last; ) {
    const word = read32(source, position)
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)
    const candidate = hashTable[slot]! - 1 + start
    const isMatch = hashTable[slot]! > 0 && read32(source, candidate) === word
    hashTable[slot] = position - start + 1
    if (!isMatch) {
      // The longer nothing matches, the longer the steps: data that does not compress is passed quickly.
      position += 1 + ((position - literalStart) >> 5)
      continue
    }
    let length = 4
    while (position + length < end && source[candidate + length] === source[position + length]) length++
    at = writeLiteral(source, literalStart, position, target, at)
    at = writeCopy(target, at, position - candidate, length)
    position += length
    literalStart = position
  }
  return writeLiteral(source, literalStart, end, target, at)
}

function read32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function writeLiteral(source: Uint8Array, start: number, end: number, target: Uint8Array, to: number): number {
  const length = end - start
  if (length === 0) return to
  let at = to
  const rest = length - 1
  if (rest < 60) target[at++] = rest << 2
  else if (rest < 0x100) {
    target[at++] = 60 << 2
    target[at++] = rest
  } else {
    // Chunks are 32 KiB at most: two bytes suffice.
    target[at++] = 61 << 2
    target[at++] = rest & 0xff
    target[at++] = rest >> 8
  }
  target.set(source.subarray(start, end), at)
  return at + length
}

function writeCopy(target: Uint8Array, to: number, offset: number, length: number): number {
  let at = to
  let rest = length
  while (rest > 0) {
    // A copy holds up to 64 bytes; what is left must not be shorter than 4, where the short form begins.
    const take = rest <= 64 ? rest : rest < 68 ? 60 : 64
    if (take >= 4 && take <= 11 && offset < 2048) {
      target[at++] = 1 | ((take - 4) << 2) | ((offset >> 8) << 5)
      target[at++] = offset & 0xff
    } else {
      target[at++] = 2 | ((take - 1) << 2)
      target[at++] = offset & 0xff
      target[at++] = offset >> 8
    }
    rest -= take
  }
  return at
}

function snappyUnframe(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length < frameHeaderBytes || !frameMagic.every((byte, i) => bytes[i] === byte))
    return readBlock(bytes, maxBytes, maxBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks: Uint8Array[] = []
  let left = maxBytes
  for (let at = frameHeaderBytes; at < bytes.length; ) {
    const size = at + 4 <= bytes.length ? view.getInt32(at) : -1
    at += 4
    if (size < 0 || at + size > bytes.length) throw new WireError('A snappy batch is cut off.')
    const block = readBlock(bytes.subarray(at, at + size), left, maxBytes)
    left -= block.length
    blocks.push(block)
    at += size
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks)
}

/** `left` of the `maxBytes` of the whole batch may still be used. */
function readBlock(source: Uint8Array, left: number, maxBytes: number): Uint8Array {
  let at = 0
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = source[at++]
    if (byte === undefined || shift > 28) throw damaged('its length')
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  if (size > left) throw new WireError(`A snappy batch unpacks to more than ${maxBytes} bytes.`)
  const target = Buffer.allocUnsafe(size)
  let end = 0
  while (at < source.length) {
    const tag = source[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >> 2) + 1
      if (length > 60) {
        const extra = length - 60
        if (at + extra > source.length) throw damaged('a literal')
        length = 1
        for (let i = 0; i < extra; i++) length += source[at + i]! * 2 ** (8 * i)
        at += extra
      }
      if (at + length > source.length || end + length > size) throw damaged('a literal')
      target.set(source.subarray(at, at + length), end)
      at += length
      end += length
      continue
    }
    const extra = kind === 1 ? 1 : kind === 2 ? 2 : 4
    if (at + extra > source.length) throw damaged('a copy')
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const offset =
      kind === 1 ? ((tag >> 5) << 8) | source[at]! : kind === 2 ? source[at]! | (source[at + 1]! << 8) : read32(source, at) >>> 0
    at += extra
    if (offset === 0 || offset > end || end + length > size) throw damaged('a copy')
    copyWithin(target, end - offset, end, length)
    end += length
  }
  if (end !== size) throw damaged('its length')
  return target
}

/** Copies bytes that may overlap: a copy may repeat what it has just written. */
export function copyWithin(target: Uint8Array, from: number, to: number, length: number): void {
  if (to - from >= length) target.copyWithin(to, from, from + length)
  else for (let i = 0; i < length; i++) target[to + i] = target[from + i]!
}

function damaged(part: string): WireError {
  return new WireError(`A snappy batch is damaged at ${part}.`)
}
