/**
 * CRC-64/NVME: reflected polynomial 0x9a6c9329ac4bc9b5, initial value and final XOR all ones. Kept as two 32-bit halves, because
 * BigInt arithmetic is far too slow for bodies; eight tables, so that eight bytes go a step.
 */
interface Tables {
  readonly high: Int32Array
  readonly low: Int32Array
}

const polynomialHigh = 0x9a6c9329
const polynomialLow = 0xac4bc9b5

// Built at the first use: most clients send CRC32, and the start of the runtime should not pay for it.
let tables: Tables | undefined

function buildTables(): Tables {
  const high = new Int32Array(8 * 256)
  const low = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let h = 0
    let l = byte
    for (let bit = 0; bit < 8; bit++) {
      const carry = l & 1
      l = (l >>> 1) | ((h & 1) << 31)
      h = h >>> 1
      if (carry) {
        h ^= polynomialHigh
        l ^= polynomialLow
      }
    }
    high[byte] = h
    low[byte] = l
  }
  for (let at = 256; at < 8 * 256; at++) {
    const h = high[at - 256]!
    const l = low[at - 256]!
    high[at] = (h >>> 8) ^ high[l & 0xff]!
    low[at] = ((l >>> 8) | (h << 24)) ^ low[l & 0xff]!
  }
  return { high, low }
}

/** State of a running CRC-64/NVME. */
export interface Crc64 {
  update(bytes: Uint8Array): void
  /** Eight bytes, most significant first, as S3 puts them into base64. */
  digest(): Buffer
}

/** Returns a fresh CRC-64/NVME. */
export function createCrc64Nvme(): Crc64 {
  tables ??= buildTables()
  const { high, low } = tables
  let h = -1
  let l = -1
  return {
    update(bytes) {
      let at = 0
      const wide = bytes.length - (bytes.length % 8)
      while (at < wide) {
        l ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
        h ^= bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)
        const a = 1792 + (l & 0xff)
        const b = 1536 + ((l >>> 8) & 0xff)
        const c = 1280 + ((l >>> 16) & 0xff)
        const d = 1024 + (l >>> 24)
        const e = 768 + (h & 0xff)
        const f = 512 + ((h >>> 8) & 0xff)
        const g = 256 + ((h >>> 16) & 0xff)
        const i = h >>> 24
        h = high[a]! ^ high[b]! ^ high[c]! ^ high[d]! ^ high[e]! ^ high[f]! ^ high[g]! ^ high[i]!
        l = low[a]! ^ low[b]! ^ low[c]! ^ low[d]! ^ low[e]! ^ low[f]! ^ low[g]! ^ low[i]!
        at += 8
      }
      for (; at < bytes.length; at++) {
        const index = (l ^ bytes[at]!) & 0xff
        l = ((l >>> 8) | (h << 24)) ^ low[index]!
        h = (h >>> 8) ^ high[index]!
      }
    },
    digest() {
      const result = Buffer.alloc(8)
      result.writeInt32BE(~h, 0)
      result.writeInt32BE(~l, 4)
      return result
    },
  }
}
