import type { Column, ColumnType } from '@pipe/core'
import { jsonReader, readExactJson } from '@pipe/core/internal'

/**
 * Decodes the cell that stands at `start ≤ i < end` of a text; `undefined` when it is not of the type. Places instead of texts, so that a
 * number or an instant costs no string of its own.
 */
export type CellDecoder = (text: string, start: number, end: number) => unknown

/** The decoder of a column's values from Athena's text form of them. It never returns `null`: NULL has no text. */
export function cellDecoder(column: Column): CellDecoder {
  const { type } = column
  switch (type.kind) {
    case 'boolean':
      return decodeBoolean
    case 'integer':
      return decodeInteger
    case 'bigint':
      return decodeBigint
    case 'float':
      return (text, start, end) => {
        const value = decodeDouble(text, start, end)
        return value === undefined ? undefined : Math.fround(value)
      }
    case 'double':
      return decodeDouble
    case 'decimal':
      return decodeDecimal
    case 'string':
      return decodeString
    case 'binary':
      return decodeBinary
    case 'date':
      return decodeDay
    case 'timestamp':
      return timestampDecoder(type)
    default:
      return jsonDecoder(column)
  }
}

const zero = 48
const minusSign = 45
const point = 46
const colon = 58
const space = 32

const decodeString: CellDecoder = (text, start, end) => text.slice(start, end)

/** Where the digits that begin at `at` end. */
function digitsEnd(text: string, at: number, end: number): number {
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - zero
    if (digit < 0 || digit > 9) return at
  }
  return at
}

/** `-?\d+(\.\d+)?`, as its text: no double holds it. */
function decodeDecimal(text: string, start: number, end: number): string | undefined {
  const first = text.charCodeAt(start) === minusSign ? start + 1 : start
  const wholeEnd = digitsEnd(text, first, end)
  if (wholeEnd === first || !isFraction(text, wholeEnd, end)) return undefined
  return text.slice(start, end)
}

/** Whether nothing, or a point and digits, stand at `at ≤ i < end`. */
function isFraction(text: string, at: number, end: number): boolean {
  if (at === end) return true
  return text.charCodeAt(at) === point && at + 1 < end && digitsEnd(text, at + 1, end) === end
}

function decodeDay(text: string, start: number, end: number): string | undefined {
  return dayEnd(text, start, end) === end ? text.slice(start, end) : undefined
}

/** Where `-?\d{4,}-\d\d-\d\d` at `start` ends; -1 when it is not that. */
function dayEnd(text: string, start: number, end: number): number {
  const first = text.charCodeAt(start) === minusSign ? start + 1 : start
  const yearEnd = digitsEnd(text, first, end)
  const isDay =
    yearEnd - first >= 4 &&
    yearEnd + 6 <= end &&
    text.charCodeAt(yearEnd) === minusSign &&
    two(text, yearEnd + 1) >= 0 &&
    text.charCodeAt(yearEnd + 3) === minusSign &&
    two(text, yearEnd + 4) >= 0
  return isDay ? yearEnd + 6 : -1
}

/** Where the seconds of `-?\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d` at `start` end; -1 when it is not that. */
function secondEnd(text: string, start: number, end: number): number {
  const at = dayEnd(text, start, end)
  const isTime =
    at !== -1 &&
    at + 9 <= end &&
    text.charCodeAt(at) === space &&
    two(text, at + 1) >= 0 &&
    text.charCodeAt(at + 3) === colon &&
    two(text, at + 4) >= 0 &&
    text.charCodeAt(at + 6) === colon &&
    two(text, at + 7) >= 0
  return isTime ? at + 9 : -1
}

/** An instant with more digits than a Date holds, as its text. */
function decodeInstant(text: string, start: number, end: number): string | undefined {
  const at = secondEnd(text, start, end)
  return at !== -1 && isFraction(text, at, end) ? text.slice(start, end) : undefined
}

/** An instant and the name of its zone, as its text. */
function decodeZoned(text: string, start: number, end: number): string | undefined {
  const seconds = secondEnd(text, start, end)
  if (seconds === -1) return undefined
  const zoneAt = text.indexOf(' ', seconds)
  if (zoneAt === -1 || zoneAt >= end || !isFraction(text, seconds, zoneAt)) return undefined
  // Zones are few and their names short: an expression tells what is space.
  const zone = text.slice(zoneAt + 1, end)
  return /^\S+$/.test(zone) ? text.slice(start, end) : undefined
}

function decodeBoolean(text: string, start: number, end: number): boolean | undefined {
  if (end - start === 4 && text.startsWith('true', start)) return true
  return end - start === 5 && text.startsWith('false', start) ? false : undefined
}

/** A whole number of at most 15 digits, which every double holds; `undefined` for anything else. */
function shortWhole(text: string, start: number, end: number): number | undefined {
  const isNegative = text.charCodeAt(start) === minusSign
  let at = isNegative ? start + 1 : start
  if (at >= end || end - at > 15) return undefined
  let value = 0
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - zero
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return isNegative ? -value : value
}

