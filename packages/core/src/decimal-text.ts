/**
 * Unscaled integer of a decimal in text: `'12.5'` with scale 2 → `1250n`. An exponent is allowed, as JSON numbers may have one.
 *
 * @returns `undefined` when the text is no number, when digits would be lost, or when it does not fit the precision.
 */
export function parseDecimal(text: string, precision: number, scale: number): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (!match) return undefined
  const fraction = match[3] ?? ''
  // Digits to the right of the point that the column has and the text has not (negative: digits to drop).
  const shift = scale - fraction.length + Number(match[4] ?? '0')
  let digits = match[2] + fraction
  if (shift >= 0) digits += '0'.repeat(shift)
  else {
    const kept = digits.length + shift
    if (/[1-9]/.test(digits.slice(Math.max(0, kept)))) return undefined
    digits = kept > 0 ? digits.slice(0, kept) : '0'
  }
  digits = digits.replace(/^0+(?=\d)/, '')
  if (digits.length > precision && digits !== '0') return undefined
  return match[1] === '-' ? -BigInt(digits) : BigInt(digits)
}

/** Text of an unscaled integer: `1250n` with scale 2 → `'12.50'`. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
