import { powerOfTen } from './scaled-number'

// Texts of numbers as words of four bytes, first character lowest: one store a number instead of one a digit.
const fourDigits = new Int32Array(10_000)
/** Zeros at the end of a number of four digits. */
const zerosBehind = new Uint8Array(10_000)
for (let n = 0; n < 10_000; n++) {
  const digits = String(n).padStart(4, '0')
  fourDigits[n] = Buffer.from(digits).readInt32LE()
  zerosBehind[n] = 4 - digits.replace(/0+$/, '').length
}
const dotMillis = Int32Array.from({ length: 1000 }, (_, n) => Buffer.from(`.${String(n).padStart(3, '0')}`).readInt32LE())
const twoDigits = Int16Array.from({ length: 60 }, (_, n) => Buffer.from(String(n).padStart(2, '0')).readInt16LE())

/** Most bytes that a number takes, with those that are written behind it and count as nothing. */
export const numberRoom = 32

/** Writes `SS.mmm` of a time within a minute: six bytes. */
export function writeSeconds(view: DataView, at: number, rest: number): void {
  const ms = rest | 0
  const second = (ms / 1000) | 0
  view.setInt16(at, twoDigits[second] as number, true)
  view.setInt32(at + 2, dotMillis[ms - second * 1000] as number, true)
}

/** Writes a whole number, 0 ≤ value < 2^53. Returns where it ends. */
function writeWhole(view: DataView, at: number, value: number): number {
  if (value < 10_000) {
    const small = value | 0
    const digits = small < 10 ? 1 : small < 100 ? 2 : small < 1000 ? 3 : 4
    view.setInt32(at, (fourDigits[small] as number) >>> ((4 - digits) << 3), true)
    return at + digits
  }
  const high = value < 2_147_483_648 ? ((value | 0) / 10_000) | 0 : Math.floor(value / 10_000)
  const end = writeWhole(view, at, high)
  view.setInt32(end, fourDigits[(value - high * 10_000) | 0] as number, true)
  return end + 4
}

/**
 * Writes a scaled number: `2150` with scale 2 → `21.5`, or `21.500` with `fixedDigits` 3. Returns where it ends. Up to {@link numberRoom}
 * bytes are touched.
 */
export function writeScaled(view: DataView, from: number, value: number, scale: number, fixedDigits: number): number {
  let at = from
  let unsigned = value
  if (value < 0) {
    view.setUint8(at++, 45)
    unsigned = -value
  }
  if (scale === 0) at = writeWhole(view, at, unsigned)
  else {
    const power = powerOfTen(scale)
    const whole = Math.floor(unsigned / power)
    at = writeWhole(view, at, whole)
    at = writeFraction(view, at, (unsigned - whole * power) | 0, scale, fixedDigits < 0)
  }
  if (fixedDigits <= scale) return at
  if (scale === 0) view.setUint8(at++, 46)
  for (let i = scale; i < fixedDigits; i++) view.setUint8(at++, 48)
  return at
}

/** Writes the digits behind the point, and the point: six of them at most. */
function writeFraction(view: DataView, at: number, fraction: number, scale: number, isTrimmed: boolean): number {
  if (isTrimmed && fraction === 0) return at
  view.setUint8(at, 46)
  const end = at + 1 + scale
  if (scale <= 4) {
    view.setInt32(at + 1, (fourDigits[fraction] as number) >>> ((4 - scale) << 3), true)
    return isTrimmed ? end - (zerosBehind[fraction] as number) : end
  }
  const high = (fraction / 10_000) | 0
  const low = fraction - high * 10_000
  view.setInt32(at + 1, (fourDigits[high] as number) >>> ((8 - scale) << 3), true)
  view.setInt32(end - 4, fourDigits[low] as number, true)
  if (!isTrimmed) return end
  return low > 0 ? end - (zerosBehind[low] as number) : end - 4 - (zerosBehind[high] as number)
}
