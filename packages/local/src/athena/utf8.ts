import { isUtf8 } from 'node:buffer'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The text of bytes that may not be UTF-8, as Java's `new String(bytes, UTF_8)` reads it: every malformed sequence becomes one U+FFFD.
 * Java and the WHATWG decoder agree, but for an encoded surrogate (ED A0..BF 80..BF), which is one U+FFFD in Java and three there.
 */
export function decodeUtf8(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  let text = ''
  let start = 0
  for (let at = bytes.indexOf(0xed); at !== -1; at = bytes.indexOf(0xed, at)) {
    const second = bytes[at + 1] ?? 0
    const third = bytes[at + 2] ?? 0
    if (second >= 0xa0 && second <= 0xbf && third >= 0x80 && third <= 0xbf) {
      text += `${decoder.decode(bytes.subarray(start, at))}\ufffd`
      at += 3
      start = at
    } else at++
  }
  return text + decoder.decode(bytes.subarray(start))
}

/** Bytes that are UTF-8 for certain: the same buffer when they already are. */
export function toUtf8(bytes: Buffer): Buffer | string {
  return isUtf8(bytes) ? bytes : decodeUtf8(bytes)
}
