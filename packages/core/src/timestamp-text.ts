/** An instant as read from text: whole milliseconds since 1970 and the picoseconds-free rest, nanoseconds 0–999 999 within it. */
export interface ParsedInstant {
  /** Milliseconds since 1970-01-01T00:00:00Z; of the local clock when `zone` names a region. */
  readonly ms: number
  /** Nanoseconds beyond `ms`, 0–999 999. Digits after the ninth are cut. */
  readonly nanos: number
  /** What stood behind the time: `''` (nothing: UTC), `Z`, an offset `+01:00`, or a region. Already applied to `ms` unless a region. */
  readonly zone: string
}

const digit0 = 48

/** `text[at]` and `text[at + 1]` as a number, -1 when they are not two digits. */
function two(text: string, at: number): number {
  const high = text.charCodeAt(at) - digit0
  const low = text.charCodeAt(at + 1) - digit0
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : -1
}

const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function monthLength(year: number, month: number): number {
  return month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : monthLengths[month - 1]!
}

/** Days since 1970-01-01 of a day of the (proleptic Gregorian) calendar, -1e9 when it is not one. `text` starts with `2026-11-24`. */
export function daysOfDateText(text: string): number {
  const century = two(text, 0)
  const rest = two(text, 2)
  const month = two(text, 5)
  const day = two(text, 8)
  if (century < 0 || rest < 0 || month < 1 || month > 12 || day < 1) return -1e9
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return -1e9
  const year = century * 100 + rest
  if (day > monthLength(year, month)) return -1e9
  // Civil-to-days arithmetic (years begin in March): no Date object, and no two-digit-year trap of Date.UTC.
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/**
 * Reads `2026-11-24 15:31:00[.fff…]`, or ISO 8601 with `T` and `Z` or an offset, or (for timestamps with zone) a region behind a blank.
 * A hand-written scanner: `Date.parse` takes ten times as long for the form with a blank, and rolls 31 February over to March.
 *
 * @returns `undefined` when the text is not an instant of the calendar.
 */
export function parseInstant(text: string): ParsedInstant | undefined {
  const days = daysOfDateText(text)
  const separator = text.charCodeAt(10)
  if (days === -1e9 || (separator !== 32 && separator !== 84)) return undefined
  const hour = two(text, 11)
  const minute = two(text, 14)
  const second = two(text, 17)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return undefined
  let ms = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000
  let nanos = 0
  let at = 19
  if (text.charCodeAt(19) === 46) {
    let weight = 100_000_000
    let fraction = 0
    for (at = 20; at < text.length; at++) {
      const digit = text.charCodeAt(at) - digit0
      if (digit < 0 || digit > 9) break
      fraction += digit * weight
      weight = Math.floor(weight / 10)
    }
    if (at === 20) return undefined
    ms += Math.floor(fraction / 1_000_000)
    nanos = fraction % 1_000_000
  }
  if (at === text.length) return { ms, nanos, zone: '' }
  const zone = text.slice(at)
  if (zone === 'Z' || zone === ' UTC' || zone === ' Z') return { ms, nanos, zone: 'Z' }
  const offset = offsetMinutes(zone)
  if (offset !== undefined) return { ms: ms - offset * 60_000, nanos, zone: zone.trimStart() }
  return /^ [A-Za-z][A-Za-z0-9_+/-]*$/.test(zone) ? { ms, nanos, zone: zone.slice(1) } : undefined
}

/** Minutes of `+01:00`, `-0530` or `+01` (a blank may stand before it); `undefined` when it is none. */
export function offsetMinutes(zone: string): number | undefined {
  const match = /^ ?([+-])(\d{2}):?(\d{2})?$/.exec(zone)
  if (!match) return undefined
  const hours = Number(match[2])
  const minutes = Number(match[3] ?? '0')
  if (hours > 18 || minutes > 59) return undefined
  return (match[1] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

/**
 * Milliseconds of the instant at which a region's clock shows `localMs`. A time that the region's clock skips is read with the offset
 * before the jump, one that it shows twice is the earlier instant (as java.time does, on which Trino stands).
 *
 * @returns `undefined` when the region does not exist.
 */
export function instantOfRegion(localMs: number, region: string): number | undefined {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: region,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      era: 'short',
    })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
  const offsetAt = (instant: number) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]))
    const pad = (name: string, length: number) => (parts[name] ?? '').padStart(length, '0')
    const shown = `${pad('year', 4)}-${pad('month', 2)}-${pad('day', 2)}T${pad('hour', 2)}:${pad('minute', 2)}:${pad('second', 2)}Z`
    return Date.parse(shown) - Math.floor(instant / 1000) * 1000
  }
  const day = 86_400_000
  const before = offsetAt(localMs - day)
  const after = offsetAt(localMs + day)
  const early = localMs - before
  if (offsetAt(early) === before) return early
  const late = localMs - after
  // Neither holds in a gap: the clock jumps over this time.
  return offsetAt(late) === after ? late : early
}

/** `2026-11-24 15:31:00.000`: an instant in UTC with 0–9 digits of the second. */
export function formatInstant(ms: number, nanos: number, digits: number): string {
  const iso = new Date(ms).toISOString()
  const base = `${iso.slice(0, 10)} ${iso.slice(11, 19)}`
  if (digits === 0) return base
  return `${base}.${(iso.slice(20, 23) + String(nanos).padStart(6, '0')).slice(0, digits)}`
}

/**
 * Rounds half up to the given digits of a second, as a cast of Trino from varchar to timestamp(p) does.
 *
 * @returns milliseconds and nanoseconds within.
 */
export function roundInstant(ms: number, nanos: number, digits: number): { readonly ms: number; readonly nanos: number } {
  if (digits >= 9) return { ms, nanos }
  if (digits >= 3) {
    const step = 10 ** (9 - digits)
    const rounded = Math.floor((nanos + step / 2) / step) * step
    return rounded >= 1_000_000 ? { ms: ms + 1, nanos: 0 } : { ms, nanos: rounded }
  }
  const step = 10 ** (3 - digits)
  return { ms: Math.floor((ms + step / 2) / step) * step, nanos: 0 }
}
