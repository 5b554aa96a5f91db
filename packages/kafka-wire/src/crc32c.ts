// CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected 0x82F63B78), sixteen bytes a step ("slicing by 16"), read as four words: more than
// twice as fast as eight single bytes a step.

/** Sixteen tables of 256 entries, one after the other: table n is that of a byte with n bytes after it in its step. */
const table: Int32Array = makeTable()

function makeTable(): Int32Array {
  const all = new Int32Array(16 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    all[byte] = crc
  }
  for (let at = 256; at < all.length; at++) {
    const previous = all[at - 256]!
    all[at] = (previous >>> 8) ^ all[previous & 0xff]!
  }
  return all
}

/** The steps read words as this machine writes them; elsewhere all goes byte by byte. */
const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1
/** For fewer bytes the view costs more than it gains. */
const minStepBytes = 64

function overBytes(start: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = start
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!
  return crc
}

function overWords(start: number, words: Int32Array): number {
  let crc = start
  // The sums stay below the length of the table, which the compiler sees: it checks no index.
  for (let at = 0; at < words.length; at += 4) {
    const a = crc ^ words[at]!
    const b = words[at + 1]!
    const c = words[at + 2]!
    const d = words[at + 3]!
    crc =
      table[(a & 0xff) + 0xf00]! ^
      table[((a >>> 8) & 0xff) + 0xe00]! ^
      table[((a >>> 16) & 0xff) + 0xd00]! ^
      table[(a >>> 24) + 0xc00]! ^
      table[(b & 0xff) + 0xb00]! ^
      table[((b >>> 8) & 0xff) + 0xa00]! ^
      table[((b >>> 16) & 0xff) + 0x900]! ^
      table[(b >>> 24) + 0x800]! ^
      table[(c & 0xff) + 0x700]! ^
      table[((c >>> 8) & 0xff) + 0x600]! ^
      table[((c >>> 16) & 0xff) + 0x500]! ^
      table[(c >>> 24) + 0x400]! ^
      table[(d & 0xff) + 0x300]! ^
      table[((d >>> 8) & 0xff) + 0x200]! ^
      table[((d >>> 16) & 0xff) + 0x100]! ^
      table[d >>> 24]!
  }
  return crc
}

/**
 * CRC-32C of the bytes from `start` to `end`, as an unsigned 32-bit number: the checksum of record batches. `previous` is the checksum of what came before
 * them.
 */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length, previous = 0): number {
  let crc = ~previous
  let at = start
  if (isLittleEndian && end - start >= minStepBytes) {
    // A view of words begins at a multiple of four.
    const aligned = at + (-(bytes.byteOffset + at) & 3)
    crc = overBytes(crc, bytes, at, aligned)
    const steps = (end - aligned) >> 4
    crc = overWords(crc, new Int32Array(bytes.buffer, bytes.byteOffset + aligned, steps * 4))
    at = aligned + steps * 16
  }
  return ~overBytes(crc, bytes, at, end) >>> 0
}
