import type { HiveType } from './hive-type'

/**
 * Values of text files as canonical text that DuckDB casts without loss. Each function returns `undefined` for text that is not a value
 * of the type; what then happens (NULL, or a failed query) is the rule of the SerDe. Sources: Trino's text encodings and HiveFormatUtils,
 * which Athena engine 3 reads with.
 */

const integerRange: Readonly<Record<string, readonly [bigint, bigint]>> = {
  tinyint: [-128n, 127n],
  smallint: [-32_768n, 32_767n],
  int: [-2_147_483_648n, 2_147_483_647n],
  bigint: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
}

/** A whole number in the range of `tinyint` … `bigint`, as digits. */
export function integerText(text: string, type: string): string | undefined {
  const match = /^([+-]?)0*(\d{1,20})$/.exec(text)
  if (!match) return undefined
  const value = BigInt((match[1] === '-' ? '-' : '') + match[2])
  const [low, high] = integerRange[type] as readonly [bigint, bigint]
  return value >= low && value <= high ? value.toString() : undefined
}

/** A floating-point number as `Double.parseDouble` takes it (`1.5e3`, `NaN`, `-Infinity`, a trailing `f` or `d`). */
export function floatingText(text: string, type: 'float' | 'double'): string | undefined {
  const match = /^([+-]?)(?:(NaN|Infinity)|(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?[fFdD]?)$/.exec(text.trim())
  if (!match) return undefined
  const [, sign, word, whole = '', fraction = '', exponent = '0'] = match
  const minus = sign === '-' ? '-' : ''
  if (word !== undefined) return word === 'NaN' ? 'NaN' : `${minus}Infinity`
  if (whole === '' && fraction === '') return undefined
  const written = `${minus}${whole || '0'}.${fraction || '0'}e${exponent}`
  const value = Number(written)
  // The shortest text of a double reads back as the same double.
  if (type === 'double') return Object.is(value, -0) ? '-0.0' : String(value)
  return Number.isFinite(Math.fround(value)) ? written : `${minus}Infinity`
}

/** A decimal rounded half up to the scale; `undefined` also when it has more digits than the precision. */
export function decimalValueText(text: string, precision: number, scale: number): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return undefined
  // value = digits * 10^shift, wanted: a whole number of 10^-scale
  const shift = Number(exponent) - fraction.length + scale
  const digits = BigInt(whole + fraction)
  let scaled: bigint
  if (digits === 0n) scaled = 0n
  else if (shift >= 0) {
    if (shift > 80) return undefined
    scaled = digits * 10n ** BigInt(shift)
  } else {
    const divisor = 10n ** BigInt(-shift)
    scaled = (digits * 2n + divisor) / (divisor * 2n)
  }
  if (scaled >= 10n ** BigInt(precision)) return undefined
  const padded = scaled.toString().padStart(scale + 1, '0')
  const plain = scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`
  return sign === '-' && scaled !== 0n ? `-${plain}` : plain
}

/** `yyyy-M-d`, with anything behind a space left away. A month or day past its range runs on into the next, as on Athena. */
export function dateText(text: string): string | undefined {
  const word = text.trim().split(' ', 1)[0] as string
  const match = /^(\d{1,4})-(\d{1,2})-(\d{1,2})$/.exec(word)
  if (!match) return undefined
  return instantText(utc(match, 1), 10)
}

/** `yyyy-M-d`, `yyyy-M-d H:m:s[.f]` or ISO `yyyy-MM-ddTHH:mm[:ss[.f]]`, rounded to milliseconds. No zone. */
export function timestampText(text: string): string | undefined {
  const value = text.trim()
  const match =
    /^(\d{1,4})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?)?$/.exec(value) ??
    /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{0,9}))?)?$/.exec(value)
  return match ? instantText(utc(match, 1) + fractionMs(match[7]), 23) : undefined
}

/** Timestamps of the JSON SerDe: those of {@link timestampText}, ISO with `Z` or an offset, and numbers: seconds, seconds.millis, or 13 and more digits = milliseconds. */
export function jsonTimestampText(text: string): string | undefined {
  if (text.indexOf(':') > 0) {
    const zoned = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{0,9}))?)?(?:[zZ]|([+-])(\d{2}):?(\d{2}))$/.exec(
      text,
    )
    if (!zoned) return timestampText(text)
    const offset = (Number(zoned[9] ?? 0) * 60 + Number(zoned[10] ?? 0)) * (zoned[8] === '-' ? -60_000 : 60_000)
    return instantText(utc(zoned, 1) + fractionMs(zoned[7]) - offset, 23)
  }
  const number = /^([+-]?)(\d{0,15})(\.\d*)?$/.exec(text)
  if (!number || (number[2] === '' && (number[3] ?? '.') === '.')) return undefined
  const sign = number[1] === '-' ? -1 : 1
  if (number[3] === undefined) {
    const value = sign * Number(number[2])
    return instantText(text.length >= 13 ? value : value * 1000, 23)
  }
  // Digits behind the millisecond are cut, not rounded.
  const millis = Number(number[3].slice(1, 4).padEnd(3, '0'))
  return instantText(sign * (Number(number[2]) * 1000 + millis), 23)
}

/** A timestamp given in milliseconds since 1970. */
export function epochTimestampText(ms: number): string | undefined {
  return instantText(ms, 23)
}

/** A date given in days since 1970. */
export function epochDateText(days: number): string | undefined {
  return instantText(days * 86_400_000, 10)
}

/** Milliseconds of the six fields from `match[from]`. Missing time fields are zero. */
function utc(match: RegExpExecArray, from: number): number {
  const [year, month, day, hour, minute, second] = Array.from({ length: 6 }, (_, i) => Number(match[from + i] ?? 0))
  const date = new Date(0)
  // setUTCFullYear takes years below 100 as they are, Date.UTC does not.
  date.setUTCFullYear(year as number, (month as number) - 1, day)
  return date.setUTCHours(hour as number, minute, second)
}

function fractionMs(digits: string | undefined): number {
  return digits ? Math.round(Number(digits.padEnd(9, '0')) / 1e6) : 0
}

function instantText(ms: number, length: number): string | undefined {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return undefined
  const year = date.getUTCFullYear()
  // Years outside four digits have no text that all readers agree on.
  return year >= 0 && year <= 9999 ? date.toISOString().replace('T', ' ').slice(0, length) : undefined
}

/** `n` characters of a text at most, counted in code points, as `varchar(n)` cuts. */
export function cutText(text: string, length: number): string {
  return text.length <= length ? text : [...text].slice(0, length).join('')
}

/** Canonical text of a scalar of a type whose text form is the same in every SerDe; `undefined` when it is not a value of it. */
export function numberText(text: string, type: HiveType): string | undefined {
  if (type.kind === 'decimal') return decimalValueText(text, type.precision, type.scale)
  if (type.kind !== 'primitive') return undefined
  if (type.name === 'float' || type.name === 'double') return floatingText(text, type.name)
  return integerText(text, type.name)
}
