import { ConfigError } from '@pipe/core'

/** Most digits behind the point of a measure: with them every value keeps within 15 significant digits, so a double shows it exactly. */
export const maxScale = 6

/** Largest scaled value of an option (2^36): below it no intermediate product leaves the whole numbers that a double holds. */
export const maxScaled = 68_719_476_736

const powers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

/** 10^scale, 0 ≤ scale ≤ 6. */
export function powerOfTen(scale: number): number {
  return powers[scale] as number
}

/**
 * The whole number value · 10^scale of an option.
 *
 * @throws {@link ConfigError} when the value has more digits than the scale, or is too large.
 */
export function scaled(where: string, value: number, scale: number): number {
  const whole = Math.round(value * powerOfTen(scale))
  if (!Number.isFinite(value) || Math.abs(whole) > maxScaled) {
    throw new ConfigError(`${where} is ${value}; it must be a number of at most ${maxScaled / powerOfTen(scale)} either way.`)
  }
  if (whole / powerOfTen(scale) !== value) {
    throw new ConfigError(`${where} is ${value}, which has more than ${scale} digits behind the point.`, {
      hint: 'Raise "scale", or round the number.',
    })
  }
  return whole === 0 ? 0 : whole
}

/** Text of a scaled number as JSON shows the double: `2150` with scale 2 → `'21.5'`. */
export function scaledText(value: number, scale: number): string {
  const unsigned = Math.abs(value)
  const whole = Math.floor(unsigned / powerOfTen(scale))
  const fraction = String(unsigned - whole * powerOfTen(scale))
    .padStart(scale, '0')
    .replace(/0+$/, '')
  return `${value < 0 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}
