import fc from 'fast-check'
import { expect, it } from 'vitest'
import { numberRoom, writeScaled, writeSeconds } from '../src/number-text'
import { scaledText } from '../src/scaled-number'

const bytes = Buffer.alloc(2 * numberRoom, 'x')
const view = new DataView(bytes.buffer, bytes.byteOffset)
const printed = (value: number, scale: number, fixedDigits: number) =>
  bytes.toString('latin1', 3, writeScaled(view, 3, value, scale, fixedDigits))

const numbers = fc.oneof(
  fc.integer({ min: -100, max: 100 }),
  fc.integer({ min: -10_000_000, max: 10_000_000 }),
  fc.maxSafeInteger(),
  fc.integer({ min: 0, max: 15 }).map((digits) => 10 ** digits),
  fc.integer({ min: 0, max: 15 }).map((digits) => 10 ** digits - 1),
)

it('prints a scaled number as JSON shows it', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 6 }), (value, scale) => {
      expect(printed(value, scale, -1)).toBe(scaledText(value, scale))
    }),
    { numRuns: 2000 },
  )
})

it('prints it with fixed digits', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 12 }), (value, scale, more) => {
      const digits = scale + more
      const [whole, fraction = ''] = scaledText(value, scale).split('.')
      expect(printed(value, scale, digits)).toBe(digits === 0 ? whole : `${whole}.${fraction.padEnd(digits, '0')}`)
    }),
    { numRuns: 1000 },
  )
})

it('prints every millisecond of a minute', () => {
  for (let ms = 0; ms < 60_000; ms++) {
    writeSeconds(view, 0, ms)
    const expected = `${String(Math.floor(ms / 1000)).padStart(2, '0')}.${String(ms % 1000).padStart(3, '0')}`
    if (bytes.toString('latin1', 0, 6) !== expected) expect(bytes.toString('latin1', 0, 6)).toBe(expected)
  }
})