function decodeInteger(text: string, start: number, end: number): number | undefined {
  const value = shortWhole(text, start, end)
  // `| 0` is the number itself for 32-bit integers only; it also makes 0 of -0.
  return value !== undefined && (value | 0) === value ? value | 0 : undefined
}

function decodeBigint(text: string, start: number, end: number): bigint | undefined {
  const short = shortWhole(text, start, end)
  if (short !== undefined) return BigInt(short)
  const cell = text.slice(start, end)
  if (!/^-?\d{16,19}$/.test(cell)) return undefined
  const value = BigInt(cell)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const powersOfTen = Array.from({ length: 16 }, (_, i) => 10 ** i)

function decodeDouble(text: string, start: number, end: number): number | undefined {
  const isNegative = text.charCodeAt(start) === minusSign
  const first = isNegative ? start + 1 : start
  let pointAt = -1
  let value = 0
  let at = first
  // Up to 15 digits and a power of ten up to 10^15 are exact doubles, so their quotient is the double that is nearest to the text.
  if (end - first > 16) return longDouble(text.slice(start, end))
  for (; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === point && pointAt === -1) pointAt = at
    else if (code >= zero && code <= 57) value = value * 10 + (code - zero)
    else return longDouble(text.slice(start, end))
  }
  const digits = end - first - (pointAt === -1 ? 0 : 1)
  if (digits < 1 || digits > 15) return longDouble(text.slice(start, end))
  if (pointAt !== -1) value /= powersOfTen[end - pointAt - 1]!
  return isNegative ? -value : value
}

function longDouble(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN
  if (text === 'Infinity' || text === '-Infinity') return Number(text)
  return /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

/** Athena writes bytes in hexadecimal, split by spaces. */
function decodeBinary(text: string, start: number, end: number): Uint8Array | undefined {
  const cell = text.slice(start, end)
  if (!/^(?:[0-9a-f]{2}(?: ?[0-9a-f]{2})*)?$/i.test(cell)) return undefined
  // A plain Uint8Array of its own, not a Buffer on the shared pool.
  return new Uint8Array(Buffer.from(cell.replaceAll(' ', ''), 'hex'))
}

function timestampDecoder({ zone, precision }: Extract<ColumnType, { kind: 'timestamp' }>): CellDecoder {
  if (zone) return decodeZoned
  if (precision > 3) return decodeInstant
  return dateDecoder()
}

/** `text[at]` and `text[at + 1]` as a number; -1 when they are not two digits. */
function two(text: string, at: number): number {
  const high = text.charCodeAt(at) - zero
  const low = text.charCodeAt(at + 1) - zero
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : -1
}

/** `2026-11-24 15:31:00[.fff]`, read as UTC. Digits beyond the millisecond must be zeros. Rows of one day share its arithmetic. */
function dateDecoder(): CellDecoder {
  let knownDay = -1
  let knownMs = 0
  const dayMs = (text: string, start: number): number => {
    const century = two(text, start)
    const rest = two(text, start + 2)
    const month = two(text, start + 5)
    const day = two(text, start + 8)
    if (century < 0 || rest < 0 || month < 1 || day < 1) return Number.NaN
    if (text.charCodeAt(start + 4) !== minusSign || text.charCodeAt(start + 7) !== minusSign) return Number.NaN
    const year = century * 100 + rest
    const asked = year * 10_000 + month * 100 + day
    if (asked !== knownDay) {
      // Not Date.UTC alone: it takes the years 0 to 99 for 1900 to 1999.
      const date = new Date(0)
      date.setUTCFullYear(year, month - 1, day)
      if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN
      knownDay = asked
      knownMs = date.getTime()
    }
    return knownMs
  }
  return (text, start, end) => {
    const length = end - start
    if (length < 19 || text.charCodeAt(start + 10) !== space) return undefined
    if (text.charCodeAt(start + 13) !== colon || text.charCodeAt(start + 16) !== colon) return undefined
    const hour = two(text, start + 11)
    const minute = two(text, start + 14)
    const second = two(text, start + 17)
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined
    const fraction = length === 19 ? 0 : millisOf(text, start + 19, end)
    const ms = dayMs(text, start) + hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction
    return Number.isNaN(ms) ? undefined : new Date(ms)
  }
}

/** `.fff000` as milliseconds; NaN when it is not that or holds more. */
function millisOf(text: string, start: number, end: number): number {
  if (text.charCodeAt(start) !== point || start + 1 === end) return Number.NaN
  let ms = 0
  for (let at = start + 1, scale = 100; at < end; at++, scale /= 10) {
    const digit = text.charCodeAt(at) - zero
    if (digit < 0 || digit > 9 || (digit > 0 && scale < 1)) return Number.NaN
    if (scale >= 1) ms += digit * scale
  }
  return ms
}

/** JSON text, as `CAST(x AS JSON)` gives nested values. Read by the rules of the contract's NDJSON, with all digits. */
function jsonDecoder(column: Column): CellDecoder {
  const read = jsonReader(column)
  return (text, start, end) => {
    const cell = text.slice(start, end)
    try {
      JSON.parse(cell)
    } catch {
      return undefined
    }
    const { value, duplicateKey } = readExactJson(cell)
    return duplicateKey === undefined && value !== null ? read(value) : undefined
  }
}
