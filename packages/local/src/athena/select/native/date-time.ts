import { invalidArgument, invalidCast, RuntimeError, refusalCode } from './failure'
import { fromLocal, toLocal, zoneName } from './zone'

const microsPerSecond = 1_000_000n
const microsPerDay = 86_400n * microsPerSecond

/** Fields of a local time. */
export interface LocalTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** 0 … 999 999. */
  readonly micros: number
}

function floorDivide(value: bigint, by: bigint): bigint {
  return value >= 0n ? value / by : -((-value + by - 1n) / by)
}

/** Days since 1970-01-01 of a date, or `undefined` when there is no such day. */
export function epochDay(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  return Math.floor(date.getTime() / 86_400_000)
}

/** Microseconds since 1970 of a local time; `undefined` when a field is out of range. */
export function localMicros(time: LocalTime): bigint | undefined {
  const day = epochDay(time.year, time.month, time.day)
  if (day === undefined || time.hour > 23 || time.minute > 59 || time.second > 59) return undefined
  return (
    BigInt(day) * microsPerDay + BigInt((time.hour * 60 + time.minute) * 60 + time.second) * microsPerSecond + BigInt(time.micros)
  )
}

/** The fields of microseconds since 1970. */
export function localTime(micros: bigint): LocalTime {
  const seconds = floorDivide(micros, microsPerSecond)
  const date = new Date(Number(seconds) * 1000)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    micros: Number(micros - seconds * microsPerSecond),
  }
}

/** Rounds microseconds to `precision` digits of the second, half away from zero, as Trino does. */
export function roundMicros(micros: bigint, precision: number): bigint {
  if (precision >= 6) return micros
  const unit = 10n ** BigInt(6 - precision)
  const half = unit / 2n
  return micros >= 0n ? ((micros + half) / unit) * unit : ((micros + 1n - half) / unit) * unit
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** `2024-01-02 03:04:05.123`, with `precision` digits after the point. */
export function timestampText(micros: bigint, precision: number): string {
  const time = localTime(micros)
  const year =
    time.year < 0
      ? `-${String(-time.year).padStart(4, '0')}`
      : time.year > 9999
        ? `+${time.year}`
        : String(time.year).padStart(4, '0')
  const fraction = precision === 0 ? '' : `.${String(time.micros).padStart(6, '0').slice(0, precision)}`
  return `${year}-${two(time.month)}-${two(time.day)} ${two(time.hour)}:${two(time.minute)}:${two(time.second)}${fraction}`
}

// DateTimes.DATETIME_PATTERN of Trino.
const dateTimePattern = /^([-+]?\d{4,})-(\d{1,2})-(\d{1,2})(?: (?:(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?\s*(.+)?)?$/

/** A timestamp as written, before a zone is applied. */
export interface TimestampParts {
  /** Local time in microseconds, rounded half up from more digits. */
  readonly micros: bigint
  /** Digits after the point as written. */
  readonly precision: number
  /** Text of the zone, when one is there. */
  readonly zone: string | undefined
}

/** Reads `2024-1-2 3:04:05.123 UTC`; `undefined` when it is none. */
export function readTimestamp(text: string): TimestampParts | undefined {
  const match = dateTimePattern.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match
  const base = localMicros({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    micros: 0,
  })
  if (base === undefined || fraction.length > 12) return undefined
  const pico = BigInt(fraction.padEnd(12, '0'))
  return { micros: base + (pico + 500_000n) / 1_000_000n, precision: fraction.length, zone }
}

/** CAST(varchar AS timestamp(p)): microseconds. A zone in the text is an error. */
export function castToTimestamp(text: string, precision: number): bigint {
  const parts = readTimestamp(javaTrim(text))
  if (parts === undefined || parts.zone !== undefined) throw invalidCast(`Value cannot be cast to timestamp: ${text}`)
  return roundMicros(parts.micros, precision)
}

/** CAST(varchar AS timestamp(p) with time zone): instant in microseconds. Without a zone it is the session's, UTC. */
export function castToInstant(text: string, precision: number): bigint {
  const { micros, zone } = zoned(text)
  const instant = fromLocal(micros, zone)
  if (toLocal(instant, zone) !== micros)
    throw new RuntimeError(refusalCode, `the time ${text}, which the clocks of the zone skip`)
  return roundMicros(instant, precision)
}

/** Zone of the same cast. */
export function castToZone(text: string): string {
  return zoned(text).zone
}

function zoned(text: string): { micros: bigint; zone: string } {
  const parts = readTimestamp(javaTrim(text))
  const zone = parts?.zone === undefined ? 'UTC' : zoneName(parts.zone)
  if (parts === undefined || zone === undefined) throw invalidCast(`Value cannot be cast to timestamp with time zone: ${text}`)
  return { micros: parts.micros, zone }
}

function javaTrim(text: string): string {
  return text.replace(/^[\u0000- ]+|[\u0000- ]+$/g, '')
}

/** CAST(varchar AS date): days since 1970. */
export function castToDay(text: string): number {
  const match = /^([+-]?\d{1,9})-(\d{1,2})-(\d{1,2})$/.exec(javaTrim(text))
  const day = match === null ? undefined : epochDay(Number(match[1]), Number(match[2]), Number(match[3]))
  if (day === undefined) throw invalidCast(`Value cannot be cast to date: ${text}`)
  return day
}

/** Text of a timestamp with a zone: local time, a space, the zone. */
export function instantText(instant: bigint, zone: string, precision: number): string {
  return `${timestampText(toLocal(instant, zone), precision)} ${zone}`
}

const isoDate = String.raw`([+-]?\d{4,9})(?:-(\d{1,2})(?:-(\d{1,2}))?)?`
const isoTime = String.raw`(?:T(?:(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?`
const isoPattern = new RegExp(`^${isoDate}${isoTime}$`)

function readIso(text: string): { instant: bigint; zone: string } {
  const match = isoPattern.exec(text)
  const failed = () => invalidArgument(`Invalid format: "${text}"`)
  if (match === null || /T$/.test(text)) throw failed()
  const [, year, month = '1', day = '1', hour = '0', minute = '0', second = '0', fraction = '', offset] = match
  const local = localMicros({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    // Joda keeps milliseconds and drops what is finer.
    micros: Number(fraction.padEnd(3, '0').slice(0, 3)) * 1000,
  })
  const zone = offset === undefined ? 'UTC' : zoneName(offset)
  if (local === undefined || zone === undefined) throw failed()
  return { instant: fromLocal(local, zone), zone }
}

/** from_iso8601_timestamp: the instant in microseconds (whole milliseconds). Without an offset the session's zone, UTC. */
export function isoInstant(text: string): bigint {
  return readIso(text).instant
}

/** Zone of the same: `UTC` or the offset as written, `+05:00`. */
export function isoZone(text: string): string {
  return readIso(text).zone
}

/** from_iso8601_date: days since 1970, of `2024-01-02`, `2024-01`, `2024`. Week and ordinal dates are refused. */
export function isoDay(text: string): number {
  if (/^[+-]?\d{4,}-(?:W\d{1,2}(?:-\d)?|\d{3})$/.test(text))
    throw new RuntimeError(refusalCode, `the date ${text} of week or day of the year`)
  const match = new RegExp(`^${isoDate}$`).exec(text)
  const day = match === null ? undefined : epochDay(Number(match[1]), Number(match[2] ?? 1), Number(match[3] ?? 1))
  if (day === undefined) throw invalidArgument(`Invalid format: "${text}"`)
  return day
}
