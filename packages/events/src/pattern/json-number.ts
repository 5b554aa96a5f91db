/**
 * A number of an event or a pattern that a JavaScript number would not carry safely: an integer beyond 2^53, or more digits than a double
 * holds.
 */
export class JsonNumber {
  readonly text: string
  /** The double, when it is exactly this number; `undefined` when digits would be lost. */
  readonly comparable: number | undefined

  constructor(text: string) {
    this.text = text
    this.comparable = comparableNumber(text)
  }
}

/**
 * The double of a JSON number when its shortest decimal text is the same number; else `undefined`. AWS compares numbers by value only in
 * this case; others match by their text alone, so that integers beyond 2^53 are told apart.
 *
 * @see https://github.com/aws/event-ruler `ComparableNumber`
 */
export function comparableNumber(text: string): number | undefined {
  const number = Number(text)
  if (!Number.isFinite(number)) return undefined
  // Fifteen digits always fit, apart from the ends of the range of a double.
  if (text.length <= 15 && !/[eE]/.test(text)) return number
  return decimalOf(String(number)) === decimalOf(text) ? number : undefined
}

/** Digits without zeros at both ends, and the exponent: equal numbers have equal texts. */
function decimalOf(text: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (kept === '') return '0'
  return `${sign}${kept}e${Number(exponent) - fraction.length + (digits.length - kept.length)}`
}

/** The value of a leaf as a number of JSON text. Small ones stay JavaScript numbers. */
export function numberOfText(text: string): number | JsonNumber {
  const number = Number(text)
  if (text.length <= 15 && Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number))) return number
  const exact = new JsonNumber(text)
  const isPlain = exact.comparable !== undefined && (!Number.isInteger(number) || Number.isSafeInteger(number))
  return isPlain ? number : exact
}
