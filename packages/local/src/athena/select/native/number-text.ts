/** Digits and exponent of a number: `0.d1d2d3… × 10^exponent`. */
interface Digits {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

function digitsOf(text: string): Digits {
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) as RegExpExecArray
  const digits = `${match[2]}${match[3] ?? ''}`.replace(/0+$/, '')
  return { negative: match[1] === '-', digits: digits === '' ? '0' : digits, exponent: Number(match[4]) + 1 }
}

// The shortest digits that read back as the same value, which Java prints since JDK 19.
function shortest(value: number, real: boolean): Digits {
  if (!real) return digitsOf(value.toExponential())
  for (let precision = 0; precision < 9; precision++) {
    const text = value.toExponential(precision)
    if (Math.fround(Number(text)) === value) return digitsOf(text)
  }
  return digitsOf(value.toExponential(9))
}

/** `Double.toString` and `Float.toString` of Java: `1.0`, `1.0E10`, `1.0E-5`. The form of doubles in results and in JSON. */
export function javaNumberText(value: number, real = false): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const { negative, digits, exponent } = shortest(value, real)
  const sign = negative ? '-' : ''
  const size = Math.abs(value)
  if (size >= 1e-3 && size < 1e7) {
    if (exponent <= 0) return `${sign}0.${'0'.repeat(-exponent)}${digits}`
    const whole = digits.slice(0, exponent).padEnd(exponent, '0')
    return `${sign}${whole}.${digits.slice(exponent) || '0'}`
  }
  return `${sign}${digits[0]}.${digits.slice(1) || '0'}E${exponent - 1}`
}

/** `CAST(double AS varchar)` of Trino: always scientific, `1.5E0`, `1.0E10`; zero is `0E0` (DoubleOperators.castToVarchar). */
export function trinoNumberText(value: number, real = false): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0E0' : '0E0'
  const { negative, digits, exponent } = shortest(value, real)
  return `${negative ? '-' : ''}${digits[0]}.${digits.slice(1) || '0'}E${exponent - 1}`
}

/**
 * Rounds a decimal number in text to `scale` digits after the point, half away from zero.
 *
 * @returns `undefined` when the text is no number (Java's BigDecimal syntax), else plain digits without an exponent.
 */
export function roundDecimalText(text: string, scale: number): string | undefined {
  const match = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,9}))?$/.exec(text)
  if (match === null) return undefined
  const fraction = match[3] ?? match[4] ?? ''
  const shift = Number(match[5] ?? 0)
  if (Math.abs(shift) > 10_000) return undefined
  let unscaled = BigInt(`${match[2] ?? ''}${fraction}`)
  // The value is unscaled × 10^-places.
  const places = fraction.length - shift
  if (places > scale) {
    const unit = 10n ** BigInt(places - scale)
    unscaled = (unscaled + unit / 2n) / unit
  } else {
    unscaled *= 10n ** BigInt(scale - places)
  }
  return decimalText(match[1] === '-' ? -unscaled : unscaled, scale)
}

/** An unscaled number as decimal text: 150, 2 → `1.50`. */
export function decimalText(unscaled: bigint, scale: number): string {
  const negative = unscaled < 0n
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return negative ? `-${text}` : text
}

/** The unscaled value of decimal text that has exactly `scale` digits after the point. */
export function unscaledValue(text: string): bigint {
  return BigInt(text.replace('.', ''))
}
