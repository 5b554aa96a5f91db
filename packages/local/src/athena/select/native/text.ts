import { createHash } from 'node:crypto'
import { invalidArgument, RuntimeError } from './failure'

/** Code points of a text; Trino counts these, not UTF-16 units. */
function points(text: string): string[] {
  return Array.from(text)
}

/** lpad and rpad: cut or filled to `size` characters. */
export function pad(text: string, size: bigint, filling: string, left: boolean): string {
  if (size < 0n || size > 2147483647n) throw invalidArgument('Target length must be in the range [0..2147483647]')
  if (filling === '') throw invalidArgument('Padding string must not be empty')
  const characters = points(text)
  const wanted = Number(size)
  if (characters.length >= wanted) return characters.slice(0, wanted).join('')
  const unit = points(filling)
  const missing = wanted - characters.length
  if (missing > 50_000_000) throw invalidArgument('Target length is too large')
  const fill = unit.join('').repeat(Math.floor(missing / unit.length)) + unit.slice(0, missing % unit.length).join('')
  return left ? fill + text : text + fill
}

/** split(text, delimiter[, limit]); a limit of -1 is none. */
export function split(text: string, delimiter: string, limit: bigint): string[] {
  if (limit === 0n || limit < -1n || limit > 2147483647n) throw invalidArgument('Limit must be positive')
  if (delimiter === '') throw invalidArgument('The delimiter may not be the empty string')
  const parts = text.split(delimiter)
  const most = Number(limit)
  if (most < 0 || parts.length <= most) return parts
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(delimiter)]
}

/** split_part: NULL behind the last part. */
export function splitPart(text: string, delimiter: string, index: bigint): string | null {
  if (index <= 0n) throw invalidArgument('Index must be greater than zero')
  if (delimiter === '') {
    const characters = points(text)
    return index <= BigInt(characters.length) ? (characters[Number(index) - 1] as string) : null
  }
  const parts = text.split(delimiter)
  return index <= BigInt(parts.length) ? (parts[Number(index) - 1] as string) : null
}

/** Keys (even places) and values (odd places) of split_to_map. */
export function splitToPairs(text: string, entryDelimiter: string, keyDelimiter: string): string[] {
  if (entryDelimiter === '') throw invalidArgument('entryDelimiter is empty')
  if (keyDelimiter === '') throw invalidArgument('keyValueDelimiter is empty')
  if (entryDelimiter === keyDelimiter) throw invalidArgument('entryDelimiter and keyValueDelimiter must not be the same')
  const pairs: string[] = []
  const seen = new Set<string>()
  if (text === '') return pairs
  const entries = text.split(entryDelimiter)
  // A delimiter at the very end opens no entry.
  if (entries[entries.length - 1] === '') entries.pop()
  for (const entry of entries) {
    const at = entry.indexOf(keyDelimiter)
    if (at < 0) throw invalidArgument(`Key-value delimiter must appear exactly once in each entry. Bad input: '${entry}'`)
    const key = entry.slice(0, at)
    const value = entry.slice(at + keyDelimiter.length)
    if (value.includes(keyDelimiter))
      throw invalidArgument(`Key-value delimiter must appear exactly once in each entry. Bad input: '${entry}'`)
    if (seen.has(key)) throw invalidArgument(`Duplicate keys (${key}) are not allowed`)
    seen.add(key)
    pairs.push(key, value)
  }
  return pairs
}

/** from_utf8: invalid bytes become U+FFFD, one for each. */
export function fromUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

/** from_base64, strict. */
export function fromBase64(text: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text))
    throw invalidArgument('Illegal base64 character or length')
  return Buffer.from(text, 'base64')
}

/** from_hex: pairs of digits of either case. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(text))
    throw invalidArgument(`Invalid hexadecimal string: ${text.slice(0, 200)}`)
  return Buffer.from(text, 'hex')
}

/** md5, sha1, sha256, sha512 of bytes. */
export function digest(algorithm: string, bytes: Uint8Array): Uint8Array {
  return createHash(algorithm).update(bytes).digest()
}

/**
 * lower and upper map each character by itself, as Java's Character does (a final sigma is no case of its own). Letters whose mapping is not
 * one character are refused: Java has another, simple mapping for some of them.
 */
export function changeCase(text: string, upper: boolean): string {
  if (/^[\u0000-\u007f]*$/.test(text)) return upper ? text.toUpperCase() : text.toLowerCase()
  let result = ''
  for (const character of text) {
    const mapped = upper ? character.toUpperCase() : character.toLowerCase()
    if (character !== 'ß' && Array.from(mapped).length !== 1) {
      throw new RuntimeError('NOT_SUPPORTED_LOCALLY', `${upper ? 'upper' : 'lower'}() of "${character}"`)
    }
    result += character === 'ß' ? character : mapped
  }
  return result
}
